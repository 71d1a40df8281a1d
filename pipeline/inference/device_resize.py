"""Preprocessing on a device: padding, antialiased resizing and normalisation of raw bytes by two matrix products.

Bicubic resizing is linear and separable, so each direction is one matrix (S, side), taken from torch's own resize of
the identity. Padding to a square adds black, which only leaves columns of the matrix out. Bytes are exact in half
precision, and sums are kept in float32.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import torch

_SHAPES_KEPT: Final = 64


class DeviceResize:
    """Makes the model's input, (N, 3, S, S) float32, of pictures of one shape, uint8 (N, H, W) or (N, H, W, 3).

    Results are within 2/255 of PIL's bicubic resize. The arguments are those of `pipeline.model.preprocess.Preprocess`.
    """

    def __init__(
        self, image_size: int, mean: tuple[float, float, float], std: tuple[float, float, float], device: torch.device
    ) -> None:
        self._size = image_size
        self._device = device
        self._dtype = torch.float16 if device.type == "cuda" else torch.float32
        deviation = torch.tensor(std, device=device)
        self._factor = (1.0 / (255.0 * deviation)).reshape(3, 1, 1)
        self._offset = (-torch.tensor(mean, device=device) / deviation).reshape(3, 1, 1)
        self._matrices: OrderedDict[tuple[int, int], tuple[torch.Tensor, torch.Tensor]] = OrderedDict()

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        height, width = pictures.shape[1:3]
        planes = pictures[:, None] if pictures.ndim == 3 else pictures.permute(0, 3, 1, 2)
        down, across = self._of(height, width)
        # Rounded and clipped after each direction, as uint8 would be; gray becomes three channels only at the end.
        narrow = (planes.to(self._dtype) @ across.T).round_().clamp_(0.0, 255.0)
        small = (down @ narrow).float().round_().clamp_(0.0, 255.0)
        return torch.addcmul(self._offset, small, self._factor)

    def _of(self, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
        key = height, width
        if key not in self._matrices:
            side = max(key)
            whole = self._matrix(side)
            parts = [whole[:, (side - length) // 2 : (side - length) // 2 + length] for length in key]
            down, across = (part.contiguous().to(self._device, self._dtype) for part in parts)
            self._matrices[key] = down, across
            if len(self._matrices) > _SHAPES_KEPT:
                self._matrices.popitem(last=False)
        self._matrices.move_to_end(key)
        return self._matrices[key]

    def _matrix(self, side: int) -> torch.Tensor:
        """Return the matrix (S, side) of a resize from ``side`` to S pixels."""
        if side == self._size:
            return torch.eye(side)
        ones = torch.eye(side)[None, None]
        return torch.nn.functional.interpolate(ones, size=(self._size, side), mode="bicubic", antialias=True)[0, 0]
