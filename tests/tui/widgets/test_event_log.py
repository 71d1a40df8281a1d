import pytest

from fetalstream.tui.state.session import MAX_EVENTS
from fetalstream.tui.widgets import event_log
from fetalstream.tui.widgets.event_log import EventLog, event_row, log
from fetalstream.tui.widgets.panel import Space
from fetalstream.tui.widgets.scene import Scene
from tests.tui import scan
from tests.tui.scan import SECOND, START


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "clock", lambda wall_time: wall_time[11:19])


def test_a_row_is_the_time_and_what_happened() -> None:
    assert event_row(scan.event(START, text="nuchal fold"), 60).plain == "10:00:00 Mark · nuchal fold"


@pytest.mark.parametrize("width", [18, 30, 60])
def test_a_row_fits_its_width(width: int) -> None:
    assert event_row(scan.event(START, text="y" * 300), width).cell_len <= width


def test_the_newest_events_come_last_and_as_many_as_there_is_room_for() -> None:
    view = scan.view(*(scan.event(START + n * SECOND, text=f"note {n}") for n in range(MAX_EVENTS + 5)))
    rows = log(view, 3, 40).plain.splitlines()
    assert [row.split()[-1] for row in rows] == ["102", "103", "104"]


@pytest.mark.parametrize("rows", [0, 5])
def test_without_events_or_rows_it_says_nothing_yet(rows: int) -> None:
    assert log(scan.view(scan.reading(START)), rows, 40).plain == "nothing yet"


def test_the_panel_fills_its_rows() -> None:
    session = scan.session(*(scan.event(START + n, text=str(n)) for n in range(9)))
    scene = Scene(session, START, session, START, None, "stream-1", None)
    shown = EventLog().text(scene, session.streams["stream-1"], Space("wide", 34, 4, 0))
    assert shown.plain.count("Mark") == 4
