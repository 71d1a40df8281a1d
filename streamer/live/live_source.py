"""A source that comes in its own time: lost, it is opened again and again; a return begins a new epoch."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal, Self

from av.error import ExitError, FFmpegError

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame, Pixels, SpacingFrom
from fetalstream.streamer.live.backoff import Backoff
from fetalstream.streamer.readers.timeline import Timeline

SILENCE_SECONDS: Final = 2.5
"""Without a picture for so long, the connection is given up: it may never say so itself."""

FIRST_PICTURE_SECONDS: Final = 15.0
"""A decoder must wait for the next whole picture, and some cameras send one in ten seconds only."""

_DEFAULT_PERIOD_SECONDS: Final = 1 / 30
_NS: Final = 1_000_000_000

LiveKind = Literal["network", "camera", "igtl"]


@dataclass(frozen=True, eq=False, slots=True)
class Arrival:
    """A picture that has just come.

    Attributes:
        pixels: gray ``(H, W)`` or RGB ``(H, W, 3)``, square pixels, full range.
        pts_seconds: its time stamp on the source's own clock, None where it has none.
        spacing_mm: millimetres per pixel as the source says, None where it does not.
    """

    pixels: Pixels
    pts_seconds: float | None
    spacing_mm: float | None = None


class LiveSource(ABC):
    """Frames as they come, for ever, until it is closed. What a connection is, and gives, is its heirs' to say.

    Attributes:
        rate_hz: frames a second as the source says, None before it is open or where it does not.
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
        self, kind: LiveKind, identity: str, *, spacing_mm: float | None = None, rate_hz: float | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self._kind: LiveKind = kind
        self._spacing_mm = spacing_mm
        self._clock_ns = clock_ns
        self._closed = threading.Event()
        self._timeline = Timeline(_DEFAULT_PERIOD_SECONDS)
        self._first_size: tuple[int, int] | None = None
        self._began_ns: int | None = None
        self._index = 0
        self.rate_hz = rate_hz
        self.identity = identity
        self.warnings: list[str] = []
        self.reconnects = 0
        self.steps = 0
        self.trouble: str | None = "not connected yet"

    @property
    def kind(self) -> LiveKind:
        return self._kind

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the iteration that is under way, in whatever thread, within the time that one read may take."""
        self._closed.set()

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

    def warn(self, text: str) -> None:
        """One more warning, unless it is there already."""
        if text not in self.warnings:
            self.warnings.append(text)

    @abstractmethod
    def _arrivals(self) -> Generator[Arrival]:
        """Opens the source once and gives what comes; ``trouble`` says why it ended.

        What it raises is tried again, but for SourceError.
        """

    def _frame(self, arrival: Arrival, *, returned: bool) -> Frame:
        now_ns = self._clock_ns()
        self._began_ns = now_ns if self._began_ns is None else self._began_ns
        if returned and self._index > 0:
            self.reconnects += 1
            self._timeline.reconnect((now_ns - self._began_ns) / _NS)
        pixels = arrival.pixels
        size = pixels.shape[0], pixels.shape[1]
        spacing_mm, spacing_from = self._spacing(size, arrival.spacing_mm)
        # Another spacing of the source's own is another depth, which is another layout.
        seconds, epoch = self._timeline.place(arrival.pts_seconds, (*size, arrival.spacing_mm))
        self.trouble = None
        self._index += 1
        return Frame(pixels, self._index - 1, seconds, now_ns, epoch, spacing_mm, spacing_from)

    def _spacing(self, size: tuple[int, int], own_mm: float | None) -> tuple[float | None, SpacingFrom | None]:
        self._first_size = self._first_size or size
        if self._spacing_mm is not None:
            if size == self._first_size:
                return self._spacing_mm, "operator"
            self.warn("the frames change their size; the given spacing holds for the first size only")
        return (None, None) if own_mm is None else (own_mm, "igtl")


def _words(error: Exception) -> str:
    """What went wrong, without the error's own text: it holds the address, and with it the password."""
    if isinstance(error, ExitError):
        return "no answer in time"
    if isinstance(error, (FFmpegError, OSError)) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__
