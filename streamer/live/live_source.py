"""Live sources: a source that is lost is opened again and again, and its return begins a new epoch."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from av.error import ExitError, FFmpegError

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.given_scale import GivenScale
from fetalstream.streamer.in_process_source import InProcessSource
from fetalstream.streamer.live.backoff import Backoff
from fetalstream.streamer.readers.timeline import Timeline
from fetalstream.streamer.status import SourceStatus

SILENCE_SECONDS: Final = 2.5
"""A connection without a picture for so long is given up: it may never end by itself."""

FIRST_PICTURE_SECONDS: Final = 15.0
"""A decoder must wait for the next whole picture, and some cameras send one in ten seconds only."""

_DEFAULT_PERIOD_SECONDS: Final = 1 / 30
_NS: Final = 1_000_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Arrival:
    """A picture that has just come.

    Attributes:
        pixels: gray ``(H, W)`` or RGB ``(H, W, 3)``, square pixels, full range.
        pts_seconds: its time stamp on the source's own clock, None if it has none. If the first picture of a
            connection has none, all of that connection are timed by their arrival.
        spacing_mm: millimetres per pixel as the source says, None if it does not.
    """

    pixels: Pixels
    pts_seconds: float | None
    spacing_mm: float | None = None


class LiveSource(InProcessSource):
    """Gives frames as they come, for ever, until it is closed. An heir opens the connection, in `_arrivals`.

    Attributes:
        rate_hz: frames a second as the source says, None before it is open or if it does not.
        identity: SHA-256 that stands for the source.
        warnings: one line each, added while it runs.
        reconnects: how often pictures came again after they had ceased.
        steps: grows with everything that is tried or read: one that stands still hangs.
        trouble: why no pictures come, one line without an address; None while they do.

    Args:
        kind: what it is.
        identity: see above.
        spacing_mm: the operator's word on the first frame's size, which goes before the source's own; frames of
            another size have the source's own or none.
        rate_hz: see above.
        clock_ns: the monotonic clock.
    """

    live = True
    frames_expected = None

    def __init__(
        self, kind: str, identity: str, *, spacing_mm: float | None = None, rate_hz: float | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kind = kind
        self._spacing_mm = spacing_mm
        self._scale = GivenScale(spacing_mm, self.warn)
        self._clock_ns = clock_ns
        self._timeline = Timeline(_DEFAULT_PERIOD_SECONDS)
        self._began_ns: int | None = None
        self._index = 0
        self._timed_by_arrival = False
        self.rate_hz = rate_hz
        self.identity = identity
        self.reconnects = 0
        self.steps = 0
        self.trouble: str | None = "not connected yet"

    @property
    def status(self) -> SourceStatus:
        """The state of the connection, at the moment of asking."""
        return SourceStatus(trouble=self.trouble, steps=self.steps, reconnects=self.reconnects)

    def __iter__(self) -> Iterator[Frame]:
        backoff = Backoff()
        while not self._closed.is_set():
            tried_ns, before = self._clock_ns(), self._index
            self.steps += 1
            try:
                with closing(self._arrivals()) as arrivals:
                    for arrival in arrivals:
                        yield self._frame(arrival, returned=self._index == before)
            except SourceError:
                raise
            except Exception as error:  # UnicodeError, IndexError and plain OSError come out beside PyAV's own
                self.trouble = _words(error)
            if self._index > before:
                backoff.succeeded()
            self._closed.wait(backoff.wait_s((self._clock_ns() - tried_ns) / _NS))

    @abstractmethod
    def _arrivals(self) -> Generator[Arrival]:
        """Open the source once and give what comes; set ``trouble`` when it ends.

        After any error but SourceError the source is opened again.
        """

    def _frame(self, arrival: Arrival, *, returned: bool) -> Frame:
        now_ns = self._clock_ns()
        self._began_ns = now_ns if self._began_ns is None else self._began_ns
        if returned and self._index > 0:
            self.reconnects += 1
            self._timeline.reconnect((now_ns - self._began_ns) / _NS)
        if returned:
            self._timed_by_arrival = arrival.pts_seconds is None
        stamp = (now_ns - self._began_ns) / _NS if self._timed_by_arrival else arrival.pts_seconds
        pixels = arrival.pixels
        size = pixels.shape[0], pixels.shape[1]
        own_mm = arrival.spacing_mm
        spacing = self._scale.of(size, (None, None) if own_mm is None else (own_mm, "igtl"))
        # Another spacing of the source's own is another depth, which is another layout.
        seconds, epoch = self._timeline.place(stamp, (*size, arrival.spacing_mm))
        self.trouble = None
        self._index += 1
        return Frame(pixels, self._index - 1, seconds, now_ns, epoch, *spacing)


def _words(error: Exception) -> str:
    """Describe an error without its own text, which holds the address, and with it the password."""
    if isinstance(error, ExitError):
        return "no answer in time"
    if isinstance(error, (FFmpegError, OSError)) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__
