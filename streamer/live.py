"""Video that comes in its own time, through PyAV: lost, it is opened again and again; a return begins a new epoch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Final, Literal, Self

from av.container import InputContainer
from av.error import BlockingIOError as NothingYet
from av.error import ExitError, FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.backoff import Backoff
from streamer.decoded import Straightener, pts_seconds
from streamer.errors import SourceError
from streamer.frame import Frame, Pixels
from streamer.interlace import CombMeter, Deinterlacer
from streamer.picture import MAX_PIXELS
from streamer.timeline import Timeline

SILENCE_SECONDS: Final = 2.5
"""Without a picture for so long, the connection is given up: it may never say so itself."""

FIRST_PICTURE_SECONDS: Final = 15.0
"""A decoder must wait for the next whole picture, and some cameras send one in ten seconds only."""

OPEN_SECONDS: Final = 10.0

_DEFAULT_PERIOD_SECONDS: Final = 1 / 30
_POLL_SECONDS: Final = 0.004
_RATE_AFTER_SECONDS: Final = 5.0
_RATE_TOLERATED: Final = 0.8
_NS: Final = 1_000_000_000

Connect = Callable[[Callable[[str], None]], InputContainer]
"""Opens a source; is given what takes warnings."""


class LiveVideo:
    """Frames as they come, for ever, until it is closed.

    Attributes:
        rate_hz: frames a second as the stream itself says, None before it is open or where it does not.
        identity: SHA-256 that stands for the source.
        warnings: one line each, added while it runs.
        reconnects: how often pictures came again after they had ceased.
        steps: grows with everything that is tried or read: one that stands still hangs.
        trouble: why no pictures come, one line without an address; None while they do.

    Args:
        kind: what it is.
        connect: opens it, and is given what takes warnings; what it raises is tried again, but for SourceError.
        identity: see above.
        spacing_mm: the operator's word on the first frame's size; frames of another size have no spacing.
        deinterlace: take the comb out of interlaced video.
        asked_rate_hz: what the source was asked for; another rate is warned of.
        clock_ns: the monotonic clock.
    """

    live = True
    frames_expected = None

    def __init__(
        self, kind: Literal["network", "camera"], connect: Connect, identity: str, *,
        spacing_mm: float | None = None, deinterlace: bool = False, asked_rate_hz: float | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self._kind: Literal["network", "camera"] = kind
        self._connect = connect
        self._spacing_mm = spacing_mm
        self._deinterlace = deinterlace
        self._asked_rate_hz = asked_rate_hz
        self._clock_ns = clock_ns
        self._closed = threading.Event()
        self._timeline = Timeline(_DEFAULT_PERIOD_SECONDS)
        self._first_size: tuple[int, int] | None = None
        self._began_ns: int | None = None
        self._index = 0
        self.rate_hz: float | None = asked_rate_hz
        self.identity = identity
        self.warnings: list[str] = []
        self.reconnects = 0
        self.steps = 0
        self.trouble: str | None = "not connected yet"

    @property
    def kind(self) -> Literal["network", "camera"]:
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
                with self._connect(self.warn) as container:
                    yield from self._frames(container)
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

    def _frames(self, container: InputContainer) -> Iterator[Frame]:
        """What one connection gives; ``trouble`` says why it ended."""
        stream = container.streams.best("video")
        if not isinstance(stream, VideoStream):
            self.trouble = "it sends no video"
            return
        # Threads by frame would hold pictures back.
        stream.thread_type = "SLICE"
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        self.rate_hz = float(stream.average_rate) if stream.average_rate else self.rate_hz
        straightener = Straightener(stream, self.warn)
        comb, rate = CombMeter(), _RateMeter(self._asked_rate_hz)
        returned = False
        for picture in self._pictures(container, stream):
            pixels = _pixels(straightener, picture)
            if pixels is None:
                continue
            now_ns = self._clock_ns()
            self._began_ns = now_ns if self._began_ns is None else self._began_ns
            if not returned:
                returned = True
                self._returned(now_ns)
            self._look(picture, pixels, comb)
            slow = rate.update(now_ns)
            if slow is not None:
                self.warn(slow)
            yield self._frame(pixels, pts_seconds(picture, stream), now_ns)

    def _pictures(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        deinterlacer = Deinterlacer(stream) if self._deinterlace else None
        patience_s, seen_ns = FIRST_PICTURE_SECONDS, self._clock_ns()
        # All that comes is read, because sound that goes on must not hide that the picture has ceased.
        for packet in self._packets(container):
            self.steps += 1
            if self._closed.is_set():
                return
            for picture in _decoded(packet) if packet is not None and packet.stream is stream else ():
                yield from (picture,) if deinterlacer is None else deinterlacer.update(picture)
                # Afterwards: the time that a reader takes over a picture is no silence.
                patience_s, seen_ns = SILENCE_SECONDS, self._clock_ns()
            if self._clock_ns() - seen_ns > patience_s * _NS:
                self.trouble = f"no picture came for {patience_s:g} seconds"
                return
        self.trouble = "the other side has ended the stream"

    def _packets(self, container: InputContainer) -> Iterator[Packet[Any] | None]:
        """All that comes; None now and then where a device says that nothing has come yet."""
        packets = container.demux()
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except NothingYet:
                self._closed.wait(_POLL_SECONDS)
                packets, packet = container.demux(), None
            yield packet

    def _returned(self, now_ns: int) -> None:
        if self._index > 0:
            self.reconnects += 1
            self._timeline.reconnect((now_ns - (self._began_ns or now_ns)) / _NS)

    def _look(self, picture: VideoFrame, pixels: Pixels, comb: CombMeter) -> None:
        if self._deinterlace:
            return
        if picture.interlaced_frame or comb.update(pixels):
            self.warn(
                "the picture is interlaced (moving edges are combed): set the scanner or the converter to progressive,"
                " or add deinterlace=on to the source"
            )

    def _frame(self, pixels: Pixels, pts: float | None, now_ns: int) -> Frame:
        size = pixels.shape[0], pixels.shape[1]
        self._first_size = self._first_size or size
        spacing_mm = self._spacing_mm if size == self._first_size else None
        if spacing_mm is None and self._spacing_mm is not None:
            self.warn("the frames change their size; the given spacing holds for the first size only")
        seconds, epoch = self._timeline.place(pts, size)
        self.trouble = None
        self._index += 1
        return Frame(
            pixels, self._index - 1, seconds, now_ns, epoch, spacing_mm, None if spacing_mm is None else "operator"
        )


class _RateMeter:
    """Says once, in words, that much fewer pictures come than were asked for."""

    def __init__(self, asked_hz: float | None) -> None:
        self._asked_hz = asked_hz
        self._since_ns: int | None = None
        self._count = 0

    def update(self, now_ns: int) -> str | None:
        """A picture has come; the line where it is due."""
        if self._since_ns is None:
            self._since_ns = now_ns
            return None
        self._count += 1
        seconds = (now_ns - self._since_ns) / _NS
        if self._asked_hz is None or seconds < _RATE_AFTER_SECONDS:
            return None
        asked_hz, self._asked_hz = self._asked_hz, None
        rate_hz = self._count / seconds
        if rate_hz >= _RATE_TOLERATED * asked_hz:
            return None
        return f"{rate_hz:.0f} frames a second come, {asked_hz:g} were asked for: try format=mjpeg or a smaller size"


def _pixels(straightener: Straightener, picture: VideoFrame) -> Pixels | None:
    try:
        return straightener.pixels(picture)
    except Exception:  # see Straightener.pixels
        return None


def _decoded(packet: Packet[Any]) -> list[VideoFrame]:
    """Pictures of a packet; none of a damaged one, and none that the decoder had to patch up."""
    try:
        return [found for found in packet.decode() if isinstance(found, VideoFrame) and not found.is_corrupt]
    except Exception:  # see LiveVideo.__iter__
        return []


def _words(error: Exception) -> str:
    """What went wrong, without the error's own text: it holds the address, and with it the password."""
    if isinstance(error, ExitError):
        return "no answer in time"
    if isinstance(error, (FFmpegError, OSError)) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__
