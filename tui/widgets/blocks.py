"""Pictures in half blocks, which every terminal draws: finished strips, no style lookup and no box model per row."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from fetalstream.tui.pictures.render import LEVELS, Gray, PictureError, decoded, level_value, levels, runs
from fetalstream.tui.widgets import palette

EMPTY = Style(bgcolor=Color.parse(palette.BACKGROUND))


def _gray(level: int) -> Color:
    # Short to send (38;5;n) and, as it knows its own brightness, no filter of the app turns it into anything else.
    value = level_value(level)
    return Color(f"gray{level}", ColorType.EIGHT_BIT, number=232 + level, triplet=ColorTriplet(value, value, value))


_GRAYS = [_gray(level) for level in range(LEVELS)]
_STYLES = [[Style(color=upper, bgcolor=lower) for lower in _GRAYS] for upper in _GRAYS]


class Blocks:
    """Draws one widget's pictures, and keeps the one that was decoded last."""

    def __init__(self) -> None:
        self._of: tuple[object, ...] = ()
        self._pixels: Gray | None = None

    def strips(self, jpeg: bytes, columns: int, rows: int, *, dim: bool) -> list[Strip] | None:
        """Return the picture letterboxed in ``columns`` x ``rows`` cells; None if the bytes are not a picture."""
        # By identity: two pictures are almost never equal, and comparing bytes costs.
        if not self._of or self._of[0] is not jpeg or self._of[1:] != (columns, rows):
            self._of, self._pixels = (jpeg, columns, rows), _decoded(jpeg, columns, rows)
        return None if self._pixels is None else _strips(self._pixels, columns, rows, dim=dim)


def letterboxed(middle: list[list[Segment]], width: int, columns: int, rows: int) -> list[Strip]:
    """Return rows of ``width`` cells in the middle of ``columns`` x ``rows`` empty ones."""
    blank = Strip.blank(columns, EMPTY)
    left, above = (columns - width) // 2, (rows - len(middle)) // 2
    before, after = Segment(" " * left, EMPTY), Segment(" " * (columns - width - left), EMPTY)
    strips = [Strip([before, *row, after], columns) for row in middle]
    return [*[blank] * above, *strips, *[blank] * (rows - above - len(middle))]


def _decoded(jpeg: bytes, columns: int, rows: int) -> Gray | None:
    if columns < 1 or rows < 1:
        return None
    try:
        return decoded(jpeg, columns, rows)
    except PictureError:
        # The next preview comes in a moment; the one before it is too old to stand in for this one.
        return None


@lru_cache(1 << 15)
def _run(length: int, upper: int, lower: int) -> Segment:
    # A run of equal halves needs no block: blanks travel and compress better.
    return Segment(("▀" if upper != lower else " ") * length, _STYLES[upper][lower])


def _strips(pixels: Gray, columns: int, rows: int, *, dim: bool) -> list[Strip]:
    middle = [[_run(*each) for each in row] for row in runs(levels(pixels, dim=dim))]
    return letterboxed(middle, pixels.shape[1], columns, rows)
