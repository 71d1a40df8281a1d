"""Relevance maps show which places of a picture raise the score of a plane."""

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
_STRENGTH: Final = 0.6  # largest opacity of the colours: anatomy must be seen through them


@dataclass(frozen=True, eq=False)
class Explanation:
    """The relevance map of one picture.

    Attributes:
        heat: float32 (H, W), as large as the picture, 0 to 1; all 0 if no place raises the score.
        plane: label that was explained.
        method: name of the algorithm.
        score: the score that was explained, see `Explainer`.
    """

    heat: Heat
    plane: str
    method: str
    score: float


class Explainer:
    """Draws relevance maps for one model; used by one thread at a time.

    The explained score is a difference of cosines: that with the plane's text vector, minus half of the mean cosine
    with all other planes, minus half of the cosine with "other"; if the prompts have only one of the two, it is
    subtracted whole. Against "other" alone, the maps of all planes look alike; against the planes alone, they show what
    speaks against the other planes.

    The explainer uses LeGrad for vision transformers and LayerCAM for convolutional networks. It works on a float32
    copy of the image tower on the CPU, so that it does not disturb the encoder. The copy is made at the first picture,
    from the tower as it was loaded, not from the folded one.

    Args:
        model: the model, on any device.
        banks: the model's text vectors.
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
        """Labels that can be explained: the planes, and "other" if the prompts have it."""
        return self._names if self._other is None else (*self._names, OTHER)

    @property
    def model(self) -> str:
        """Name of the model."""
        return self._model.config.name

    def explain(self, pixels: Pixels, plane: str) -> Explanation:
        """Draw the map of a picture, uint8 (H, W) or (H, W, 3), the same pixels that the model was given.

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
        """Return the vector (D,) whose product with an image's unit vector is the score."""
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
    """Encode a PNG of the picture's size: the picture in gray under the map, from violet (low) to yellow (high)."""
    gray = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    colours = cv2.applyColorMap(np.rint(heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opaque = _STRENGTH * heat[..., None]
    mixed = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR) * (1 - opaque) + colours * opaque
    return cv2.imencode(".png", np.rint(mixed).astype(np.uint8))[1].tobytes()


def _on_picture(heat: npt.NDArray[np.float32], height: int, width: int) -> Heat:
    """Resize a map (G, G) of the padded square and cut out the picture (height, width); the largest value is 1."""
    side = max(height, width)
    square = cv2.resize(heat, (side, side), interpolation=cv2.INTER_LINEAR)
    top, left = (side - height) // 2, (side - width) // 2  # as `pipeline.model.preprocess` pads it
    inside = np.clip(square[top : top + height, left : left + width], 0, None)
    largest = float(inside.max())
    return (inside / largest if largest > 0 else inside).astype(np.float32)


def _float32_copy(tower: nn.Module) -> nn.Module:
    """Copy the tower to float32 on the CPU without a second copy on its device; the original is only read."""
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
    """Return whether the tower is a vision transformer, open_clip's own or timm's."""
    inside: Any = getattr(tower, "trunk", tower)
    return hasattr(inside, "num_prefix_tokens") or hasattr(getattr(inside, "transformer", None), "resblocks")
