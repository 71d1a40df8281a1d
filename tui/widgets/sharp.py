"""Pictures in the terminal's own pixels: characters that say which part of which picture shows in their cell."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from fetalstream.tui.pictures.kitty import MOST_CELLS, Kitty, cells
from fetalstream.tui.pictures.render import PictureError, cells_for, fine
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.blocks import letterboxed


class Sharp:
    """Draws one widget's pictures under two numbers by turns: the old one is seen until the new one is complete.

    Args:
        kitty: the terminal.
    """

    def __init__(self, kitty: Kitty) -> None:
        self._kitty = kitty
        self._numbers: tuple[int, int] | None = None
        self._of: tuple[object, ...] = ()
        self._strips: list[Strip] | None = None

    def strips(self, jpeg: bytes, columns: int, rows: int, *, dim: bool) -> list[Strip] | None:
        """Return the picture as ``Blocks`` does, and send it if it is new; None too if no number is left.

        To be called while drawing: a picture must be sent before the characters that show it.
        """
        key = (dim, columns, rows, self._kitty.cleared)
        if not self._of or self._of[0] is not jpeg or self._of[1:] != key:
            self._of, self._strips = (jpeg, *key), self._sent(jpeg, columns, rows, dim=dim)
        return self._strips

    def free(self) -> None:
        """Delete the picture from the terminal, and give its numbers back."""
        if self._numbers is not None:
            self._kitty.give_back(self._numbers)
        self._numbers, self._of, self._strips = None, (), None

    def _sent(self, jpeg: bytes, columns: int, rows: int, *, dim: bool) -> list[Strip] | None:
        self._numbers = self._numbers or self._kitty.numbers()
        if self._numbers is None or columns < 1 or rows < 1:
            return None
        cell, detail = self._kitty.cell_px(), self._kitty.detail
        try:
            pixels = fine(jpeg, round(columns * cell[0] * detail), round(rows * cell[1] * detail), dim=dim)
        except PictureError:
            return None
        height, width = pixels.shape
        across, down = cells_for(width, height, min(columns, MOST_CELLS), min(rows, MOST_CELLS), cell)
        seen, unseen = self._numbers
        self._numbers = unseen, seen
        self._kitty.send(unseen, pixels, across, down)
        return _placed(unseen, across, down, columns, rows)


@lru_cache(512)
def _placed(number: int, across: int, down: int, columns: int, rows: int) -> list[Strip]:
    # As for half blocks, a colour of the 256 that knows a brightness: no filter may turn it into another number.
    colour = Color(f"picture{number}", ColorType.EIGHT_BIT, number=number, triplet=ColorTriplet(0, 0, 0))
    style = Style(color=colour, bgcolor=Color.parse(palette.BACKGROUND))
    return letterboxed([[Segment(cells(row, across), style)] for row in range(down)], across, columns, rows)
