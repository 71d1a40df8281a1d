"""The foreground over real child processes, with a stand-in for the dashboard."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fetalstream.tui.run.foreground import ChildMonitor, failure, news
from fetalstream.tui.run.supervise import EXIT_CRASHED, ChildCommand, Supervisor
from fetalstream.tui.state.recording_status import RecorderReport, RecordingStatus
from tests.waiting import until

SLEEPER = "import time; time.sleep(60)"
INTO = RecorderReport(state="recording", folder="/sessions/a b")
FULL = RecorderReport(state="not_recording", text="No space left on device")


class AppDouble:
    """What the monitor uses of the dashboard."""

    def __init__(self) -> None:
        self.recording = RecordingStatus()
        self.said: list[tuple[str, str]] = []
        self.left = False

    def say(self, words: str, tone: str) -> None:
        self.said.append((words, tone))

    def leave(self) -> None:
        self.left = True


def printing(*lines: str, then: str = SLEEPER) -> str:
    return "; ".join([*(f"print({line!r}, flush=True)" for line in lines), then])


Supervise = Callable[..., Supervisor]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    made: list[Supervisor] = []

    def make(recorder: str, engine: str = SLEEPER) -> Supervisor:
        scripts = {"engine": engine, "recorder": recorder}
        made.append(
            Supervisor([ChildCommand(name, (sys.executable, "-c", each)) for name, each in scripts.items()], tmp_path)
        )
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.stop(0.0)


@contextmanager
def watched(supervisor: Supervisor) -> Iterator[tuple[ChildMonitor, AppDouble]]:
    monitor, app = ChildMonitor(supervisor, threading.Event()), AppDouble()
    thread = threading.Thread(target=monitor.look_after, args=(app,))
    thread.start()
    try:
        yield monitor, app
    finally:
        monitor.over.set()
        thread.join()


def test_the_dashboard_shows_the_recorders_reports_as_words(supervise: Supervise) -> None:
    recorder = printing(INTO.line(), FULL.line(), "", "Traceback (most recent call last):")
    with watched(supervise(recorder)) as (monitor, app):
        until(lambda: len(app.said) == 3)
        assert app.said == [
            ("Recording into /sessions/a b", "quiet"),
            ("NOT RECORDING: No space left on device", "bad"),
            ("Traceback (most recent call last):", "bad"),
        ]
        assert app.recording == RecordingStatus(Path("/sessions/a b"), "No space left on device")
        assert monitor.recorded == [Path("/sessions/a b")]


def test_a_recorder_that_is_given_up_stays_on_the_screen(supervise: Supervise) -> None:
    with watched(supervise("import sys; sys.exit('no such folder')")) as (_, app):
        until(lambda: app.recording == RecordingStatus(None, "no such folder"))
        assert app.said[0] == ("no such folder", "bad")


def test_an_engine_that_is_given_up_says_nothing_of_the_recording(supervise: Supervise) -> None:
    with watched(supervise(printing(INTO.line()), engine="import sys; sys.exit('no such model')")) as (_, app):
        until(lambda: ("no such model", "bad") in app.said and app.recording.runs)


def test_whoever_asked_the_foreground_to_end_makes_the_dashboard_leave(supervise: Supervise) -> None:
    with watched(supervise(SLEEPER)) as (monitor, app):
        monitor._to_stop.set()
        until(lambda: app.left)


def test_a_dead_recorder_is_news_of_the_recording_and_a_dead_engine_is_not(supervise: Supervise) -> None:
    dying = f"import sys; print('broken', flush=True); sys.exit({EXIT_CRASHED})"
    supervisor = supervise(dying, engine=dying)
    reports: list[RecorderReport] = []

    def both() -> bool:
        supervisor.poll(time.monotonic())
        reports.extend(news(supervisor))
        return {report.state for report in reports if "died" in report.text} == {"note", "died"}

    until(both)
    assert RecorderReport(state="died", text="The recorder died (broken); it is started again") in reports
    assert RecorderReport(state="note", text="The engine died (broken); it is started again") in reports


def test_why_a_child_was_given_up_is_told_in_words(supervise: Supervise) -> None:
    supervisor = supervise(printing(FULL.line(), then="import sys; sys.exit(1)"), engine="import sys; sys.exit(1)")

    def failed() -> bool:
        supervisor.poll(time.monotonic())
        return not supervisor.running

    until(failed)
    engine, recorder = supervisor.children
    assert failure(engine) == "it said nothing"
    assert failure(recorder) == "NOT RECORDING: No space left on device"
    recorder.starts = 5
    assert failure(recorder) == "the recorder failed again and again: NOT RECORDING: No space left on device"
