"""Quality of a picture: contrast, sharpness, steadiness. Cheap enough for every frame."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.pipeline import wire
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.streamer.frame import Pixels

# All are judged on a small copy, so that the same picture at another resolution scores about the same.
_LONG_SIDE: Final = 320
_SIDE_READ: Final = 960  # of a larger frame every second or third pixel is enough to make it
_THUMBNAIL: Final = (32, 24)

# Variance of the Laplacian (gray levels squared) that scores one half: real fetal heads have 120 to 330, the same heads
# blurred by a Gaussian of 2.5 pixels 5 to 10.
_SHARP_VARIANCE: Final = 150.0
# The edges of structures are judged on a copy too small for speckle, and in its middle, where whatever is to be seen is
# put: rows and columns from a fifth to four fifths.
_STRUCTURES_LONG_SIDE: Final = 160
_MIDDLE: Final = 5
# Root mean square of Sobel's gradient there (gray levels; Tenengrad) that scores 1: 90% of real fetal heads have 74 to
# 172, median 129; the same heads blurred by a Gaussian of 5 pixels 30 to 77. Not bent, as the sharpness is: one best
# frame is told from the next by a few percent of it.
_EDGES: Final = 250.0
# Mean difference (gray levels) from the picture of the last moments at which steadiness falls to 1/e.
_MOVED_LEVELS: Final = 6.0
_MEMORY_SECONDS: Final = 0.2


class QualityMeter:
    """Contrast and sharpness of each frame, and how little it differs from those just before. Passive, media time."""

    def __init__(self) -> None:
        self._segment: Segment | None = None
        self._recent: npt.NDArray[np.float32] | None = None
        self._pts_seconds = -math.inf

    def update(self, pixels: Pixels, pts_seconds: float, segment: Segment) -> wire.Quality:
        """Return the quality of one frame.

        Args:
            pixels: uint8 (H, W) or (H, W, 3), cut to the sector.
            pts_seconds: media time.
            segment: the frame's; steadiness compares pictures of one segment only.

        Returns:
            All parts 0 to 1. The first frame of a segment has nothing to differ from: its steadiness is 1.
        """
        if self._segment is None or segment.picture != self._segment.picture:
            self._recent, self._pts_seconds = None, -math.inf
        self._segment = segment
        small = _small_gray(pixels)
        spread = float(cv2.meanStdDev(cv2.Laplacian(small, cv2.CV_16S))[1][0, 0])
        sharpness = spread**2 / (spread**2 + _SHARP_VARIANCE)
        thumbnail = cv2.resize(small, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)
        return wire.Quality(
            contrast=_contrast(small), sharpness=sharpness, steadiness=self._steadiness(thumbnail, pts_seconds)
        )

    def _steadiness(self, thumbnail: npt.NDArray[np.float32], pts_seconds: float) -> float:
        if self._recent is None:
            self._recent, self._pts_seconds = thumbnail, pts_seconds
            return 1.0
        moved = float(np.abs(thumbnail - self._recent).mean())
        keep = math.exp(min(0.0, self._pts_seconds - pts_seconds) / _MEMORY_SECONDS)
        cv2.addWeighted(self._recent, keep, thumbnail, 1 - keep, 0, dst=self._recent)
        self._pts_seconds = max(self._pts_seconds, pts_seconds)
        return math.exp(-moved / _MOVED_LEVELS)


def _contrast(gray: Pixels) -> float:
    small = cv2.resize(gray, _size_within(gray, _STRUCTURES_LONG_SIDE), interpolation=cv2.INTER_AREA)
    (rows, own_rows), (columns, own_columns) = (_middle(length) for length in small.shape)
    middle = small[rows, columns]
    across, down = (cv2.Sobel(middle, cv2.CV_32F, *order)[own_rows, own_columns] for order in ((1, 0), (0, 1)))
    edges = math.sqrt((cv2.norm(across, cv2.NORM_L2SQR) + cv2.norm(down, cv2.NORM_L2SQR)) / across.size)
    return min(1.0, edges / _EDGES)


def _middle(length: int) -> tuple[slice, slice]:
    """Return the middle with a pixel more at either end for the gradient, if there is one, and the middle in that."""
    first, beside = length // _MIDDLE, min(1, length // _MIDDLE)
    return slice(first - beside, length - first + beside), slice(beside, length - 2 * first + beside)


def _size_within(pixels: Pixels, long_side: int) -> tuple[int, int]:
    """Width and height, the longer one at most this, neither none."""
    height, width = pixels.shape[:2]
    scale = min(1.0, long_side / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _small_gray(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    size = _size_within(pixels, _LONG_SIDE)
    step = max(1, max(height, width) // _SIDE_READ)
    small = (
        pixels if size == (width, height) else cv2.resize(pixels[::step, ::step], size, interpolation=cv2.INTER_AREA)
    )
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY) if small.ndim == 3 else small, dtype=np.uint8)
