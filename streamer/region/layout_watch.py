"""Notices cheaply, frame by frame, that a scanner's screen is laid out differently: depth, zoom, menu, dual view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.region.ruler import Ruler

_ROWS: Final = 180  # sampled of a frame
_OTHER_LEVELS: Final = 48  # a pixel this much brighter or darker is another
_OTHER_SHARE: Final = 0.03  # of the pixels outside: a clock and a few numbers are less
_TICKS_GONE: Final = 0.35
_DARKER_SHARE: Final = 0.15  # of the inside, by which it has become black: the region may be smaller now
_BLACK: Final = 2


class LayoutWatch:
    """Compares frames with the one for which the region was settled. Passive.

    Args:
        pixels: that frame, ``(H, W)`` or ``(H, W, 3)``.
        polygon: the region's outline.
        ruler: the depth ruler; None if there is none.
        scale_only: watch the ruler alone: round a region that a person chose, more of the scan may move.
    """

    def __init__(
        self, pixels: Pixels, polygon: Sequence[tuple[float, float]], ruler: Ruler | None, *, scale_only: bool = False
    ) -> None:
        self._scale_only = scale_only
        self._shape = pixels.shape[:2]
        self._step = max(1, pixels.shape[0] // _ROWS)
        inside = np.zeros(pixels.shape[:2], np.uint8)
        cv2.fillPoly(inside, [np.rint(np.array(polygon)).astype(np.int32)], (255,))
        wide = np.ones((9, 9), np.uint8)
        self._outside = self._sampled(cv2.bitwise_not(cv2.dilate(inside, wide)))
        self._inside = self._sampled(cv2.erode(inside, wide))
        self._reference = self._sampled(pixels)
        self._others_allowed = _OTHER_SHARE * cv2.countNonZero(self._outside)
        self._dark_allowed = self._dark(self._reference) + _DARKER_SHARE * cv2.countNonZero(self._inside)
        self._ticks = None if ruler is None else _tick_pixels(pixels, ruler)
        if self._ticks is not None:
            self._tick_levels = _one_channel(pixels)[self._ticks]

    def same(self, pixels: Pixels) -> bool:
        """Tell whether the frame is laid out as the settled one was."""
        if pixels.shape[:2] != self._shape:
            return False
        if not self._scale_only and not self._looks_the_same(self._sampled(pixels)):
            return False
        if self._ticks is None:
            return True
        gone = _one_channel(pixels)[self._ticks] < 0.6 * self._tick_levels
        return float(gone.mean()) <= _TICKS_GONE

    def _looks_the_same(self, sampled: Pixels) -> bool:
        difference = cv2.bitwise_and(cv2.absdiff(sampled, self._reference), self._outside)
        if cv2.countNonZero(cv2.threshold(difference, _OTHER_LEVELS, 255, cv2.THRESH_BINARY)[1]) > self._others_allowed:
            return False
        return self._dark(sampled) <= self._dark_allowed

    def _dark(self, sampled: Pixels) -> int:
        dark = cv2.threshold(sampled, _BLACK, 255, cv2.THRESH_BINARY_INV)[1]
        return cv2.countNonZero(cv2.bitwise_and(dark, self._inside))

    def _sampled(self, pixels: npt.NDArray[Any]) -> Pixels:
        return np.ascontiguousarray(_one_channel(pixels)[:: self._step, :: self._step], dtype=np.uint8)


def _one_channel(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return pixels if pixels.ndim == 2 else pixels[:, :, 1]


def _tick_pixels(pixels: Pixels, ruler: Ruler) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the ruler's ticks: one pixel of each, the brightest of three."""
    image = _one_channel(pixels)
    count = round((ruler.last_y - ruler.first_y) / ruler.tick_px)
    rows = np.rint(ruler.first_y + ruler.tick_px * np.arange(count + 1)).astype(np.intp)
    rows = rows[(rows >= 1) & (rows < image.shape[0] - 1)]
    near = np.stack([image[rows + shift, ruler.x] for shift in (-1, 0, 1)])
    return rows + near.argmax(axis=0) - 1, np.full(len(rows), ruler.x, np.intp)
