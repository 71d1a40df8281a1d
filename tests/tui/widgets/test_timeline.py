import pytest

from fetalstream.tui.state.session import PLANES, StreamView
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.timeline import LEAST_S, colour_of, strip
from tests.tui import scan
from tests.tui.scan import SECOND, START


def scanned(*planes: str | None, each_s: int = 20) -> StreamView:
    """Each plane in view for a while, a reading a second."""
    seconds = range(len(planes) * each_s)
    return scan.view(*(scan.reading(START + at * SECOND, planes[at // each_s], seq=at) for at in seconds))


@pytest.mark.parametrize("width", [8, 40, 77, 200])
@pytest.mark.parametrize("rows", [1, 2])
def test_it_fills_its_width_and_no_more(width: int, rows: int) -> None:
    shown = strip(scanned("brain", None, "femur"), width, rows=rows)
    assert [line.cell_len for line in shown.split()] == [width] * rows


def test_planes_are_named_where_they_were_in_view() -> None:
    shown = strip(scanned("brain", None, "femur"), 60, rows=1).plain
    assert shown.index("brain") < 20 < 40 <= shown.index("femur") + 1
    assert shown[25:38].strip() == ""


def test_names_that_do_not_fit_are_cut_and_scraps_left_out() -> None:
    view = scanned("abdomen", "brain", each_s=20)
    assert "abdo" in strip(view, 10, rows=1).plain
    assert strip(view, 8, rows=1).plain == "abdobrai"
    many = scanned(*(["abdomen", "brain"] * 20), each_s=5)
    assert strip(many, 40, rows=1).plain.strip() == ""


def test_a_plane_in_view_for_more_than_a_third_of_a_cells_time_is_seen() -> None:
    mostly_none = scanned(*([None, None, None, "femur", "femur"] * 10), each_s=6)
    shown = strip(mostly_none, 10, rows=1)
    assert any(colour_of("femur", PLANES) in str(span.style) for span in shown.spans)


def test_a_short_exam_does_not_fill_the_strip() -> None:
    view = scanned("brain", each_s=10)
    shown = strip(view, 60, rows=1)
    end = next(span.end for span in shown.spans if colour_of("brain", PLANES) in str(span.style))
    assert end == pytest.approx(60 * 10 / LEAST_S, abs=2)


def test_marks_and_best_frames_stand_beneath_their_times() -> None:
    view = scan.view(
        *(scan.reading(START + at * SECOND, "brain", seq=at) for at in range(60)),
        scan.keyframe(START + 15 * SECOND, "brain"),
        scan.event(START + 30 * SECOND, text="a note"),
        scan.event(START + 40 * SECOND, "freeze"),
    )
    below = strip(view, 59, rows=2).plain.splitlines()[1]
    assert below.index("◆") == 15
    assert below.index("▲") == 30
    assert below.rstrip().endswith("0:59")
    assert below.count("◆") + below.count("▲") == 2


def test_too_little_room_shows_nothing() -> None:
    assert strip(scanned("brain"), 7, rows=2).plain == ""


def test_each_plane_has_its_own_colour() -> None:
    colours = [colour_of(plane, PLANES) for plane in PLANES]
    assert len({*colours}) == len(PLANES)
    assert colour_of(None, PLANES) == colour_of("unknown", PLANES) == palette.TRACK
