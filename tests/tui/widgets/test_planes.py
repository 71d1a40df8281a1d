import pytest

from fetalstream.pipeline.wire import Message
from fetalstream.tui.state.session import PLANES, Session, StreamView, reduce
from fetalstream.tui.state.text import label_words
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.planes import bar, planes
from tests.tui import scan
from tests.tui.scan import SECOND, START


def view(*messages: Message) -> StreamView:
    session = Session()
    for message in messages:
        session = reduce(session, message, message.published_ns)
    return session.streams["stream-1"]


@pytest.mark.parametrize("smoothed", [-1.0, 0.0, 0.01, 0.333, 0.5, 0.999, 1.0, 7.0])
@pytest.mark.parametrize("raw", [0.0, 0.5, 1.0, 9.0])
def test_a_bar_is_as_wide_as_it_was_asked_to_be(smoothed: float, raw: float) -> None:
    assert bar(smoothed, raw, 11, palette.ACCENT).cell_len == 11


def test_the_tick_stands_where_this_frame_is() -> None:
    assert bar(0.2, 0.5, 10, palette.ACCENT).plain.index("┃") == 5
    assert "┃" not in bar(0.2, 0.01, 10, palette.ACCENT).plain


@pytest.mark.parametrize(("wide", "width"), [(True, 52), (False, 38)])
def test_all_planes_are_listed_and_no_row_is_wider_than_the_panel(wide: bool, width: int) -> None:
    shown = planes(view(scan.reading(START), scan.keyframe(START)), START, "fresh", (width, 21), wide=wide).plain
    assert all(label_words(label) in shown for label in (*PLANES, "other"))
    assert "thalamic" in shown
    assert all(len(row) <= width for row in shown.split("\n"))


def test_narrow_rows_end_in_the_best_score_and_its_age() -> None:
    told = view(scan.reading(START), scan.keyframe(START, score=0.87))
    rows = planes(told, START + 12 * SECOND, "fresh", (38, 21), wide=False).plain.split("\n")
    assert next(row for row in rows if row.startswith("brain")).endswith("0.87  12s")
    assert next(row for row in rows if row.startswith("femur")).endswith("–    –")


def test_without_room_the_caption_gives_way_before_a_plane_does() -> None:
    told = view(scan.reading(START))
    assert len(planes(told, START, "fresh", (38, 19), wide=False).plain.split("\n")) == 19
    assert len(planes(told, START, "fresh", (38, 18), wide=False).plain.split("\n")) == 18


def test_stale_numbers_lose_all_colour_and_blank_ones_are_gone() -> None:
    told = view(scan.reading(START))
    gray = planes(told, START, "gray", (38, 21), wide=False)
    assert {str(span.style) for span in gray.spans} <= {palette.TRACK}
    assert "0.80" in gray.plain
    assert "0.80" not in planes(told, START, "blank", (38, 21), wide=False).plain


def test_a_dark_picture_names_itself_and_shows_no_plane() -> None:
    dark = scan.reading(START, None, state="black", planes={}, subplanes=None, quality=None)
    shown = planes(view(dark), START, "fresh", (38, 21), wide=False).plain
    assert "0." not in shown
    assert "BLACK PICTURE" in shown
