"""Why a picture was taken for a plane: which of its places speak for it, as a map over the picture."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.explain.attention_maps import AttentionMap
from fetalstream.pipeline.explain.convolution_maps import ConvolutionMap
from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.loading import LoadedModel
from fetalstream.pipeline.model.preprocess import Preprocess
from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.pipeline.wire import OTHER
from fetalstream.streamer.frame import Pixels

Heat = npt.NDArray[np.float32]

_NOISE_GRAY: Final = 17.0  # of 255, deviation; with 7 the maps of the phantom are nearly as good
_STRENGTH: Final = 0.6  # of the colours: anatomy must be seen through them


@dataclass(frozen=True, eq=False)
class Explanation:
    """A map of one picture.

    ``heat``: float32 (H, W), as large as the picture, 0 to 1; all 0 where no place speaks for the plane. ``method``: by
    which it was found. ``score``: what was explained, see `Explainer`.
    """

    heat: Heat
    plane: str
    method: str
    score: float


class Explainer:
    """Maps of one model. For one thread at a time.

    What is explained is a difference of cosines: the picture's with the plane's sentences, less half of the mean of
    those with all other planes, less half of the one with the sentences about "other"; only one of the two, whole,
    where the prompts have nothing else. Against "other" alone, maps of all planes look alike; against the planes alone,
    they stray to what speaks against those.

    It works on a copy of the model's image tower, in float32 on the CPU, made at the first picture, as it was loaded
    and not as it was folded to run fast: who runs the model is not in the way. LeGrad for vision transformers, LayerCAM
    for convolutional networks.

    Args:
        model: which, on whatever device.
        banks: its sentences.
    """

    def __init__(self, model: LoadedModel, banks: TextBanks) -> None:
        config = model.config
        self._model = model
        self._planes = torch.from_numpy(banks.planes.copy())
        self._other = None if banks.other is None else torch.from_numpy(banks.other.copy())
        self._names = banks.plane_labels
        self._preprocess = Preprocess(model.image_size, config.mean, config.std, torch.device("cpu"), torch.float32)

    @property
    def labels(self) -> tuple[str, ...]:
        """What can be explained."""
        return self._names if self._other is None else (*self._names, OTHER)

    @property
    def model(self) -> str:
        """Its name."""
        return self._model.config.name

    def explain(self, pixels: Pixels, plane: str) -> Explanation:
        """The map of a picture, uint8 (H, W) or (H, W, 3), as the model was given it.

        Raises:
            ConfigError: the model has no sentences about that plane.
            ModelError: no map can be drawn of its architecture.
        """
        contrast = self._contrast(plane)
        picture = self._preprocess(pixels)[None]
        tower, draw = self._drawing

        def score(features: torch.Tensor) -> torch.Tensor:
            return nn.functional.normalize(features, dim=-1) @ contrast

        with torch.inference_mode(mode=False):
            heat = draw(picture, score)
            with torch.no_grad():
                explained = float(score(tower(picture)))
        return Explanation(_on_picture(heat.numpy(), *pixels.shape[:2]), plane, draw.method, explained)

    @cached_property
    def _drawing(self) -> tuple[nn.Module, AttentionMap | ConvolutionMap]:
        with torch.inference_mode(mode=False):
            tower = _float32_copy(openclip.image_tower(self._model.clip))
            if _is_transformer(tower):
                return tower, AttentionMap(tower)
            noise = _NOISE_GRAY / 255 / torch.tensor(self._model.config.std)
            return tower, ConvolutionMap(tower, self._model.image_size, noise)

    def _contrast(self, plane: str) -> torch.Tensor:
        """(D,), whose product with an image's unit vector is the score."""
        if plane not in self.labels:
            raise ConfigError(f"{self.model} has no plane {plane!r}: choose {', '.join(self.labels)}")
        if plane == OTHER and self._other is not None:
            return self._other - self._planes.mean(dim=0)
        own = self._names.index(plane)
        rivals = [self._planes[[place for place in range(len(self._names)) if place != own]].mean(dim=0)]
        if len(self._names) == 1:
            rivals = []
        if self._other is not None:
            rivals.append(self._other)
        return self._planes[own] - torch.stack(rivals).mean(dim=0) if rivals else self._planes[own]


def overlay(pixels: Pixels, heat: Heat) -> bytes:
    """A PNG of the picture's size: the picture in gray, and over it the map from violet (little) to yellow (most)."""
    gray = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    colours = cv2.applyColorMap(np.rint(heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opaque = _STRENGTH * heat[..., None]
    mixed = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR) * (1 - opaque) + colours * opaque
    return cv2.imencode(".png", np.rint(mixed).astype(np.uint8))[1].tobytes()


def _on_picture(heat: npt.NDArray[np.float32], height: int, width: int) -> Heat:
    """A map (G, G) of the model's square input, on the picture (height, width) in its middle; the largest is 1."""
    side = max(height, width)
    square = cv2.resize(heat, (side, side), interpolation=cv2.INTER_LINEAR)
    top, left = (side - height) // 2, (side - width) // 2  # as `pipeline.model.preprocess` pads it
    inside = np.clip(square[top : top + height, left : left + width], 0, None)
    largest = float(inside.max())
    return (inside / largest if largest > 0 else inside).astype(np.float32)


def _float32_copy(tower: nn.Module) -> nn.Module:
    """The tower in float32 on the CPU; what it is copied from is only read, and no second copy made on its device."""
    memo: dict[int, Any] = {}
    for weight in tower.parameters():
        memo[id(weight)] = nn.Parameter(_on_cpu(weight), requires_grad=False)
    for buffer in tower.buffers():
        memo[id(buffer)] = _on_cpu(buffer)
    return copy.deepcopy(tower, memo).eval()


def _on_cpu(tensor: torch.Tensor) -> torch.Tensor:
    dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
    return tensor.detach().to("cpu", dtype, copy=True)


def _is_transformer(tower: nn.Module) -> bool:
    """Whether all of its layers are attention over one row of tokens: open_clip's own, or timm's."""
    inside: Any = getattr(tower, "trunk", tower)
    return hasattr(inside, "num_prefix_tokens") or hasattr(getattr(inside, "transformer", None), "resblocks")
