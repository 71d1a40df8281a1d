"""Pictures as half-block cells, each of which shows two gray pixels, one above the other; or in the terminal's pixels.

Decoding uses Pillow, so that the dashboard needs neither OpenCV nor torch. The cost of a terminal picture is bytes:
equal neighbours become one run, and 24 grays (xterm's own ramp, which SSH, tmux and browsers all pass) keep runs long.
If the terminal takes pixels, 64 grays halve what 256 would cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from fetalstream.tui.record.session_reader import begin_picture

Gray = npt.NDArray[np.uint8]

LEVELS = 24
FINE_LEVELS = 64
MAX_SIDE_PX = 4096


class PictureError(ValueError):
    """Raised for bytes that are not a picture that can be shown."""


def level_value(level: int) -> int:
    """Return the brightness, 0 to 255, of a level of xterm's gray ramp (colours 232 to 255)."""
    return 8 + 10 * level


def _table(gain: float) -> Gray:
    shown = np.arange(256) * gain
    return np.clip(np.rint((shown - 8) / 10), 0, LEVELS - 1).astype(np.uint8)


def _fine_table(gain: float) -> Gray:
    # Multiples of one step: so are their differences, which are what is packed.
    step = 256 // FINE_LEVELS
    return (np.clip(np.rint(np.arange(256) * gain / step), 0, FINE_LEVELS - 1) * step).astype(np.uint8)


_DIMMED = 0.45
_BRIGHT, _DIM = _table(1.0), _table(_DIMMED)
_FINE_BRIGHT, _FINE_DIM = _fine_table(1.0), _fine_table(_DIMMED)


def fitted(width: int, height: int, columns: int, rows: int) -> tuple[int, int]:
    """Return the largest size in pixels, aspect kept, of a picture in ``columns`` x ``rows`` cells of 1 x 2 pixels.

    The height is even and both are at least 1 x 2.
    """
    scale = min(columns / width, 2 * rows / height)
    fit_height = max(2, 2 * round(height * scale / 2))
    return max(1, min(columns, round(width * scale))), min(fit_height, max(2, 2 * rows))


def decoded(jpeg: bytes, columns: int, rows: int) -> Gray:
    """Return the JPEG (or PNG) in gray, fitted to ``columns`` x ``rows`` cells: uint8 ``(2·rows' , columns')``.

    Raises:
        PictureError: not a picture, damaged, or larger than 4096 pixels a side.
    """
    return _gray(jpeg, lambda width, height: fitted(width, height, columns, rows))


def fine(jpeg: bytes, width: int, height: int, *, dim: bool = False) -> Gray:
    """Return the JPEG (or PNG) in 64 grays, shrunk to fit ``width`` x ``height`` pixels, never grown: uint8 ``(h, w)``.

    Raises:
        PictureError: as ``decoded``.
    """

    def fit(own_width: int, own_height: int) -> tuple[int, int]:
        scale = min(1.0, width / own_width, height / own_height)
        return max(1, round(own_width * scale)), max(1, round(own_height * scale))

    return (_FINE_DIM if dim else _FINE_BRIGHT)[_gray(jpeg, fit)]


def cells_for(width: int, height: int, columns: int, rows: int, cell: tuple[int, int]) -> tuple[int, int]:
    """Return the columns and rows that a picture covers if it is as large as fits ``columns`` x ``rows`` cells.

    Args:
        width: of the picture, in pixels of any size.
        height: of the picture, in the same pixels.
        columns: cells across that there are.
        rows: cells down that there are.
        cell: width and height of one cell, pixels.
    """
    scale = min(columns * cell[0] / width, rows * cell[1] / height)
    # Cells that it covers in part are its own, too: it is scaled to what it is given, and blurred by that.
    across, down = math.ceil(width * scale / cell[0] - 1e-6), math.ceil(height * scale / cell[1] - 1e-6)
    return min(columns, max(1, across)), min(rows, max(1, down))


def _gray(jpeg: bytes, fit: Callable[[int, int], tuple[int, int]]) -> Gray:
    try:
        with begin_picture(jpeg, ("JPEG", "PNG")) as picture:
            if max(picture.size) > MAX_SIDE_PX:
                raise PictureError(f"a preview of {picture.size[0]}x{picture.size[1]} is too large to show")
            size = fit(*picture.size)
            # The decoder itself shrinks by 2, 4 or 8: most of the cost of a large JPEG is never paid.
            picture.draft("L", size)
            small = picture.convert("L").resize(size, Image.Resampling.BOX, reducing_gap=2.0)
            return np.asarray(small)
    except (OSError, SyntaxError, ValueError) as error:
        raise PictureError(str(error)) from error


def levels(pixels: Gray, *, dim: bool = False) -> Gray:
    """Return each pixel's level on the ramp of 24 grays, uint8 of the same shape; ``dim`` for a stale picture."""
    return (_DIM if dim else _BRIGHT)[pixels]


def runs(shown: Gray) -> Iterator[list[tuple[int, int, int]]]:
    """Yield the runs ``(length, upper, lower level)`` of each row of cells; ``shown``: uint8 ``(2·rows, columns)``."""
    pairs = shown[0::2].astype(np.int32) * LEVELS + shown[1::2]
    columns = pairs.shape[1]
    for row in pairs:
        starts = np.concatenate(([0], np.flatnonzero(np.diff(row)) + 1))
        lengths = np.diff(np.append(starts, columns))
        yield [
            (length, pair // LEVELS, pair % LEVELS)
            for length, pair in zip(lengths.tolist(), row[starts].tolist(), strict=True)
        ]
