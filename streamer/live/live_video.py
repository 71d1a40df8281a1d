"""Live video through PyAV; how it is lost and found again: `streamer.live.live_source`."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from typing import Any, Final, Literal

from av.container import InputContainer
from av.error import BlockingIOError as NothingYet
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.live.live_source import FIRST_PICTURE_SECONDS, SILENCE_SECONDS, Arrival, LiveSource
from fetalstream.streamer.readers.checked_decoder import CheckedDecoder
from fetalstream.streamer.readers.decoded import PixelNormalizer, pts_seconds
from fetalstream.streamer.readers.interlace import CombMeter, Deinterlacer
from fetalstream.streamer.readers.picture import MAX_PIXELS

OPEN_SECONDS: Final = 10.0

_NO_TIME_STAMPS: Final = 0x80  # AVFMT_NOTIMESTAMPS of libavformat/avformat.h
_POLL_SECONDS: Final = 0.004
_RATE_AFTER_SECONDS: Final = 5.0
_RATE_TOLERATED: Final = 0.8
_NS: Final = 1_000_000_000

Connect = Callable[[Callable[[str], None]], InputContainer]
"""Opens a source; its argument takes warnings."""


class LiveVideo(LiveSource):
    """Decodes video as it comes.

    Args:
        kind: what it is.
        connect: opens it; its argument takes warnings. After any error but SourceError it is called again.
        identity: see `LiveSource`, as for what is not named here.
        spacing_mm: likewise.
        deinterlace: take the comb out of interlaced video.
        asked_rate_hz: what the source was asked for; another rate is warned of.
        clock_ns: the monotonic clock.
    """

    def __init__(
        self, kind: Literal["network", "camera"], connect: Connect, identity: str, *,
        spacing_mm: float | None = None, deinterlace: bool = False, asked_rate_hz: float | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        super().__init__(kind, identity, spacing_mm=spacing_mm, rate_hz=asked_rate_hz, clock_ns=clock_ns)
        self._connect = connect
        self._deinterlace = deinterlace
        self._asked_rate_hz = asked_rate_hz

    def _arrivals(self) -> Generator[Arrival]:
        with self._connect(self.warn) as container:
            yield from self._received(container)

    def _received(self, container: InputContainer) -> Iterator[Arrival]:
        stream = container.streams.best("video")
        if not isinstance(stream, VideoStream):
            self.trouble = "it sends no video"
            return
        # Threads by frame would hold pictures back.
        stream.thread_type = "SLICE"
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        # libav counts such pictures through at 25 a second, however many come.
        untimed = bool(container.format.flags & _NO_TIME_STAMPS) or container.format.name == "jpeg_pipe"
        if stream.average_rate and not untimed:
            self.rate_hz = float(stream.average_rate)
        normalizer = PixelNormalizer(stream, self.warn)
        comb, rate = CombMeter(), _RateMeter(self._asked_rate_hz)
        decoder = CheckedDecoder(stream)
        for picture in self._pictures(container, stream, decoder):
            pixels = _pixels(normalizer, picture, decoder.aspect(picture))
            if pixels is None:
                continue
            self._look(picture, pixels, comb)
            slow = rate.update(self._clock_ns())
            if slow is not None:
                self.warn(slow)
            yield Arrival(pixels, None if untimed else pts_seconds(picture, stream))

    def _pictures(
        self, container: InputContainer, stream: VideoStream, decoder: CheckedDecoder
    ) -> Iterator[VideoFrame]:
        deinterlacer = Deinterlacer(stream) if self._deinterlace else None
        patience_s, seen_ns = FIRST_PICTURE_SECONDS, self._clock_ns()
        # All that comes is read, because sound that goes on must not hide that the picture has ceased.
        for packet in self._packets(container):
            self.steps += 1
            if self._closed.is_set():
                return
            # Beforehand: what a connection that has fallen silent still held back is old, and would count as a return.
            if self._clock_ns() - seen_ns > patience_s * _NS:
                self.trouble = f"no picture came for {patience_s:g} seconds"
                return
            for picture in _decoded(decoder, packet) if packet is not None and packet.stream is stream else ():
                yield from (picture,) if deinterlacer is None else deinterlacer.update(picture)
                # Afterwards: the time that a reader takes over a picture is no silence.
                patience_s, seen_ns = SILENCE_SECONDS, self._clock_ns()
        self.trouble = "the other side has ended the stream"

    def _packets(self, container: InputContainer) -> Iterator[Packet[Any] | None]:
        """All packets as they come; None now and then while a device has nothing."""
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

    def _look(self, picture: VideoFrame, pixels: Pixels, comb: CombMeter) -> None:
        if self._deinterlace:
            return
        if picture.interlaced_frame or comb.update(pixels):
            self.warn(
                "the picture is interlaced (moving edges are combed): set the scanner or the converter to progressive,"
                " or add deinterlace=on to the source"
            )


class _RateMeter:
    """Reports once if much fewer pictures come than were asked for."""

    def __init__(self, asked_hz: float | None) -> None:
        self._asked_hz = asked_hz
        self._since_ns: int | None = None
        self._count = 0

    def update(self, now_ns: int) -> str | None:
        """Count one more picture; return the line if it is due."""
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


def _pixels(normalizer: PixelNormalizer, picture: VideoFrame, aspect: Fraction | None) -> Pixels | None:
    try:
        return normalizer.pixels(picture, aspect)
    except Exception:  # see PixelNormalizer.pixels
        return None


def _decoded(decoder: CheckedDecoder, packet: Packet[Any]) -> list[VideoFrame]:
    """Pictures of a packet; none if it is damaged, and none that the decoder had to patch up."""
    try:
        return [found for found in decoder.decode(packet) if not found.is_corrupt]
    except Exception:  # see LiveSource.__iter__
        return []
