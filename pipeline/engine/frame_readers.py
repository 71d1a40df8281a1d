"""The threads that read sources, one each, so that drawing and decoding overlap with the model. The only such place.

``QueuedReader`` keeps all frames and makes its source wait; ``LatestReader`` plays a source as if it were live and
keeps the newest frame only.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from fetalstream.streamer.capture.subprocess_source import CaptureStatus, SubprocessSource
from fetalstream.streamer.flow import Mailbox, paced
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.sources import Source

READ_AHEAD: Final = 16
"""Frames that may wait between a source and the engine: enough for two batches, little enough to be fresh."""

JOIN_SECONDS: Final = 2.0


@dataclass(frozen=True)
class FrameCounts:
    """Frames of one source, all counted at one moment: ``captured`` = taken by the engine + dropped + waiting.

    ``newest_ns`` is when the last of them came, None before the first.
    """

    captured: int
    dropped: int
    waiting: int
    newest_ns: int | None


class FrameReader(Protocol):
    """A source being read by its own thread. All but ``start`` may be called at any time, by the engine's thread."""

    @property
    def live(self) -> bool:
        """Whether frames come in their own time, so that a silence means something."""
        ...

    @property
    def error(self) -> Exception | None:
        """What ended the reading before its end."""
        ...

    @property
    def finished(self) -> bool:
        """No frame waits and none will come."""
        ...

    @property
    def link(self) -> CaptureStatus | None:
        """How the capture fares; None where the source is read in this process."""
        ...

    def resume(self) -> None:
        """Start a capture again that was given up; nothing where it was not."""
        ...

    def start(self, wake: Callable[[], object]) -> None:
        """Begin to read; ``wake`` is called, from the reading thread, whenever something has come."""
        ...

    def take(self) -> Frame | None:
        """The next frame, None where none waits."""
        ...

    @property
    def arrived_ns(self) -> int | None:
        """When the frame that was taken last came to this process, monotonic; None before the first."""
        ...

    def tally(self) -> FrameCounts: ...

    def close(self) -> None:
        """Stop reading; what still waits counts as dropped. May be called twice."""
        ...


class QueuedReader:
    """Keeps every frame, in order; the source waits while ``READ_AHEAD`` of them do."""

    live = False

    def __init__(self, source: Source, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._source = source
        self._clock_ns = clock_ns
        self._changed = threading.Condition()
        self._frames: deque[tuple[Frame, int]] = deque()
        self._captured = self._dropped = 0
        self._newest_ns: int | None = None
        self._ended = self._closed = False
        self._wake: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._read, name="capture", daemon=True)
        self.error: Exception | None = None
        self.arrived_ns: int | None = None

    @property
    def finished(self) -> bool:
        with self._changed:
            return self._ended and not self._frames

    @property
    def link(self) -> CaptureStatus | None:
        return _link(self._source)

    def resume(self) -> None:
        _resume(self._source)

    def start(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._thread.start()

    def take(self) -> Frame | None:
        with self._changed:
            if not self._frames:
                return None
            frame, self.arrived_ns = self._frames.popleft()
            self._changed.notify()
            return frame

    def tally(self) -> FrameCounts:
        with self._changed:
            return FrameCounts(self._captured, self._dropped, len(self._frames), self._newest_ns)

    def close(self) -> None:
        with self._changed:
            self._closed = self._ended = True
            self._dropped += len(self._frames)
            self._frames.clear()
            self._changed.notify()
        _let_go(self._source, self._thread)

    def _read(self) -> None:
        try:
            for frame in self._source:
                if not self._put(frame):
                    break
        except Exception as error:
            self.error = error
        finally:
            with self._changed:
                self._ended = True
            self._wake()

    def _put(self, frame: Frame) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: len(self._frames) < READ_AHEAD or self._closed)
            if self._closed:
                return False
            self._frames.append((frame, self._clock_ns()))
            self._captured += 1
            self._newest_ns = frame.captured_ns
        self._wake()
        return True


class LatestReader:
    """Plays a source by its time stamps; of the frames that come while the engine is busy the newest stays."""

    live = True

    def __init__(self, source: Source, clock_ns: Callable[[], int]) -> None:
        self._source = source
        self._clock_ns = clock_ns
        self._stop = threading.Event()
        self._mailbox = Mailbox()
        self._arrivals_ns: dict[int, int] = {}
        self._discarded = 0
        self._newest_ns: int | None = None
        self._thread = threading.Thread(target=self._read, name="capture", daemon=True)
        self.error: Exception | None = None
        self.arrived_ns: int | None = None

    @property
    def finished(self) -> bool:
        return self._mailbox.closed and not self._mailbox.held

    @property
    def link(self) -> CaptureStatus | None:
        return _link(self._source)

    def resume(self) -> None:
        _resume(self._source)

    def start(self, wake: Callable[[], object]) -> None:
        self._mailbox = Mailbox(on_change=wake)
        self._thread.start()

    def take(self) -> Frame | None:
        frame = self._mailbox.take()
        if frame is not None:
            self.arrived_ns = self._arrivals_ns.pop(frame.index, None)
        return frame

    def tally(self) -> FrameCounts:
        link = self.link
        dropped_before = 0 if link is None else link.dropped
        # Counts are read one by one; they belong together where no frame came in between.
        while True:
            captured = self._mailbox.captured
            dropped = self._mailbox.dropped + self._discarded + dropped_before
            found = FrameCounts(captured + dropped_before, dropped, self._mailbox.held, self._newest_ns)
            if self._mailbox.captured == captured:
                return found

    def close(self) -> None:
        self._stop.set()
        self._mailbox.close()
        self._discarded += self._mailbox.take() is not None
        _let_go(self._source, self._thread)

    def _read(self) -> None:
        frames = self._source if self._source.live else paced(self._source, self._clock_ns, self._stop.wait)
        try:
            for frame in frames:
                if self._stop.is_set():
                    break
                self._newest_ns = frame.captured_ns
                # Of the frame that waits and the one that takes its place, no others can still be taken.
                for index in list(self._arrivals_ns)[:-1]:
                    self._arrivals_ns.pop(index, None)
                self._arrivals_ns[frame.index] = self._clock_ns()
                self._mailbox.put(frame)
        except Exception as error:
            self.error = error
        finally:
            self._mailbox.close()


def _let_go(source: Source, thread: threading.Thread) -> None:
    # Closed first: a thread that waits for a frame which never comes waits no longer.
    source.close()
    if thread.ident is not None:
        thread.join(JOIN_SECONDS)


def _link(source: Source) -> CaptureStatus | None:
    return source.link if isinstance(source, SubprocessSource) else None


def _resume(source: Source) -> None:
    if isinstance(source, SubprocessSource):
        source.resume()
