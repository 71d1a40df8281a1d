from tests.tui import scan
from tests.tui.scan import SECOND, START
from tui.session import PLANES, Session, StreamView, reduce
from tui.widgets.checklist import checklist, progress


def view() -> StreamView:
    session = Session()
    for message in (scan.keyframe(START, "brain", 0.87), scan.keyframe(START, "heart", 0.5)):
        session = reduce(session, message, START)
    return session.streams["stream-1"]


def test_found_planes_show_score_and_age_and_the_others_are_open() -> None:
    rows = checklist(view(), START + 200 * SECOND, 54).plain.split("\n")
    assert len(rows) == len(PLANES)
    brain = rows[PLANES.index("brain")]
    assert brain.startswith("● brain")
    assert "20w3d" in brain
    assert brain.endswith("0.87  3min")
    assert rows[PLANES.index("spine")].startswith("○ spine")
    assert all(len(row) <= 54 for row in rows)
    assert progress(view()) == "2 of 9 planes"
