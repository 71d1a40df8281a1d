"""The dashboard on a real pseudo-terminal: however it ends, the terminal is as it was before."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fetalstream.pipeline.bus.endpoints import endpoints_in
from tests.scripted_engine import ScriptedEngine
from tests.waiting import until

ROOT = Path(__file__).parents[3]
WATCH = """
import sys
from fetalstream.tui import cli
from fetalstream.tui.state import freshness
from fetalstream.tui.widgets.single import Single
if sys.argv[2] == "impatient":
    freshness.GRAY_AFTER_S, freshness.BLANK_AFTER_S = 0.6, 0.8
if sys.argv[2] == "broken":
    def broken(*_, **__): raise RuntimeError("a widget broke")
    Single.draw = broken
code = cli.main(["watch", sys.argv[1]])
print("LOADED" if "torch" in sys.modules else "LIGHT")
sys.exit(code)
"""


class Terminal:
    def __init__(self, control: str, how: str) -> None:
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", WATCH, control, how], cwd=ROOT, env=environment, start_new_session=True,
            stdin=slave, stdout=slave, stderr=slave,
        )  # fmt: skip
        self.slave = slave
        self.said = b""
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        while not self.over.is_set():
            if select.select([self.master], [], [], 0.05)[0]:
                self.said += os.read(self.master, 65536)

    def ended(self) -> int:
        code = self.process.wait(60)
        until(lambda: b"LIGHT" in self.said)
        self.over.set()
        self.thread.join()
        after = termios.tcgetattr(self.slave)
        os.close(self.slave)
        os.close(self.master)
        assert after == self.before
        assert self.said.rindex(b"\x1b[?1049l") > self.said.rindex(b"\x1b[?1049h")
        assert self.said.rindex(b"\x1b[?25h") > self.said.rindex(b"\x1b[?25l")
        return code


WAYS: list[tuple[str, Callable[[Terminal], object], int]] = [
    ("q", lambda terminal: os.write(terminal.master, b"q"), 0),
    ("SIGTERM", lambda terminal: terminal.process.send_signal(signal.SIGTERM), 0),
    ("SIGINT", lambda terminal: terminal.process.send_signal(signal.SIGINT), 0),
    ("SIGHUP", lambda terminal: terminal.process.send_signal(signal.SIGHUP), 0),
    ("broken", lambda _: None, 1),
]


@pytest.mark.parametrize(("how", "end", "code"), WAYS, ids=[way[0] for way in WAYS])
def test_the_terminal_is_as_it_was_however_the_dashboard_ends(
    tmp_path: Path, how: str, end: Callable[[Terminal], object], code: int
) -> None:
    with ScriptedEngine(endpoints_in(tmp_path)) as engine:
        engine.play_in_thread(0.05)
        terminal = Terminal(engine.endpoints.control, how)
        if how != "broken":
            until(lambda: b"stream-1" in terminal.said)
        end(terminal)
        assert terminal.ended() == code


def test_the_dashboard_ends_if_its_terminal_is_gone_and_nobody_sends_a_signal(tmp_path: Path) -> None:
    with ScriptedEngine(endpoints_in(tmp_path)) as engine:
        engine.play_in_thread(0.05)
        terminal = Terminal(engine.endpoints.control, "gone")
        until(lambda: b"stream-1" in terminal.said)
        terminal.over.set()
        terminal.thread.join()
        os.close(terminal.slave)
        os.close(terminal.master)
        terminal.process.wait(20)


def test_a_publisher_that_vanishes_is_seen_and_the_dashboard_lives_on(tmp_path: Path) -> None:
    engine = ScriptedEngine(endpoints_in(tmp_path))
    engine.play_in_thread(0.05)
    terminal = Terminal(engine.endpoints.control, "impatient")
    # The stream's name alone comes with the state reply: without a reading there is no data that could be missed.
    until(lambda: b"LIVE" in terminal.said)
    engine.end()
    before = len(terminal.said)
    until(lambda: b"NO DATA" in terminal.said[before:])
    assert terminal.process.poll() is None
    os.write(terminal.master, b"q")
    assert terminal.ended() == 0
