import pytest
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter, Monochrome

from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.themes import DARK, TEXTUAL_THEME, THEMES, Colours, Recoloured, Styled

BLACK = Color.parse("#000000")
OTHERS = [name for name in THEMES if name != DARK]
ALL = {name: value for name, value in vars(palette).items() if name.isupper() and isinstance(value, str)}


def applied(theme: str, text: Style | None) -> Style | None:
    (segment,) = Recoloured(theme).apply([Segment("x", text)], BLACK)
    return segment.style


@pytest.mark.parametrize("theme", OTHERS)
def test_every_colour_of_a_theme_replaces_one_of_the_palette(theme: str) -> None:
    for old, new in THEMES[theme].items():
        assert old in ALL.values()
        recoloured = applied(theme, Style(color=old, bold=True))
        assert recoloured == Style(color=new, bold=True)
        if old not in (palette.WARN, palette.BAD):
            assert applied(theme, Style(bgcolor=old)) == Style(bgcolor=new)


@pytest.mark.parametrize("theme", OTHERS)
def test_text_and_background_stay_far_apart(theme: str) -> None:
    def luminance(colour: str) -> float:
        red, green, blue = (
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
            for value in (part / 255 for part in RichColor.parse(colour).get_truecolor())
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    paper = luminance(THEMES[theme][palette.BACKGROUND])
    for colour in (palette.TEXT, palette.MUTED, palette.ACCENT, palette.GOOD):
        ink = luminance(THEMES[theme][colour])
        high, low = max(ink, paper), min(ink, paper)
        assert (high + 0.05) / (low + 0.05) >= 4.5, colour  # WCAG 2.2, 1.4.3


@pytest.mark.parametrize("theme", OTHERS)
def test_ink_on_a_warning_stays_dark(theme: str) -> None:
    style = applied(theme, Style(color=palette.INK, bgcolor=palette.WARN))
    assert style is not None
    assert style.color == RichColor.parse(palette.INK)


@pytest.mark.parametrize("theme", OTHERS)
def test_grays_of_pictures_and_unstyled_text_stay(theme: str) -> None:
    gray = Style(color=RichColor.from_ansi(240))
    assert applied(theme, gray) == gray
    assert applied(theme, None) is None


def test_segments_without_a_style_get_an_empty_one() -> None:
    styled = Style(bold=True)
    segments = Styled().apply([Segment("a"), Segment("b", styled)], BLACK)
    assert [each.style for each in segments] == [Style.null(), styled]


def test_the_dark_theme_adds_no_filter() -> None:
    colours = Colours()
    assert colours.name == DARK
    assert colours.filters([]) == []


def test_a_theme_comes_before_textuals_filters_and_all_have_styles() -> None:
    colours, monochrome = Colours(), Monochrome()
    colours.choose("light")
    kinds: list[type[LineFilter]] = [type(each) for each in colours.filters([monochrome])]
    assert kinds == [Recoloured, Styled, Monochrome]
    colours.choose(DARK)
    assert [type(each) for each in colours.filters([monochrome])] == [Styled, Monochrome]


def test_the_same_filters_serve_every_line() -> None:
    # Lines are remembered by the filter that drew them: a new one for each would remember nothing.
    colours, monochrome = Colours(), Monochrome()
    colours.choose("light")
    assert colours.filters([monochrome]) == colours.filters([monochrome])


def test_textual_draws_in_the_palette() -> None:
    assert TEXTUAL_THEME.background == palette.BACKGROUND
    assert TEXTUAL_THEME.dark
