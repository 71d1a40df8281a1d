"""How frames move in time: at the pace of their time stamps, and past a reader that only wants the newest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from fetalstream.streamer.frame import Frame

_NS = 1_000_000_000


def paced(frames: Iterable[Frame], clock_ns: Callable[[], int], wait: Callable[[float], object]) -> Iterator[Frame]:
    """Frames of a recording as if they came live: each not before its time, stamped as captured then.

    A frame that is late is passed on at once; time is anchored anew where an epoch begins.

    Args:
        frames: in the order of their media time within an epoch.
        clock_ns: the monotonic clock, nanoseconds.
        wait: waits for the seconds it is given (``time.sleep``, or an event's ``wait`` so that it can be cut short).
    """
    epoch: int | None = None
    starts_ns = 0  # when, on the clock, media time 0 of this epoch would have been
    for frame in frames:
        media_ns = round(frame.pts_seconds * _NS)
        now_ns = clock_ns()
        if frame.epoch != epoch:
            epoch, starts_ns = frame.epoch, now_ns - media_ns
        early_ns = starts_ns + media_ns - now_ns
        if early_ns > 0:
            wait(early_ns / _NS)
            now_ns = clock_ns()
        yield replace(frame, captured_ns=now_ns)


class Mailbox:
    """One slot between a source that never waits and a reader that wants the newest frame; safe between threads.

    At every moment ``captured = taken + dropped + held``.

    Args:
        on_change: called after every ``put`` and after ``close``, by the thread that did it and outside the lock;
            for a reader of many mailboxes, which waits on one event for all of them.
    """

    def __init__(self, on_change: Callable[[], object] | None = None) -> None:
        self._changed = threading.Condition()
        self._on_change = on_change
        self._frame: Frame | None = None
        self._captured = 0
        self._taken = 0
        self._dropped = 0
        self._closed = False

    def put(self, frame: Frame) -> None:
        """Lays the frame in the slot; a frame that still lay there is dropped. After ``close`` frames are dropped."""
        with self._changed:
            self._captured += 1
            if self._closed:
                self._dropped += 1
                return
            if self._frame is not None:
                self._dropped += 1
            self._frame = frame
            self._changed.notify()
        self._tell()

    def take(self, timeout_s: float = 0.0) -> Frame | None:
        """The newest frame, waited for at most ``timeout_s`` seconds.

        None when none came in time, or when the mailbox is closed and empty (see ``closed``).
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._closed, timeout_s)
            frame, self._frame = self._frame, None
            if frame is not None:
                self._taken += 1
            return frame

    def close(self) -> None:
        """No more frames come: wakes whoever waits. A frame that lies in the slot can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._tell()

    def _tell(self) -> None:
        if self._on_change is not None:
            self._on_change()

    @property
    def closed(self) -> bool:
        """Whether no more frames come; one may still be held."""
        with self._changed:
            return self._closed

    @property
    def captured(self) -> int:
        """Frames put, ever."""
        with self._changed:
            return self._captured

    @property
    def taken(self) -> int:
        """Frames taken, ever."""
        with self._changed:
            return self._taken

    @property
    def dropped(self) -> int:
        """Frames that a newer one pushed out, or that came after ``close``."""
        with self._changed:
            return self._dropped

    @property
    def held(self) -> int:
        """1 where a frame lies in the slot, else 0."""
        with self._changed:
            return int(self._frame is not None)
