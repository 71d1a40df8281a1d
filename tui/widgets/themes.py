"""Themes: each gives the palette's colours counterparts; the grays of pictures stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from rich.color import Color as RichColor
from rich.color import ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

from fetalstream.tui.widgets import palette

DARK: Final = "dark"
THEMES: Final[dict[str, dict[str, str]]] = {
    DARK: {},
    "light": {
        palette.BACKGROUND: "#f7f8f9",
        palette.LINE: "#b9c2ca",
        palette.TRACK: "#dfe5ea",
        palette.TEXT: "#1b242c",
        palette.MUTED: "#55626e",
        palette.FAINT: "#8a96a1",
        palette.ACCENT: "#0d7481",
        palette.RAW: "#101418",
        palette.GOOD: "#1d7f47",
        palette.WARN: "#f0b429",
        palette.BAD: "#e5484d",
        palette.COLD: "#3266c2",
    },
    "high contrast": {
        palette.BACKGROUND: "#000000",
        palette.LINE: "#9aa5b1",
        palette.TRACK: "#2c3640",
        palette.TEXT: "#ffffff",
        palette.MUTED: "#dfe6ec",
        palette.FAINT: "#b4bfc9",
        palette.ACCENT: "#5ff1ff",
        palette.GOOD: "#7dffb0",
        palette.WARN: "#ffd24d",
        palette.BAD: "#ff7b76",
        palette.COLD: "#a9cbff",
    },
}
"""Each theme's colour for a colour of the palette; a colour that is not named stays."""

TEXTUAL_THEME: Final = Theme(
    name="fetalstream",
    primary=palette.ACCENT,
    background=palette.BACKGROUND,
    surface=palette.BACKGROUND,
    panel=palette.TRACK,
    foreground=palette.TEXT,
    warning=palette.WARN,
    error=palette.BAD,
    dark=True,
)
"""The palette, as Textual wants it; themes recolour what is drawn from it."""


class Recoloured(LineFilter):
    """Replaces the palette's colours by a theme's, as the last step of drawing."""

    def __init__(self, theme: str) -> None:
        super().__init__()
        colours = {_key(old): RichColor.parse(new) for old, new in THEMES[theme].items()}

        @lru_cache(4096)
        def recoloured(style: Style) -> Style:
            # Ink on a warning is the background's colour in the palette, and must stay dark on any theme.
            ink = style.bgcolor is not None and style.bgcolor.triplet in _LOUD
            colour = None if style.color is None or ink else colours.get(_known(style.color))
            paper = None if style.bgcolor is None else colours.get(_known(style.bgcolor))
            return style if colour is None and paper is None else style + Style(color=colour, bgcolor=paper)

        self._recoloured = recoloured

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's
        """Return the segments in the theme's colours."""
        recoloured = self._recoloured
        return [
            segment if style is None else Segment(text, recoloured(style), control)
            for segment in segments
            for text, style, control in (segment,)
        ]


class Styled(LineFilter):
    """Gives a style to segments that have none: Textual's filter for terminals without colour needs one (8.2)."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's
        """Return the same segments, each with a style."""
        none = Style.null()
        return [each if each.style is not None else Segment(each.text, none, each.control) for each in segments]


class Colours:
    """The theme in use, and the filters that draw in it.

    Attributes:
        name: of the theme, in ``THEMES``.
    """

    def __init__(self) -> None:
        self.name = DARK
        self._recoloured: Recoloured | None = None
        self._styled = Styled()  # one for ever: what a line becomes is remembered by the filter that did it

    def choose(self, name: str) -> None:
        """Use another theme from now on."""
        self.name = name
        self._recoloured = None if name == DARK else Recoloured(name)

    def filters(self, textuals: Sequence[LineFilter]) -> list[LineFilter]:
        """Return all filters of the app, in order, ``textuals`` (Textual's own) among them."""
        ours = [] if self._recoloured is None else [self._recoloured]
        return [*ours, *([self._styled, *textuals] if textuals else [])]


def _key(colour: str) -> object:
    return RichColor.parse(colour).triplet


_LOUD: Final = (_key(palette.WARN), _key(palette.BAD))


def _known(colour: RichColor) -> object:
    # Colours by number are nobody's but a picture's own.
    return None if colour.type is ColorType.EIGHT_BIT else colour.triplet
