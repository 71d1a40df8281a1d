"""Preprocessing makes the model's input of a frame: padding to a square, antialiased resizing, normalisation."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch

Pixels = npt.NDArray[np.uint8]


class Preprocess:
    """Makes the model's input, (3, S, S), of pixels, uint8 ``(H, W)`` or ``(H, W, 3)``.

    The picture is padded to a square with black, the smaller half of the border at the left and top. Results are
    within 2/255 of PIL's bicubic resize.

    Args:
        image_size: S, pixels per side.
        mean: mean of the training images per channel, on the scale 0 to 1; ``std`` is their deviation.
        device: device on which the input is made.
        dtype: number format of the input.
    """

    def __init__(
        self,
        image_size: int,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._size = image_size
        self._device = device
        self._dtype = dtype
        # (x / 255 - mean) / std as one multiplication and one addition
        deviation = torch.tensor(std, device=device)
        self._factor = (1.0 / (255.0 * deviation)).reshape(3, 1, 1)
        self._offset = (-torch.tensor(mean, device=device) / deviation).reshape(3, 1, 1)

    def __call__(self, pixels: Pixels) -> torch.Tensor:
        # On a CPU torch resizes three interleaved channels in half the time that it takes for one. On other devices the
        # transfer costs most, so gray stays one channel.
        square = _padded(pixels, widen=self._device.type == "cpu").to(self._device, non_blocking=True)
        small = self._resized(square)[0]
        return torch.addcmul(self._offset, small.to(torch.float32), self._factor).to(self._dtype)

    def _resized(self, square: torch.Tensor) -> torch.Tensor:
        if square.shape[-1] == self._size:
            return square
        resize = torch.nn.functional.interpolate
        size = (self._size, self._size)
        if square.device.type == "cpu":
            return resize(square, size=size, mode="bicubic", antialias=True)
        # CUDA does not resize uint8: resize floats, then round and clip as uint8 would.
        return resize(square.float(), size=size, mode="bicubic", antialias=True).round_().clamp_(0.0, 255.0)


def input_spacing_mm(height: int, width: int, spacing_mm: float, image_size: int) -> float:
    """Return the mm per pixel of the model's input for a picture of this size (after cropping) and spacing."""
    return max(height, width) / image_size * spacing_mm


def _padded(pixels: Pixels, *, widen: bool) -> torch.Tensor:
    """Pad to (1, C, side, side) uint8, a view of interleaved channels; C is 1 for gray unless ``widen``, else 3."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    gray = pixels.ndim == 2
    square = np.zeros((side, side, 1 if gray and not widen else 3), dtype=np.uint8)
    inside = square[top : top + height, left : left + width]
    # The border needs a copy anyway, which also avoids torch's warning about read-only frames.
    if gray and widen:
        cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB, dst=inside)
    else:
        inside[...] = pixels[..., None] if gray else pixels
    return torch.from_numpy(square)[None].permute(0, 3, 1, 2)
