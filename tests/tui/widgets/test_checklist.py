import pytest

from fetalstream.tui.settings.scan_protocols import read_protocol
from fetalstream.tui.state.protocol_progress import items
from fetalstream.tui.state.session import PLANES, Session, StreamView, reduce
from fetalstream.tui.widgets.checklist import checklist
from fetalstream.tui.widgets.timeline import strip
from tests.tui import scan
from tests.tui.scan import SECOND, START


def view() -> StreamView:
    session = Session()
    for message in (scan.keyframe(START, "brain", 0.87), scan.keyframe(START, "heart", 0.5)):
        session = reduce(session, message, START)
    return session.streams["stream-1"]


def test_found_planes_show_score_and_age_and_the_others_are_open() -> None:
    now = START + 200 * SECOND
    rows = checklist(items(None, view(), now), view(), now, 54, 9).plain.split("\n")
    assert len(rows) == len(PLANES)
    brain = rows[PLANES.index("brain")]
    assert brain.startswith("● brain")
    assert "20w3d" in brain
    assert brain.endswith("0.87  3min")
    assert rows[PLANES.index("spine")].startswith("○ spine")


@pytest.mark.parametrize("rows", [4, 6, 12, 30])
@pytest.mark.parametrize("width", [40, 54])
def test_what_is_left_comes_first_where_not_all_fits(rows: int, width: int) -> None:
    checked = items(read_protocol("isuog-midtrimester"), view(), START)
    shown = checklist(checked, view(), START, width, rows).plain.split("\n")
    assert len(shown) <= rows
    assert all(len(row) <= width for row in shown)
    assert "9 not" in shown[-1] or "more" in shown[-1]
    if rows < 10:
        assert all(row.startswith("○") for row in shown[:-1])


def test_the_timeline_names_the_planes_and_shows_marks_and_best_frames() -> None:
    session = Session()
    for second in range(60):
        plane = "brain" if second < 30 else None if second < 40 else "femur"
        session = reduce(session, scan.reading(START + second * SECOND, plane, seq=second), START)
    session = reduce(session, scan.event(START + 20 * SECOND, text="x"), START)
    session = reduce(session, scan.keyframe(START + 50 * SECOND, "femur"), START)
    above, beneath = strip(session.streams["stream-1"], 60, rows=2).plain.split("\n")
    assert (above.index("brain"), above.index("femur")) == (1, 42)
    assert (beneath.index("▲"), beneath.index("◆")) == (20, 50)
    assert beneath.endswith("0:59")
    assert strip(StreamView("empty"), 40, rows=1).plain.strip() == ""
    assert strip(StreamView("empty"), 3, rows=2).plain == ""
