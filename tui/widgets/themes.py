"""Other colours: every colour of the palette has its counterpart in a theme; the picture's grays stay as they are."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rich.color import Color as RichColor
from rich.color import ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

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
"""The palette's colours and what each becomes; what is not named stays."""


class Recoloured(LineFilter):
    """Puts a theme's colours in the place of the palette's, as the last step of drawing."""

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
        """The segments in the theme's colours."""
        recoloured = self._recoloured
        return [
            segment if style is None else Segment(text, recoloured(style), control)
            for segment in segments
            for text, style, control in (segment,)
        ]


class Styled(LineFilter):
    """Gives a style to what has none: Textual's filter for terminals without colour cannot do without (8.2)."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's
        """The same segments."""
        none = Style.null()
        return [each if each.style is not None else Segment(each.text, none, each.control) for each in segments]


def _key(colour: str) -> object:
    return RichColor.parse(colour).triplet


_LOUD: Final = (_key(palette.WARN), _key(palette.BAD))


def _known(colour: RichColor) -> object:
    # Colours by number are nobody's but a picture's own.
    return None if colour.type is ColorType.EIGHT_BIT else colour.triplet
