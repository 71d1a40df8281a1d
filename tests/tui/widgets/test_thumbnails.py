import pytest

from fetalstream.tui.settings.scan_protocols import read_protocol
from fetalstream.tui.state.protocol_progress import items
from fetalstream.tui.state.session import Session, StreamView, reduce
from fetalstream.tui.widgets.thumbnails import caption, columns_for, judged
from tests.tui import scan
from tests.tui.scan import SECOND, START


def viewed() -> StreamView:
    session = reduce(Session(), scan.reading(START), START)
    return reduce(session, scan.keyframe(START, "femur", 0.64), START).streams["stream-1"]


@pytest.mark.parametrize(
    ("count", "size", "columns"),
    [(1, (80, 20), 1), (9, (130, 38), 3), (9, (76, 19), 3), (7, (76, 19), 4), (10, (190, 50), 4), (3, (20, 60), 1)],
)
def test_tiles_are_as_large_as_fits(count: int, size: tuple[int, int], columns: int) -> None:
    assert columns_for(count, *size) == columns


@pytest.mark.parametrize("width", [8, 14, 19, 40])
def test_a_caption_fits_and_keeps_score_and_age_where_there_is_room(width: int) -> None:
    view = viewed()
    femur = next(item for item in items(None, view, START) if item.view.plane == "femur")
    shown = caption(femur, view, START + 12 * SECOND, width)
    assert shown.cell_len <= max(width, 7)
    if width >= 16:
        assert "femur" in shown.plain
        assert shown.plain.endswith("0.64 12s")


def test_views_that_the_model_cannot_judge_have_no_tile() -> None:
    view = viewed()
    checked = items(read_protocol("fasp-20-week"), view, START)
    assert len(judged(checked)) < len(checked)
    assert all(item.state != "not assessable" for item in judged(checked))
