"""A picture as half-block cells: each cell shows two gray pixels, one above the other.

Decoding uses Pillow, so that the dashboard needs neither OpenCV nor torch. The cost of a terminal picture is bytes:
equal neighbours become one run, and 24 grays (xterm's own ramp, which SSH, tmux and browsers all pass) keep runs long.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

Gray = npt.NDArray[np.uint8]

LEVELS = 24
MAX_SIDE_PX = 4096


class PictureError(ValueError):
    """Bytes that are not a picture that can be shown."""


def level_value(level: int) -> int:
    """The brightness, 0 to 255, of xterm's gray ramp (colours 232 to 255)."""
    return 8 + 10 * level


def _table(gain: float) -> Gray:
    shown = np.arange(256) * gain
    return np.clip(np.rint((shown - 8) / 10), 0, LEVELS - 1).astype(np.uint8)


_BRIGHT, _DIM = _table(1.0), _table(0.45)


def fitted(width: int, height: int, columns: int, rows: int) -> tuple[int, int]:
    """The largest size in pixels, aspect kept, of a picture in ``columns`` x ``rows`` cells of 1 x 2 pixels.

    The height is even and both are at least 1 x 2.
    """
    scale = min(columns / width, 2 * rows / height)
    fit_height = max(2, 2 * round(height * scale / 2))
    return max(1, min(columns, round(width * scale))), min(fit_height, max(2, 2 * rows))


def decoded(jpeg: bytes, columns: int, rows: int) -> Gray:
    """The JPEG (or PNG) in gray, shrunk or grown to fit ``columns`` x ``rows`` cells: uint8 ``(2·rows' , columns')``.

    Raises:
        PictureError: not a picture, damaged, or larger than 4096 pixels a side.
    """
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG", "PNG"]) as picture:
            if max(picture.size) > MAX_SIDE_PX:
                raise PictureError(f"a preview of {picture.size[0]}x{picture.size[1]} is too large to show")
            size = fitted(*picture.size, columns, rows)
            # The decoder itself shrinks by 2, 4 or 8: most of the cost of a large JPEG is never paid.
            picture.draft("L", size)
            small = picture.convert("L").resize(size, Image.Resampling.BOX, reducing_gap=2.0)
            return np.asarray(small)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise PictureError(str(error)) from error


def levels(pixels: Gray, *, dim: bool = False) -> Gray:
    """Each pixel's place on the ramp of 24 grays, uint8 of the same shape; ``dim`` for a picture that is stale."""
    return (_DIM if dim else _BRIGHT)[pixels]


def runs(shown: Gray) -> Iterator[list[tuple[int, int, int]]]:
    """For each row of cells its runs ``(length, upper level, lower level)``; ``shown``: uint8 ``(2·rows, columns)``."""
    pairs = shown[0::2].astype(np.int32) * LEVELS + shown[1::2]
    columns = pairs.shape[1]
    for row in pairs:
        starts = np.concatenate(([0], np.flatnonzero(np.diff(row)) + 1))
        lengths = np.diff(np.append(starts, columns))
        yield [
            (length, pair // LEVELS, pair % LEVELS)
            for length, pair in zip(lengths.tolist(), row[starts].tolist(), strict=True)
        ]
