"""Threads that read sources, one each, so that drawing and decoding overlap with the model. Only here.

``QueuedReader`` keeps all frames and makes its source wait; ``LatestReader`` plays a source as if it were live and
keeps the newest frame only.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, Protocol

from fetalstream.streamer.flow import FrameCounts, Mailbox, paced
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.sources import Source
from fetalstream.streamer.status import SourceStatus

READ_AHEAD: Final = 16
"""Frames that may wait between a source and the engine: enough for two batches, little enough to be fresh."""

JOIN_SECONDS: Final = 2.0


class FrameReader(Protocol):
    """A source being read by its own thread. All but ``start`` may be called at any time, by the engine's thread."""

    @property
    def live(self) -> bool:
        """True if frames come in their own time, so that a silence means something."""
        ...

    @property
    def error(self) -> Exception | None:
        """The error that ended the reading early; None if there was none."""
        ...

    @property
    def finished(self) -> bool:
        """True if no frame waits and none will come."""
        ...

    @property
    def status(self) -> SourceStatus:
        """The status of the source."""
        ...

    def resume(self) -> None:
        """Start a capture again that was given up; nothing if it was not."""
        ...

    def start(self, wake: Callable[[], object]) -> None:
        """Start the reading thread, which calls ``wake`` whenever something has come."""
        ...

    def take(self) -> Frame | None:
        """Return the next frame, None if none waits."""
        ...

    @property
    def arrived_ns(self) -> int | None:
        """Time at which the frame taken last came to this process, monotonic; None before the first."""
        ...

    def tally(self) -> FrameCounts:
        """Count the frames, those that a capture process dropped among them."""
        ...

    def close(self) -> None:
        """Stop the reading thread; frames that still wait count as dropped. May be called twice."""
        ...


class _ThreadedReader(ABC):
    """A `FrameReader` whose thread passes frames on through a mailbox; ``room`` is the mailbox's."""

    def __init__(self, source: Source, room: int | None, clock_ns: Callable[[], int]) -> None:
        self._source = source
        self._clock_ns = clock_ns
        self._mailbox = Mailbox(lambda: self._wake(), room=room)
        self._wake: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._read, name="capture", daemon=True)
        self.error: Exception | None = None
        self.arrived_ns: int | None = None

    @property
    def finished(self) -> bool:
        return self._mailbox.finished

    @property
    def status(self) -> SourceStatus:
        return self._source.status

    def resume(self) -> None:
        self._source.resume()

    def start(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._thread.start()

    def take(self) -> Frame | None:
        taken = self._mailbox.take()
        if taken is None:
            return None
        frame, self.arrived_ns = taken
        return frame

    def tally(self) -> FrameCounts:
        counts, before = self._mailbox.tally(), self.status.dropped
        return replace(counts, captured=counts.captured + before, dropped=counts.dropped + before)

    def close(self) -> None:
        self._mailbox.close(discard=True)
        # Closed before it is waited for: a thread that waits for a frame which never comes waits no longer.
        self._source.close()
        if self._thread.ident is not None:
            self._thread.join(JOIN_SECONDS)

    @abstractmethod
    def _frames(self) -> Iterable[Frame]:
        """The source's frames at the pace at which they are to be read."""

    def _read(self) -> None:
        try:
            for frame in self._frames():
                if not self._mailbox.put(frame, self._clock_ns()):
                    break
        except Exception as error:
            self.error = error
        finally:
            self._mailbox.close()


class QueuedReader(_ThreadedReader):
    """Keeps every frame, in order; the source waits while ``READ_AHEAD`` of them do."""

    live = False

    def __init__(self, source: Source, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        super().__init__(source, READ_AHEAD, clock_ns)

    def _frames(self) -> Iterable[Frame]:
        return self._source


class LatestReader(_ThreadedReader):
    """Plays a source by its time stamps; of the frames that come while the engine is busy the newest stays."""

    live = True

    def __init__(self, source: Source, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        super().__init__(source, None, clock_ns)
        self._stop = threading.Event()

    def close(self) -> None:
        self._stop.set()
        super().close()

    def _frames(self) -> Iterable[Frame]:
        return self._source if self._source.live else paced(self._source, self._clock_ns, self._stop.wait)
