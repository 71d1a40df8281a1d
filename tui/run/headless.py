"""The status line of a live analysis without a dashboard, rewritten on a terminal and repeated in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import IO, Final

from fetalstream.pipeline.wire import NOTICE, Event, Message
from fetalstream.tui.state.freshness import badge
from fetalstream.tui.state.session import Session, StreamView, reduce
from fetalstream.tui.state.text import UNCALIBRATED, event_words, fine_print, label_words, plain, weeks_days

ON_TERMINAL_S: Final = 0.5
IN_A_LOG_S: Final = 10.0
ANNOUNCED: Final = ("source_lost", "source_back", "source_failed", "source_warning")
"""Events that get a line of their own: somebody must do something about them, or has done it."""

_LONGEST: Final = 200
_CLEAR: Final = "\r\x1b[K"


class StatusLine:
    """A fold of messages that writes one line about all streams when it is due.

    Args:
        out: the stream to write to.
        terminal: whether ``out`` is a terminal, on which the line is written over.
    """

    def __init__(self, out: IO[str] = sys.stderr, *, terminal: bool) -> None:
        self.session = Session()
        self._out = out
        self._terminal = terminal
        self._due_ns = 0
        self._noticed = False

    def take(self, messages: Iterable[tuple[Message, bytes | None]], now_ns: int) -> None:
        """Fold messages, and write a line for those that are ``ANNOUNCED``."""
        for message, blob in messages:
            self.session = reduce(self.session, message, now_ns, blob)
            if isinstance(message, Event) and message.event in ANNOUNCED:
                self.say(f"{_name(message.stream)}: {event_words(message.event, message.detail, _LONGEST)}")

    def update(self, now_ns: int) -> None:
        """Write the line if it is due."""
        if now_ns < self._due_ns or not self.session.streams:
            return
        every_s = ON_TERMINAL_S if self._terminal else IN_A_LOG_S
        self._due_ns = now_ns + round(every_s * 1e9)
        if not self._noticed:
            self._noticed = True
            self.say(NOTICE)
        line = " | ".join(stream_words(view, now_ns) for view in self.session.streams.values())
        if self.session.calibrated is False:
            line += f" | {UNCALIBRATED}"
        self._out.write(f"{_CLEAR}{line}" if self._terminal else f"{line}\n")
        self._out.flush()

    def say(self, line: str) -> None:
        """Write a line of its own above the status line."""
        self._out.write(f"{_CLEAR if self._terminal else ''}{line}\n")
        self._out.flush()


def stream_words(view: StreamView, now_ns: int) -> str:
    """Return one stream in a few words: freshness, plane, age, rate, counts."""
    words = [f"{_name(view.stream)} {badge(view, now_ns).words}"]
    if view.reading is not None:
        plane = view.reading.plane
        words.append(label_words(plane or "other"))
        if plane is not None:
            words.append(f"{view.reading.planes[plane].smoothed:.2f}")
    if view.gestation is not None:
        words.append(weeks_days(view.gestation.days))
    if view.health is not None:
        counts = view.health.counts
        words.append(f"{view.health.fps_out:.0f} fps, {counts.dropped} dropped, {counts.failed} failed")
    return " · ".join(words)


def _name(stream: str) -> str:
    return plain(stream, 40)


def summary(session: Session) -> list[str]:
    """Return the results, a line for each stream, and a last line that says whether the model is calibrated."""
    lines = [_summary(view) for view in session.streams.values()]
    return [*lines, fine_print(session.calibrated)] if lines else []


def _summary(view: StreamView) -> str:
    parts = ["planes kept: " + (", ".join(label_words(plane) for plane in view.best) or "none")]
    if view.health is not None:
        counts = view.health.counts
        parts.insert(0, f"{counts.captured} frames, {counts.dropped} dropped, {counts.failed} failed")
    if view.gestation is not None:
        age = view.gestation
        parts.append(f"age {weeks_days(age.days)} ({weeks_days(age.low_days)} to {weeks_days(age.high_days)})")
    return f"{_name(view.stream)}: " + "; ".join(parts)
