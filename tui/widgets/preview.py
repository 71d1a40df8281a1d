"""A widget that draws a picture in half blocks or in pixels, as finished strips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from fetalstream.tui.pictures.kitty import Kitty
from fetalstream.tui.state.freshness import Freshness
from fetalstream.tui.state.text import plain
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.blocks import EMPTY, Blocks
from fetalstream.tui.widgets.sharp import Sharp
from fetalstream.tui.widgets.themes import Styled

_BACKGROUND = TextualColor.parse(palette.BACKGROUND)
_UNTOUCHED_BY = (ANSIToTruecolor, Styled)  # cells that know their own colours, as all but a banner's do


@dataclass(frozen=True, slots=True)
class Banner:
    """Words over a picture: across its middle, or ``at_top`` if the picture is still to be looked at."""

    words: str
    colour: str
    at_top: bool = False
    ink: str = palette.INK


class _Look(NamedTuple):
    """The way a picture is drawn: dimmed or not, with a banner, in so many cells."""

    dim: bool
    banner: Banner | None
    columns: int
    rows: int


class Preview(Widget):
    """A gray picture, letterboxed with its aspect kept; a banner over it says what is wrong with it.

    It is drawn in pixels if the app has a ``kitty`` (a terminal that takes them) and no other screen lies over its
    own: a screen above tints the colours beneath it, and the terminal finds a picture by its colour.
    """

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._jpeg: bytes | None = None
        self._look: _Look | None = None
        self._blocks = Blocks()
        self._sharp: Sharp | None = None
        self._drawn: tuple[object, ...] = ()
        self._strips: list[Strip] = []
        self._coloured = True

    def show(self, jpeg: bytes | None, fresh: Freshness, banner: Banner | None = None) -> bool:
        """Draw the picture as ``fresh`` allows, with the banner over it; return whether anything changed.

        A picture that is ``blank`` or ``waiting`` is not shown at all.
        """
        if fresh in ("blank", "waiting"):
            jpeg = None
        look = _Look(fresh == "gray", banner, *self.size)
        # By identity: two pictures are almost never equal, and comparing bytes costs.
        if self._jpeg is jpeg and self._look == look:
            return False
        self._jpeg, self._look, self._drawn = jpeg, look, ()
        self.refresh()
        return True

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the strips as they are; rows beyond them are empty."""
        self._draw()
        empty = Strip.blank(crop.right, EMPTY)
        rows = [self._strips[y] if y < len(self._strips) else empty for y in range(crop.y, crop.bottom)]
        filters = self.get_line_filters()  # a theme, or a terminal without colour
        if self._coloured or not all(isinstance(each, _UNTOUCHED_BY) for each in filters):
            for each in filters:
                rows = [row.apply_filter(each, _BACKGROUND) for row in rows]
        return [row.crop(crop.x, crop.right) if crop.x or row.cell_length != crop.width else row for row in rows]

    def on_unmount(self) -> None:
        """Delete the picture from the terminal."""
        if self._sharp is not None:
            self._sharp.free()

    def _draw(self) -> None:
        """Make the strips again if the picture or its look changed."""
        kitty: Kitty | None = getattr(self.app, "kitty", None)
        if kitty is not None and self._sharp is None:
            self._sharp = Sharp(kitty)
        in_front = kitty is not None and self.screen is self.app.screen
        drawn = (in_front, kitty.cleared if kitty is not None else 0)
        if self._look is None or self._drawn == drawn:
            return
        self._drawn, look = drawn, self._look
        picture = None if self._jpeg is None else self._picture(self._jpeg, look, in_pixels=in_front)
        if self._jpeg is None and self._sharp is not None:
            self._sharp.free()
        # Grays alone come out of most filters as they went in; finding that out for each cell is a fifth of all work.
        self._coloured = look.banner is not None or picture is None
        strips = [Strip.blank(look.columns, EMPTY)] * look.rows if picture is None else picture
        self._strips = _overlaid(strips, look.columns, look.banner)

    def _picture(self, jpeg: bytes, look: _Look, *, in_pixels: bool) -> list[Strip] | None:
        if in_pixels and self._sharp is not None:
            strips = self._sharp.strips(jpeg, look.columns, look.rows, dim=look.dim)
            if strips is not None:
                return strips
        return self._blocks.strips(jpeg, look.columns, look.rows, dim=look.dim)


def _overlaid(strips: list[Strip], columns: int, banner: Banner | None) -> list[Strip]:
    if banner is None or len(strips) < 3:
        return strips
    strips = list(strips)
    words = plain(banner.words, max(1, columns - 2))
    words = words.center(len(words) + min(4, max(0, columns - len(words))))
    left = (columns - len(words)) // 2
    style = Style(color=Color.parse(banner.ink), bgcolor=Color.parse(banner.colour), bold=banner.ink == palette.INK)
    middle = len(strips) // 2
    pad = " " * len(words)
    lines = {0: words} if banner.at_top else {middle - 1: pad, middle: words, middle + 1: pad}
    for y, line in lines.items():
        row = strips[y]
        laid = Strip([Segment(line, style)], len(line))
        strips[y] = Strip.join([row.crop(0, left), laid, row.crop(left + len(line), columns)])
    return strips
