"""Progress of long work on standard error: one line written over on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import IO, Final

ON_TERMINAL_S: Final = 0.2
IN_A_LOG_S: Final = 10.0
_CLEAR: Final = "\r\x1b[K"


def say(line: str) -> None:
    """Print one line for a person on standard error, at once."""
    print(line, file=sys.stderr, flush=True)


class Progress:
    """A counter of steps that reports itself.

    Args:
        name: of the work, first in each line.
        total: steps in all, None if unknown.
        out: the stream to write to; None for standard error.
        clock_s: monotonic, seconds.
    """

    def __init__(
        self, name: str, total: int | None, out: IO[str] | None = None, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._total = total
        self._out = sys.stderr if out is None else out
        self._terminal = self._out.isatty()
        self._clock_s = clock_s
        self._begun_s = clock_s()
        self._written_s = self._begun_s
        self._steps = 0

    def step(self) -> None:
        """Count one step, and write the line if it is due."""
        self._steps += 1
        now_s = self._clock_s()
        if now_s - self._written_s < (ON_TERMINAL_S if self._terminal else IN_A_LOG_S):
            return
        self._written_s = now_s
        of = "" if self._total is None else f" of {self._total}"
        line = f"{self._name}: {self._steps}{of} frames, {self._steps / (now_s - self._begun_s):.0f} a second"
        self._out.write(f"{_CLEAR}{line}" if self._terminal else f"{line}\n")
        self._out.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the line on a terminal."""
        if self._terminal:
            self._out.write(_CLEAR)
            self._out.flush()
