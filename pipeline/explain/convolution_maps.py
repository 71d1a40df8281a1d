"""Relevance maps of convolutional networks by LayerCAM at two depths, averaged over noisy copies of the picture.

P.-T. Jiang, C.-B. Zhang, Q. Hou, M.-M. Cheng, Y. Wei, "LayerCAM: Exploring Hierarchical Class Activation Maps for
Localization", IEEE Transactions on Image Processing 30, 2021: each place of a feature map is weighted with the
positive part of the score's gradient there. Grad-CAM weights whole channels of the last map, which is too coarse in a
small network (4x4 for ``mini``): on the phantom no more of its energy than chance lies in the structure. D. Smilkov, N.
Thorat, B. Kim, F. Viegas, M. Wattenberg, "SmoothGrad: removing noise by adding noise", arXiv 1706.03825: the mean over
copies with noise is steadier than the map of the picture.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import nn

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.explain.attention_maps import Score

MIN_MAP_SIDE: Final = 8
"""Least side of a feature map that is used."""

DEEPEST_MAPS: Final = 2
"""Number of feature maps that are combined, by their geometric mean: a place must stand out in each."""

NOISY_COPIES: Final = 8


class ConvolutionMap:
    """Draws maps from the deepest feature maps whose side is at least `MIN_MAP_SIDE`.

    Args:
        tower: open_clip's tower around a timm network that describes its feature maps.
        image_size: S, pixels per side of the input.
        noise: (3,) deviation of the noise a channel, on the input's scale.

    Raises:
        ModelError: the network has no such feature maps.
    """

    method = "LayerCAM"

    def __init__(self, tower: nn.Module, image_size: int, noise: torch.Tensor) -> None:
        self._tower = tower
        trunk: Any = getattr(tower, "trunk", None)
        feature_info: Any = getattr(trunk, "feature_info", [])
        stages: list[dict[str, Any]] = (
            feature_info.get_dicts() if hasattr(feature_info, "get_dicts") else list(feature_info)
        )
        fine = [stage["module"] for stage in stages if image_size // stage["reduction"] >= MIN_MAP_SIDE]
        if not fine:
            raise ModelError("no map can be drawn of this architecture: it says nothing of its feature maps")
        self._stages: list[nn.Module] = [trunk.get_submodule(name) for name in fine[-DEEPEST_MAPS:]]
        drawn = torch.randn(NOISY_COPIES, 3, image_size, image_size, generator=torch.Generator().manual_seed(0))
        self._noise = drawn * noise.reshape(3, 1, 1)

    def __call__(self, picture: torch.Tensor, score: Score) -> torch.Tensor:
        """Draw the map (G, G), 0 to 1, of one picture (1, 3, S, S)."""
        outputs: dict[nn.Module, torch.Tensor] = {}

        def record(stage: nn.Module, _: object, output: torch.Tensor) -> None:
            outputs[stage] = output

        hooks = [stage.register_forward_hook(record) for stage in self._stages]
        try:
            with torch.enable_grad():
                explained = score(self._tower((picture + self._noise).requires_grad_(True)))
                maps = [outputs[stage] for stage in self._stages]
                gradients = torch.autograd.grad(explained.sum(), maps)
        finally:
            for hook in hooks:
                hook.remove()
        layers = [_layer_cam(*both) for both in zip(maps, gradients, strict=True)]
        side = max(layer.shape[-1] for layer in layers)
        enlarged = [nn.functional.interpolate(each[None, None], (side, side), mode="bilinear")[0, 0] for each in layers]
        return torch.stack(enlarged).log().mean(dim=0).exp()


def _layer_cam(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Compute the map (G, G), 0 to 1, as the mean over copies; both arguments are (N, C, G, G)."""
    cam = (activation.detach() * gradient.clamp(min=0)).sum(dim=1).clamp(min=0).mean(dim=0)
    return cam / cam.max().clamp(min=1e-12)
