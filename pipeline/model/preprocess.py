"""From a frame's pixels to the model's input: padded to a square, made small without aliasing, normalised."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch

Pixels = npt.NDArray[np.uint8]


class Preprocess:
    """Pixels, uint8 ``(H, W)`` or ``(H, W, 3)``, to the model's input, (3, S, S).

    The square's black border is split with the smaller half on the left and top. Within 2/255 of PIL's bicubic resize.

    Args:
        image_size: S, pixels per side.
        mean: of the training images per channel, on the scale 0 to 1; ``std`` likewise.
        device: where the input is made.
        dtype: of the input.
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
        # On a CPU torch resizes three interleaved bytes in half the time that it takes for one. Elsewhere the way there
        # is what costs, and gray stays one channel.
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
        # CUDA resizes no bytes; rounded and clipped as bytes would be.
        return resize(square.float(), size=size, mode="bicubic", antialias=True).round_().clamp_(0.0, 255.0)


def input_spacing_mm(height: int, width: int, spacing_mm: float, image_size: int) -> float:
    """Millimetres per pixel of the model's input, for a picture of that size (after cropping) and spacing."""
    return max(height, width) / image_size * spacing_mm


def _padded(pixels: Pixels, *, widen: bool) -> torch.Tensor:
    """(1, C, side, side) uint8, a view of interleaved channels; C is 3, or 1 where gray is not to be widened."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    gray = pixels.ndim == 2
    square = np.zeros((side, side, 1 if gray and not widen else 3), dtype=np.uint8)
    inside = square[top : top + height, left : left + width]
    # A copy is needed for the border anyway, and spares torch's warning about frames being read-only.
    if gray and widen:
        cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB, dst=inside)
    else:
        inside[...] = pixels[..., None] if gray else pixels
    return torch.from_numpy(square)[None].permute(0, 3, 1, 2)
