"""The live picture in half blocks. It hands finished strips to the screen: no style lookup and no box model per row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.condition import Freshness
from tui.render import LEVELS, Gray, PictureError, decoded, level_value, levels, runs
from tui.text import plain
from tui.widgets import palette
from tui.widgets.themes import Styled


def _gray(level: int) -> Color:
    # Short to send (38;5;n) and, as it knows its own brightness, no filter of the app turns it into anything else.
    value = level_value(level)
    return Color(f"gray{level}", ColorType.EIGHT_BIT, number=232 + level, triplet=ColorTriplet(value, value, value))


_GRAYS = [_gray(level) for level in range(LEVELS)]
_STYLES = [[Style(color=upper, bgcolor=lower) for lower in _GRAYS] for upper in _GRAYS]
_BACKGROUND = TextualColor.parse(palette.BACKGROUND)
_EMPTY = Style(bgcolor=Color.parse(palette.BACKGROUND))
_UNTOUCHED_BY = (ANSIToTruecolor, Styled)  # cells that know their own colours, as all but a banner's do


@dataclass(frozen=True, slots=True)
class Banner:
    """Words over the picture: across its middle, or ``at_top`` where the picture is still to be looked at."""

    words: str
    colour: str
    at_top: bool = False
    ink: str = palette.INK


class Preview(Widget):
    """A gray picture, letterboxed with its aspect kept; a banner over it says what is wrong with it."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._key: tuple[object, ...] = ()
        self._jpeg: bytes | None = None
        self._pixels: Gray | None = None
        self._strips: list[Strip] = []
        self._coloured = True

    def show(self, jpeg: bytes | None, fresh: Freshness, banner: Banner | None = None) -> bool:
        """Draws the picture as ``fresh`` allows, the banner over it; whether anything changed.

        A picture that is ``blank`` or ``waiting`` is not shown at all.
        """
        columns, rows = self.size
        if fresh in ("blank", "waiting"):
            jpeg = None
        key = (fresh == "gray", banner, columns, rows)
        # By identity: two pictures are almost never equal, and comparing bytes costs.
        if self._jpeg is jpeg and self._key == key:
            return False
        if self._jpeg is not jpeg or self._key[2:] != key[2:]:
            self._pixels = _decoded(jpeg, columns, rows)
        self._jpeg, self._key = jpeg, key
        self._strips = _overlaid(_strips(self._pixels, columns, rows, dim=fresh == "gray"), columns, banner)
        # Grays alone come out of most filters as they went in; finding that out for each cell is a fifth of all work.
        self._coloured = banner is not None or self._pixels is None
        self.refresh()
        return True

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips as they are; rows beyond them are empty."""
        empty = Strip.blank(crop.right, _EMPTY)
        rows = [self._strips[y] if y < len(self._strips) else empty for y in range(crop.y, crop.bottom)]
        filters = self.get_line_filters()  # a theme, or a terminal without colour
        if self._coloured or not all(isinstance(each, _UNTOUCHED_BY) for each in filters):
            for each in filters:
                rows = [row.apply_filter(each, _BACKGROUND) for row in rows]
        return [row.crop(crop.x, crop.right) if crop.x or row.cell_length != crop.width else row for row in rows]


def _decoded(jpeg: bytes | None, columns: int, rows: int) -> Gray | None:
    if jpeg is None or columns < 1 or rows < 1:
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


def _strips(pixels: Gray | None, columns: int, rows: int, *, dim: bool) -> list[Strip]:
    blank = Strip.blank(columns, _EMPTY)
    if pixels is None:
        return [blank] * rows
    height, width = pixels.shape[0] // 2, pixels.shape[1]
    left, above = (columns - width) // 2, (rows - height) // 2
    before, after = Segment(" " * left, _EMPTY), Segment(" " * (columns - width - left), _EMPTY)
    strips = [blank] * above
    for row in runs(levels(pixels, dim=dim)):
        strips.append(Strip([before, *(_run(*each) for each in row), after], columns))
    return [*strips, *[blank] * (rows - len(strips))]


def _overlaid(strips: list[Strip], columns: int, banner: Banner | None) -> list[Strip]:
    if banner is None or len(strips) < 3:
        return strips
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
