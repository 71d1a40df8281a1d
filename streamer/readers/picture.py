"""Conversions of decoded pictures: to full range, to gray if they hold no colour, to square pixels, upright."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from fetalstream.streamer.frame import Pixels

# 8192 x 8192: more than any scanner draws, and at most 200 MB as RGB.
MAX_PIXELS = 1 << 26

# (a, b, c, d) of ISO/IEC 14496-12: a pixel is shown at x' = a x + c y, y' = b x + d y.
DisplayMatrix = tuple[int, int, int, int]

# ITU-R BT.601 and BT.709, 8 bits: black is 16, white is 235.
_LIMITED_TO_FULL: Pixels = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)

# Chroma of one level off neutral shifts a colour by less than two levels, which lossy codecs do by themselves.
_CHROMA_TOLERANCE = 1


def expand_limited(levels: Pixels) -> Pixels:
    """Return full-range levels of limited-range luma or RGB, of any shape: 16 becomes 0, 235 becomes 255. A copy."""
    return np.asarray(cv2.LUT(levels, _LIMITED_TO_FULL), dtype=np.uint8)


def chroma_is_neutral(chroma: Pixels) -> bool:
    """Tell whether a plane of 8-bit U or V values (or both, interleaved) holds no colour."""
    return int(chroma.min()) >= 128 - _CHROMA_TOLERANCE and int(chroma.max()) <= 128 + _CHROMA_TOLERANCE


def gray_where_neutral(rgb: Pixels) -> Pixels:
    """Return one channel ``(H, W)`` of a picture ``(H, W, 3)`` if all three are equal; otherwise the picture itself."""
    red, green, blue = rgb[:, :, 0], rgb[:, :, 1], rgb[:, :, 2]
    # Most coloured pictures show it on a coarse grid already.
    for step in (8, 1):
        grid = (slice(None, None, step), slice(None, None, step))
        if not (np.array_equal(red[grid], green[grid]) and np.array_equal(red[grid], blue[grid])):
            return rgb
    return red.copy()


def square_pixels(pixels: Pixels, aspect: Fraction) -> Pixels:
    """Resample a picture so that its pixels are square; the side that is too short grows, so no detail is lost.

    Args:
        pixels: ``(H, W)`` or ``(H, W, 3)``.
        aspect: width of one pixel over its height (the sample aspect ratio).
    """
    height, width = pixels.shape[:2]
    if aspect > 1:
        width = max(1, round(width * aspect))
    else:
        height = max(1, round(height / aspect))
    if (height, width) == pixels.shape[:2]:
        return pixels
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def is_quarter_turn(matrix: DisplayMatrix) -> bool:
    """Tell whether a display matrix is made of quarter turns and mirrorings alone."""
    a, b, c, d = (value != 0 for value in matrix)
    return (a and d and not b and not c) or (b and c and not a and not d)


def upright(pixels: Pixels, matrix: DisplayMatrix) -> Pixels:
    """Turn and mirror a picture as its display matrix says, without resampling.

    Args:
        pixels: ``(H, W)`` or ``(H, W, 3)``.
        matrix: only the signs count.

    Raises:
        ValueError: when the matrix turns by anything but quarter turns.
    """
    if not is_quarter_turn(matrix):
        raise ValueError(f"the display matrix must be made of quarter turns, got {matrix}")
    a, b, c, d = matrix
    columns, rows = (a, d) if a else (c, b)
    if not a:
        pixels = pixels.swapaxes(0, 1)
    return np.ascontiguousarray(pixels[:: 1 if rows > 0 else -1, :: 1 if columns > 0 else -1])
