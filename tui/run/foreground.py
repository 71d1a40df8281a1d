"""The dashboard in the foreground of a run, which polls the child processes and shows what becomes of them."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fetalstream.tui.errors import UserError
from fetalstream.tui.feed.protocol import Feed as Showable
from fetalstream.tui.pictures.kitty_query import PictureMode, ask
from fetalstream.tui.run.supervise import Child, Supervisor
from fetalstream.tui.state.recording_status import RecorderReport, RecordingStatus, read_report

if TYPE_CHECKING:
    from fetalstream.tui.dashboard.app import FetalstreamApp
    from fetalstream.tui.state.scan_protocol import Protocol

POLL_S: Final = 0.1
SAY_AGAIN_S: Final = 4.0


class RunFailed(UserError):
    """A live run failed; ``str()`` is one line that says why, ``log`` the log of the process that failed."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class ChildMonitor:
    """A poller of the child processes that reports to the dashboard while it is drawn.

    Args:
        supervisor: the children.
        to_stop: set by a signal that asks the foreground to end.

    Attributes:
        over: set from outside when the dashboard has been left.
        recorded: folders of the sessions that were written, the oldest first.
    """

    def __init__(self, supervisor: Supervisor, to_stop: threading.Event) -> None:
        self._supervisor = supervisor
        self._to_stop = to_stop
        self.over = threading.Event()
        self.recorded: list[Path] = []

    def look_after(self, app: FetalstreamApp) -> None:
        """Poll the children and report to the app until ``over`` is set."""
        repeat_at_s = 0.0
        while not self.over.wait(POLL_S):
            now_s = time.monotonic()
            self._supervisor.poll(now_s)
            if self._to_stop.is_set():
                app.leave()  # asked before the app was there to hear it
            for report in news(self._supervisor):
                self._show(app, report)
            failed = self._supervisor.failed
            if failed is not None and failed in self._supervisor.children[1:]:
                app.recording = RecordingStatus(app.recording.folder, failure(failed))
            if failed is not None and now_s >= repeat_at_s:
                # Said again and again: it stays on the screen until somebody has seen it and quits.
                repeat_at_s = now_s + SAY_AGAIN_S
                app.say(failure(failed), "bad")

    def _show(self, app: FetalstreamApp, report: RecorderReport) -> None:
        app.recording = app.recording.after(report)
        folder = app.recording.folder
        if folder is not None and folder not in self.recorded:
            self.recorded.append(folder)
        app.say(report.words, "quiet" if report.state == "recording" else "bad")


def dashboard(
    supervisor: Supervisor, control: str, to_stop: threading.Event, protocol: Protocol | None,
    pictures: PictureMode = "auto",
) -> None:  # fmt: skip
    """Show the dashboard over the engine of this run until it is left, then print where the recording is."""
    from fetalstream.tui.feed.engine_feed import EngineFeed

    monitor = ChildMonitor(supervisor, to_stop)
    show(EngineFeed(control), protocol, pictures=pictures, monitor=monitor)
    print("stopping …", file=sys.stderr)
    for folder in monitor.recorded:
        print(f"Recorded. To look at it again: fetalstream replay {shlex.quote(str(folder))}", file=sys.stderr)


def news(supervisor: Supervisor) -> list[RecorderReport]:
    """Return what happened since the last call: deaths of children, and the recorder's reports."""
    engine, *recorders = supervisor.children
    reports = [RecorderReport(state="note", text=line) for line in engine.deaths()]
    for recorder in recorders:
        reports += [RecorderReport(state="died", text=line) for line in recorder.deaths()]
        reports += [read_report(line) for line in recorder.news() if line]
    return reports


def show(
    feed: Showable, protocol: Protocol | None, *, read_only: bool = False, pictures: PictureMode = "auto",
    monitor: ChildMonitor | None = None,
) -> None:  # fmt: skip
    """Show the dashboard until it is left; ``monitor`` polls the children meanwhile, in a thread of its own.

    Args:
        feed: where the messages come from.
        protocol: the views to collect, None for the model's planes.
        read_only: nothing can be changed from it.
        pictures: in half blocks, in pixels (``kitty``), or as the terminal answers.
        monitor: of the children, None if there are none.

    Raises:
        RunFailed: it broke down.
    """
    from fetalstream.tui.dashboard.app import FetalstreamApp

    # As late as can be: what is answered after it was waited for would be seen until the app takes the terminal.
    answer = ask(pictures)
    if answer.pending:
        from fetalstream.tui.dashboard.app_terminal import ignore_late_replies

        ignore_late_replies()
    app = FetalstreamApp(feed, read_only=read_only, protocol=protocol, in_pixels=answer.draws)
    # The app ends well on SIGTERM; a closed terminal is the same to it.
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    thread = (
        threading.Thread(target=monitor.look_after, args=(app,), name="supervisor", daemon=True) if monitor else None
    )
    if thread is not None:
        thread.start()
    try:
        app.run()
    finally:
        if monitor is not None and thread is not None:
            monitor.over.set()
            thread.join()
    if app.return_code:
        raise RunFailed("the dashboard broke down; the lines above say where")


def failure(child: Child) -> str:
    """Return why a child was given up, in one line."""
    words = read_report(child.last_words()).words or "it said nothing"
    return words if child.starts == 1 else f"the {child.command.name} failed again and again: {words}"
