"""Child processes that are started again when they die, and stopped together. Passive: ``poll`` takes the time.

A child gets a session of its own, so that a key in the terminal or its end reaches the foreground only, and a pipe on
standard input that stays open as long as the foreground lives: whoever reads its end knows that nobody starts it again.
Its output goes into a file, so that a dashboard is not written over and an orphan does not write into a dead pipe.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

from fetalstream.streamer.capture.restart_limit import RestartLimit

RESTART_AFTER_S: Final = 0.5
"""Long enough that a child that cannot start does not spin, short enough to be back within two seconds."""

STOP_WITHIN_S: Final = 4.5
FOLLOW_WITHIN_S: Final = 0.5
"""How long the other children may go on after the first has ended, before they are asked too."""

EXIT_CRASHED: Final = 3
"""A child that ends with 1 or 2 says that starting it again would not help."""

EXIT_DEVICE: Final = 4
"""The accelerator failed in a way that only a new process recovers from: one is started, as after a crash."""

ChildState = Literal["running", "waiting", "ended", "failed"]


@dataclass(frozen=True)
class ChildCommand:
    """The command line of a child.

    Attributes:
        name: of the child, in messages and for its log.
        argv: the program and its arguments.
        first_line: written to its standard input, which then stays open.
        pass_fds: file descriptors that it inherits.
    """

    name: str
    argv: Sequence[str]
    first_line: bytes = b""
    pass_fds: tuple[int, ...] = ()


class Child:
    """One child process and its restarts.

    Attributes:
        state: "waiting" between a death and the next start; "ended" after a clean end; "failed" when given up.
        starts: how often it was started.
    """

    def __init__(self, command: ChildCommand, log: Path) -> None:
        self.command = command
        self.log = log
        self.state: ChildState = "waiting"
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._limit = RestartLimit()
        self._restart_at_s = 0.0
        self._read_to = 0  # bytes of the log
        self._unreported: list[str] = []
        self._last_words = ""
        self._deaths: list[str] = []

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.state == "running" else None

    @property
    def over(self) -> bool:
        """True once the child does not run and will not be started again."""
        return self.state in ("ended", "failed")

    def poll(self, now_s: float) -> None:
        """Start the child if it is due, and notice its death."""
        if self.state == "waiting" and now_s >= self._restart_at_s:
            self._start()
        elif self.state == "running" and self._process is not None:
            code = self._process.poll()
            if code is not None:
                self._died(code, now_s)

    def lines(self) -> list[str]:
        """Return the whole log, complete lines only."""
        with contextlib.suppress(OSError):
            return self.log.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        return []

    def last_words(self) -> str:
        """Return the last line of the log that is not blank, "" if there is none."""
        self._read()
        return self._last_words

    def news(self) -> list[str]:
        """Return the complete lines of the log since the last call."""
        self._read()
        lines, self._unreported = self._unreported, []
        return lines

    def deaths(self) -> list[str]:
        """Return a line on each death since the last call after which the child is started again."""
        deaths, self._deaths = self._deaths, []
        return deaths

    def send(self, what: signal.Signals) -> None:
        """Send a signal to the child, if it runs."""
        if self._process is not None and self.state == "running":
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(what)

    def give_up(self) -> None:
        """Do not start the child again."""
        if self.state == "waiting":
            self.state = "ended"
            self._deaths.clear()

    def close(self) -> None:
        """Close the pipe to the child."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def _read(self) -> None:
        """Read what was appended to the log since the last time; a line that is not complete yet is left for later."""
        with contextlib.suppress(OSError), self.log.open("rb") as log:
            log.seek(self._read_to)
            appended = log.read()
            complete = appended[: appended.rfind(b"\n") + 1]
            self._read_to += len(complete)
            lines = complete.decode(errors="replace").split("\n")[:-1]
            self._unreported += lines
            self._last_words = next((line for line in reversed(lines) if line.strip()), self._last_words)

    def _start(self) -> None:
        self.close()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command.argv,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.command.pass_fds,
            )
        self.starts += 1
        self.state = "running"
        _write(self._process.stdin, self.command.first_line)

    def _died(self, code: int, now_s: float) -> None:
        if code == 0:
            self.state = "ended"
            return
        if code > 0 and code not in (EXIT_CRASHED, EXIT_DEVICE):
            self.state = "failed"
            return
        self.state = "waiting" if self._limit.count(now_s) else "failed"
        self._restart_at_s = now_s + RESTART_AFTER_S
        if self.state == "waiting":
            how = f"signal {-code}" if code < 0 else self.last_words() or f"code {code}"
            self._deaths.append(f"The {self.command.name} died ({how}); it is started again")


class Supervisor:
    """The children of one foreground process.

    Args:
        commands: in the order of starting; stopping begins with the first too, and gives the others time to follow.
        folder: the folder of their logs.
    """

    def __init__(self, commands: Sequence[ChildCommand], folder: Path) -> None:
        self.children = [Child(command, folder / f"{command.name}.log") for command in commands]

    def child(self, name: str) -> Child:
        """Return the child of that name."""
        return next(child for child in self.children if child.command.name == name)

    def poll(self, now_s: float) -> None:
        """Poll every child, which is due a few times a second."""
        for child in self.children:
            child.poll(now_s)

    @property
    def running(self) -> bool:
        """True while any child runs or will be started again."""
        return not all(child.over for child in self.children)

    @property
    def failed(self) -> Child | None:
        """The first child that was given up, None if there is none."""
        return next((child for child in self.children if child.state == "failed"), None)

    def stop(
        self, within_s: float = STOP_WITHIN_S, *, clock_s: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:  # fmt: skip
        """End all children: the first is asked, the others then have a moment to finish by themselves.

        Args:
            within_s: seconds until whoever still runs is killed.
            clock_s: the monotonic clock.
            wait: sleeps for so many seconds.
        """
        kill_at_s = clock_s() + within_s
        follow_at_s = clock_s() + 2 / 3 * within_s
        first = self.children[:1]
        self._signal(first, signal.SIGTERM)
        others_asked = False
        self._give_up()
        while self.running:
            now_s = clock_s()
            if all(child.over for child in first):
                follow_at_s = min(follow_at_s, now_s + FOLLOW_WITHIN_S)
            if now_s >= kill_at_s:
                self._signal(self.children, signal.SIGKILL)
            elif now_s >= follow_at_s and not others_asked:
                self._signal(self.children[1:], signal.SIGTERM)
                others_asked = True
            wait(0.02)
            self.poll(clock_s())
            self._give_up()
        for child in self.children:
            child.close()

    def _give_up(self) -> None:
        for child in self.children:
            child.give_up()

    @staticmethod
    def _signal(children: Sequence[Child], what: signal.Signals) -> None:
        for child in children:
            child.send(what)


def _write(pipe: IO[bytes] | None, line: bytes) -> None:
    if pipe is not None and line:
        # A child that died at once is seen by the next poll.
        with contextlib.suppress(OSError):
            pipe.write(line + b"\n")
            pipe.flush()


def foreground_gone(wait_fd: int) -> None:
    """Return when the other end of the pipe is closed: the foreground has died."""
    with contextlib.suppress(OSError):
        while os.read(wait_fd, 4096):
            pass
