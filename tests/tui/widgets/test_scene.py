import pytest

from fetalstream.tui.state.session import PLANES
from fetalstream.tui.widgets.scene import Played, Scene
from tests.tui import scan
from tests.tui.scan import SECOND, START


def scene(now_s: float = 0.0, held_s: float | None = None) -> Scene:
    live = scan.session(scan.reading(START), scan.reading(START + 60 * SECOND, "femur", seq=1))
    before = scan.session(scan.reading(START))
    now_ns = START + round(now_s * SECOND)
    if held_s is None:
        return Scene(live, now_ns, live, now_ns, None, "stream-1", None)
    return Scene(live, now_ns, before, START + round(held_s * SECOND), now_s - held_s, "stream-1", None)


@pytest.mark.parametrize(
    ("played", "words"),
    [
        (Played(65.0, 600.0, 2.0), "1:05 / 10:00 ×2"),
        (Played(0.0, 4000.0, 0.25), "0:00 / 1:06:40 ×0.25"),
        (Played(3.0, 60.0, 0.0), "0:03 / 1:00 held"),
    ],
)
def test_the_position_in_a_recording_is_said(played: Played, words: str) -> None:
    assert played.words == words


def test_the_edges_show_now_and_the_panels_the_moment_that_is_held() -> None:
    held = scene(now_s=60.0, held_s=0.0)
    assert held.live_view is not None
    assert held.view is not None
    assert (held.live_view.reading.plane, held.view.reading.plane) == ("femur", "brain")  # type: ignore[union-attr]


def test_without_a_chosen_stream_there_is_no_view() -> None:
    session = scan.session(scan.reading(START))
    empty = Scene(session, START, session, START, None, None, None)
    assert empty.view is None
    assert empty.live_view is None


@pytest.mark.parametrize(
    ("held_s", "fresh"), [(0.0, "fresh"), (2.0, "gray"), (30.0, "blank")]
)  # fmt: skip
def test_a_held_reading_is_as_old_as_it_was_then(held_s: float, fresh: str) -> None:
    held = scene(now_s=1000.0, held_s=held_s)
    assert held.view is not None
    assert held.fresh(held.view) == fresh


def test_the_checklist_is_the_models_planes_unless_a_protocol_is_chosen() -> None:
    given = scene()
    assert given.view is not None
    assert [item.view.plane for item in given.checklist(given.view)] == list(PLANES)
