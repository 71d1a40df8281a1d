import pytest
from rich.text import Text

from fetalstream.tui.widgets import palette


@pytest.mark.parametrize(("share", "colour"), [(0, "#000000"), (1, "#ff8000"), (0.5, "#804000"), (0.25, "#402000")])
def test_colours_are_mixed_by_their_share(share: float, colour: str) -> None:
    assert palette.mixed("#000000", "#ff8000", share) == colour


def test_gray_text_keeps_its_characters_and_its_empty_tracks() -> None:
    text = Text.assemble(("▄▄", palette.ACCENT), ("▄▄▄", palette.TRACK), (" 0.8", "bold"))
    gray = palette.grayed(text)
    assert gray.plain == text.plain
    assert [(span.start, span.end, span.style) for span in gray.spans] == [(2, 5, palette.TRACK)]
    assert gray.style == palette.FAINT


def test_rows_become_one_block_without_wrapping() -> None:
    block = palette.lines([Text("a" * 300), Text(), Text("b")])
    assert block.plain == "a" * 300 + "\n\nb"
    assert block.no_wrap
    assert palette.lines([]).plain == ""


@pytest.mark.parametrize(("width", "shown"), [(12, "left   right"), (10, "left right"), (9, "left"), (3, "left")])
def test_the_right_end_gives_way(width: int, shown: str) -> None:
    assert palette.spread(Text("left"), Text("right"), width).plain == shown


def test_every_tone_has_its_own_colour() -> None:
    assert len({*palette.TONES.values()}) == len(palette.TONES)
