"""``fetalstream run`` as a person has it before them: a dashboard on a real pseudo-terminal, an engine, a recorder.

However it ends, the terminal is as it was and the recording is whole; a full disk stops the recording and nothing else.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.tui.live_run import BREAKABLE, ROOT, UP_WITHIN_S, environment, few_sentences, rows
from tests.tui.record.test_recorder_faults import Disk
from tests.waiting import until

RUN = (
    BREAKABLE
    + """
sys.exit(cli.main(sys.argv[2:]))
"""
)


class TerminalRun:
    """A run whose three outputs are a pseudo-terminal of 30 x 100 cells; a widget breaks once ``break_now`` exists."""

    def __init__(self, sessions: Path | None = None) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="fs"))
        (self.home / "run").mkdir(mode=0o700)
        self.sessions, self.break_now = sessions or self.home / "sessions", self.home / "break"
        prompts = few_sentences(self.home / "prompts")
        command = [sys.executable, "-c", RUN, str(self.break_now), "run", "phantom:3", "--weights", "random"]
        command += ["--prompts", str(prompts), "--record", str(self.sessions)]
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**environment(self.home), "TERM": "xterm-256color"}, start_new_session=True,
            stdin=self.slave, stdout=self.slave, stderr=self.slave,
        )  # fmt: skip
        self.said, self.over = b"", threading.Event()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        self.family: list[psutil.Process] = []

    def _read(self) -> None:
        while not self.over.is_set():
            if select.select([self.master], [], [], 0.05)[0]:
                self.said += os.read(self.master, 65536)

    def shows(self, words: bytes) -> None:
        """Until the words have been drawn since this was called."""
        from_here = len(self.said)
        until(lambda: words in self.said[from_here:], UP_WITHIN_S)

    def recorded(self) -> int:
        """Readings on disk; none where the recorder has not written its tables yet."""
        for folder in self.sessions.glob("*"):
            for (count,) in rows(folder, "SELECT count(*) FROM messages WHERE kind = 'reading'"):
                return count
        return 0

    def up(self) -> None:
        """Until there is a dashboard, and something on disk."""
        until(lambda: b"LIVE" in self.said, UP_WITHIN_S)
        until(lambda: self.recorded() > 10, UP_WITHIN_S)
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def ended(self) -> int:
        """Its exit code, once it and all its children are gone and the terminal is as it was."""
        code = self.process.wait(UP_WITHIN_S)
        until(lambda: not any(each.is_running() and each.status() != "zombie" for each in self.family))
        until(lambda: b"\x1b[?1049l" in self.said)
        assert termios.tcgetattr(self.slave) == self.before
        assert self.said.rindex(b"\x1b[?1049l") > self.said.rindex(b"\x1b[?1049h")
        assert self.said.rindex(b"\x1b[?25h") > self.said.rindex(b"\x1b[?25l")
        return code

    def close(self) -> None:
        for each in self.family:
            if each.is_running():
                each.kill()
        self.process.kill()
        self.process.wait()
        self.over.set()
        self.thread.join()
        os.close(self.slave)
        os.close(self.master)
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.fixture
def run() -> Iterator[TerminalRun]:
    made = TerminalRun()
    yield made
    made.close()


def assert_whole(sessions: Path) -> None:
    (session,) = sessions.iterdir()
    assert not list(session.rglob("*.part"))
    with closing(sqlite3.connect(session / "session.db")) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        seqs = [row[0] for row in base.execute("SELECT seq FROM messages WHERE kind = 'reading' ORDER BY seq")]
        assert seqs == list(range(len(seqs)))
        assert base.execute("SELECT count(*) FROM messages WHERE kind = 'goodbye'").fetchone() == (1,)
        assert base.execute("SELECT count(*) FROM keyframes WHERE picture = 'wanted'").fetchone() == (0,)


def ends(name: str, end: Callable[[TerminalRun], object], code: int, *marks: pytest.MarkDecorator) -> Any:
    return pytest.param(end, code, id=name, marks=marks)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("end", "code"),
    [
        ends("SIGINT", lambda run: run.process.send_signal(signal.SIGINT), 0),
        ends("SIGTERM", lambda run: run.process.send_signal(signal.SIGTERM), 0, pytest.mark.check),
        ends("broken", lambda run: run.break_now.touch(), 1, pytest.mark.check),
    ],
)
def test_however_a_run_ends_the_terminal_is_as_it_was_and_the_recording_whole(
    run: TerminalRun, end: Callable[[TerminalRun], object], code: int
) -> None:
    run.up()
    end(run)
    assert run.ended() == code, run.said[-2000:]
    assert_whole(run.sessions)


@pytest.mark.timeout(300)
def test_a_full_disk_is_loud_and_the_live_view_goes_on(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk", "size=6g")
    run = TerminalRun(disk.folder / "sessions")
    try:
        run.up()
        until(lambda: b"REC" in run.said)
        disk.remount("size=64m")
        run.shows(b"NOT RECORDING")
        run.shows("▀".encode())  # the picture goes on being drawn
        disk.remount("size=6g")
        before = run.recorded()
        until(lambda: run.recorded() > before + 10, UP_WITHIN_S)
        run.process.send_signal(signal.SIGTERM)
        assert run.ended() == 0, run.said[-2000:]
        assert_whole(run.sessions)
    finally:
        run.close()
        disk.gone()
