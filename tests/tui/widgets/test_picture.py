import pytest

from fetalstream.pipeline.wire import Goodbye
from fetalstream.tui.state.session import Session, StreamView, reduce
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.panel import Space
from fetalstream.tui.widgets.picture import PicturePanel, banner
from fetalstream.tui.widgets.preview import Banner
from fetalstream.tui.widgets.scene import Scene
from tests.tui import scan
from tests.tui.scan import SECOND, START
from tests.tui.stage import Stage


def live(*more: object) -> StreamView:
    return scan.view(scan.reading(START), scan.preview(START), *more, blob=scan.ramp())  # type: ignore[arg-type]


def over(view: StreamView, after_s: float = 0.0, *, paused_s: float | None = None, replay: bool = False) -> str | None:
    found = banner(view, START + round(after_s * SECOND), replay=replay, paused_s=paused_s)
    return None if found is None else found.words


def test_a_fresh_picture_needs_no_words() -> None:
    assert over(live()) is None


@pytest.mark.parametrize(
    ("after_s", "words"), [(0.9, None), (1.5, "STALE 1.5 s"), (4.0, "NO DATA 4 s"), (75.0, "NO DATA 75 s")]
)
def test_an_old_picture_says_so(after_s: float, words: str | None) -> None:
    assert over(live(), after_s) == words


def test_a_picture_older_than_its_reading_says_how_old() -> None:
    assert over(live(scan.reading(START + 5 * SECOND, seq=1)), 5.0) == "PICTURE 5 s OLD"


def test_a_stream_without_a_picture_waits_for_one() -> None:
    assert over(scan.view(scan.reading(START))) == "waiting for a picture"


@pytest.mark.parametrize(("state", "words"), [("black", "BLACK PICTURE"), ("no_signal", "NO SIGNAL"), ("live", None)])
def test_what_the_source_shows_instead_of_a_scan_is_said(state: str, words: str | None) -> None:
    view = scan.view(scan.reading(START, state=state), scan.preview(START), blob=b"jpeg")
    assert over(view) == words


def test_a_held_screen_says_so_above_everything_else_at_the_top() -> None:
    found = banner(live(), START + 60 * SECOND, replay=False, paused_s=75.0)
    assert found == Banner("PAUSED 1:15, the engine goes on", palette.WARN, at_top=True)


def test_an_ended_stream_says_so_however_old_it_is() -> None:
    session = Session(streams={"stream-1": live()})
    view = reduce(session, Goodbye(run="run-a", stream="stream-1", reason="over"), START).streams["stream-1"]
    assert over(view) == over(view, 100.0) == "ENDED"


def test_a_recording_is_never_stale() -> None:
    assert over(live(), 100.0, replay=True) is None


@pytest.mark.parametrize(
    ("after_s", "classes"), [(0.0, set()), (2.0, {"stale"}), (5.0, {"lost"}), (0.1, set())]
)  # fmt: skip
async def test_the_border_warns_of_the_reading(after_s: float, classes: set[str]) -> None:
    panel = PicturePanel()
    async with Stage(panel.widget).run_test():
        session = Session(streams={"stream-1": live()})
        now_ns = START + round(after_s * SECOND)
        panel.draw(Scene(session, now_ns, session, now_ns, None, "stream-1", None), live(), Space("wide", 80, 20, 0))
        assert panel.widget.classes & {"stale", "lost"} == classes
