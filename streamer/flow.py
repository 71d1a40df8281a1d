"""Flow of frames in time: at the pace of their time stamps, and through a mailbox to a reader in another thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from fetalstream.streamer.frame import Frame

_NS = 1_000_000_000


def paced(frames: Iterable[Frame], clock_ns: Callable[[], int], wait: Callable[[float], object]) -> Iterator[Frame]:
    """Pass on the frames of a recording as if they came live: each not before its time, stamped as captured then.

    A frame that is late is passed on at once; time is anchored anew when an epoch begins.

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


@dataclass(frozen=True)
class FrameCounts:
    """Frames of one mailbox, all counted at one moment: ``captured = taken + dropped + waiting``.

    Attributes:
        captured: frames put, ever.
        dropped: frames that newer ones pushed out, that were discarded, or that came after the end.
        waiting: frames that can be taken now.
        newest_ns: when the last of them was captured, monotonic; None before the first.
        taken: frames taken, ever.
    """

    captured: int = 0
    dropped: int = 0
    waiting: int = 0
    newest_ns: int | None = None
    taken: int = 0


class TakenFrame(NamedTuple):
    """A frame, and when it came to this process (the monotonic clock, nanoseconds)."""

    frame: Frame
    arrived_ns: int


class Mailbox:
    """Frames on their way from a source to a reader; safe between threads.

    It has either one slot for the newest frame, and a source that never waits; or room for several frames, which are
    all kept in order, and a source that waits for room.

    Args:
        on_change: called after every frame that was put and after ``close``, by the thread that did it and outside the
            lock; for a reader of many mailboxes, which waits on one event for all of them.
        room: frames that may wait before the source does; None for the newest frame alone.
    """

    def __init__(self, on_change: Callable[[], object] = lambda: None, *, room: int | None = None) -> None:
        self._changed = threading.Condition()
        self._on_change = on_change
        self._room = room
        self._frames: deque[TakenFrame] = deque()
        self._captured = self._dropped = self._taken = 0
        self._newest_ns: int | None = None
        self._closed = False

    def put(self, frame: Frame, arrived_ns: int = 0) -> bool:
        """Let a frame be taken; whether it can be. After ``close`` it is dropped.

        With one slot, a frame that still lies there is dropped; else this waits until there is room.
        """
        with self._changed:
            if self._room is not None:
                room = self._room
                self._changed.wait_for(lambda: len(self._frames) < room or self._closed)
            self._captured += 1
            if self._closed:
                self._dropped += 1
                return False
            if self._room is None:
                self._discard()
            self._frames.append(TakenFrame(frame, arrived_ns))
            self._newest_ns = frame.captured_ns
            self._changed.notify_all()
        self._on_change()
        return True

    def take(self, timeout_s: float = 0.0) -> TakenFrame | None:
        """Return the next frame, waited for at most ``timeout_s`` seconds.

        None if none came in time, or if the mailbox is closed and empty (see ``finished``).
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._closed, timeout_s)
            if not self._frames:
                return None
            self._taken += 1
            self._changed.notify_all()
            return self._frames.popleft()

    def close(self, *, discard: bool = False) -> None:
        """Let no more frames come, and wake whoever waits. Frames that wait can still be taken, unless discarded."""
        with self._changed:
            self._closed = True
            if discard:
                self._discard()
            self._changed.notify_all()
        self._on_change()

    @property
    def finished(self) -> bool:
        """True if no frame waits and none will come."""
        with self._changed:
            return self._closed and not self._frames

    def tally(self) -> FrameCounts:
        """Count all frames at one moment."""
        with self._changed:
            return FrameCounts(self._captured, self._dropped, len(self._frames), self._newest_ns, self._taken)

    def _discard(self) -> None:
        self._dropped += len(self._frames)
        self._frames.clear()
