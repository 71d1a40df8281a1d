"""Video files, through PyAV: everything that decodes is delivered, as full-range, square, upright pixels."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.given_scale import GivenScale
from fetalstream.streamer.in_process_source import InProcessSource
from fetalstream.streamer.readers import identity
from fetalstream.streamer.readers.avi_index import null_frames
from fetalstream.streamer.readers.checked_decoder import CheckedDecoder
from fetalstream.streamer.readers.container_crop import container_crop
from fetalstream.streamer.readers.damage import Damage, Extent
from fetalstream.streamer.readers.decoded import PixelNormalizer, pts_seconds
from fetalstream.streamer.readers.ebml import damaged_clusters
from fetalstream.streamer.readers.local_path import local_path
from fetalstream.streamer.readers.picture import MAX_PIXELS
from fetalstream.streamer.readers.timeline import Timeline

# FFmpeg also "plays" text files, and play lists that open other files; only true video containers are let in.
_FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,m4v,ogg,flv,asf,gif,mjpeg,ivf,obu,yuv4mpegpipe,mxf,dv"
)
# Containers whose time stamps are places on one time line, so that a gap is a pause. Streams that were written down as
# they were sent (MPEG-TS, VOB, FLV) hold the clocks of their senders, which start again.
_ONE_CLOCK = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")
_PICTURE_BRANDS = frozenset({"heic", "heix", "heim", "heis", "mif1", "mif2", "miaf", "avif"})  # ISO/IEC 23008-12
_TIMEOUT_SECONDS = (10, 10)  # to open, and for any one read: a file may lie on a network drive that went away
_DEFAULT_RATE_HZ = 25.0
_MAX_RATE_HZ = 1000
_DRAINS = 64  # a decoder holds back some frames; a damaged one must not be asked for ever


class VideoFile(InProcessSource):
    """Reads every frame of a video file, in order. Can be iterated again: each time from the start.

    Attributes:
        frames_expected: as the file's header says, None if it does not.
        rate_hz: frames a second as the header says, None if it does not.
        identity: see `streamer.readers.identity.of_file`.
        warnings: one line each, added while the file is read.

    Args:
        path: an existing file.
        spacing_mm: millimetres per pixel of the frames as they are delivered (square pixels). It holds for the size
            of the first frame: frames of another size have none.
        clock_ns: the monotonic clock that stamps arrivals.

    Raises:
        SourceError: when the file is not a video, or not one picture in it can be decoded.
    """

    kind = "file"

    def __init__(
        self, path: Path, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        super().__init__()
        self._path = path
        self._spacing_mm = spacing_mm
        self._clock_ns = clock_ns
        self.identity = identity.of_file(path)
        with _open(path) as container:
            stream = _video_stream(container, path)
            self.frames_expected = stream.frames or None
            self.rate_hz = _rate_hz(stream)
            self._period_seconds = 1 / (self.rate_hz or _DEFAULT_RATE_HZ)
            self._extent = Extent(self.frames_expected, _duration_seconds(container, stream), self._period_seconds)
            if next(_pictures(container, stream, CheckedDecoder(stream), Damage()), None) is None:
                raise SourceError("no picture in it can be decoded; the file is damaged", path)

    def __iter__(self) -> Iterator[Frame]:
        damage, count, end = Damage(), 0, 0.0
        with _open(self._path) as container:
            stream = _video_stream(container, self._path)
            is_matroska = container.format.name == "matroska,webm"
            avi_stream = stream.index if container.format.name == "avi" else None
            timeline = Timeline(self._period_seconds, pauses=container.format.name in _ONE_CLOCK)
            stamped = _has_presentation_times(container, stream)
            scale = GivenScale(self._spacing_mm, self.warn)
            for index, pixels, pts, stands in self._upright_pictures(container, stream, damage):
                if self._closed.is_set():
                    return
                if pts is None or not stamped:
                    self.warn(f"frames without time stamps are timed at {1 / self._period_seconds:g} a second")
                size = pixels.shape[0], pixels.shape[1]
                seconds, epoch = timeline.place(pts if stamped else None, size)
                count += 1
                end = seconds + stands
                yield Frame(pixels, index, seconds, self._clock_ns(), epoch, *scale.of(size))
        if is_matroska and not damage.lines():
            damage.differing = damaged_clusters(self._path)
        extent = replace(self._extent, seconds=None) if timeline.clock_restarted else self._extent
        shortfall = extent.shortfall(count + damage.trimmed, end)
        if shortfall and avi_stream is not None:
            shortfall = extent.shortfall(count + null_frames(self._path, avi_stream), end)
        for line in [*damage.lines(), *([shortfall] if shortfall else [])]:
            self.warn(line)

    def _upright_pictures(
        self, container: InputContainer, stream: VideoStream, damage: Damage
    ) -> Iterator[tuple[int, Pixels, float | None, float]]:
        """Index, pixels, time stamp and duration in seconds of every picture that can be looked at."""
        crop = container_crop(self._path, container.format.name, stream.index)
        normalizer, decoder = PixelNormalizer(stream, self.warn, crop), CheckedDecoder(stream)
        for index, picture in enumerate(_pictures(container, stream, decoder, damage)):
            try:
                pixels = normalizer.pixels(picture, decoder.aspect(picture))
            except Exception:
                damage.unusable += 1
                continue
            damage.blemished += picture.is_corrupt
            if picture.interlaced_frame:
                self.warn("the video is interlaced: moving edges are combed; a progressive recording reads better")
            yield index, pixels, pts_seconds(picture, stream), float(picture.duration * (picture.time_base or 0))
        damage.blemished += decoder.broken


def open_video(
    name: str, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
) -> VideoFile:
    """Open the video file that a name stands for.

    Raises:
        SourceError: see `VideoFile`.
    """
    return VideoFile(local_path(name) or Path(name), spacing_mm=spacing_mm, clock_ns=clock_ns)


def _open(path: Path) -> InputContainer:
    try:
        # The protocol is named so that no file name is taken for a URL or a list of files.
        return av.open(
            f"file:{os.fspath(path)}",
            container_options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"},
            metadata_errors="replace",
            timeout=_TIMEOUT_SECONDS,
        )
    except Exception as error:  # UnicodeError, IndexError and plain OSError come out beside PyAV's own
        raise SourceError("not a video that can be read; give a video file, or a folder of images", path) from error


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    if container.metadata.get("major_brand") in _PICTURE_BRANDS and len(container.streams.video) > 1:
        # libav gives the tiles one by one, and not where they belong.
        raise SourceError("a HEIC or AVIF picture of several tiles or layers; convert it to PNG or JPEG", path)
    stream = container.streams.best("video")  # not the cover picture that may lie beside it
    if not isinstance(stream, VideoStream):
        raise SourceError("has no video in it; give a video file, or a folder of images", path)
    # Not threads by frame: at the damaged end of a file, the frames that such threads still hold are lost.
    stream.thread_type = "SLICE"
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    return stream


def _rate_hz(stream: VideoStream) -> float | None:
    rate = stream.guessed_rate or stream.average_rate
    return float(rate) if rate and 0 < rate <= _MAX_RATE_HZ else None


def _duration_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    # The whole file's duration says something about the picture where there is nothing but the picture.
    if container.duration is None or len(container.streams) > 1:
        return None
    return container.duration / av.time_base


def _has_presentation_times(container: InputContainer, stream: VideoStream) -> bool:
    # AVI knows the order of decoding only: where frames are reordered, its times belong to other frames.
    return not (container.format.name == "avi" and stream.codec_context.has_b_frames)


def _pictures(
    container: InputContainer, stream: VideoStream, decoder: CheckedDecoder, damage: Damage
) -> Iterator[VideoFrame]:
    """Every picture that decodes, whatever happens to the others."""
    for packet in _packets(container, stream, damage):
        damage.trimmed += packet.is_discard
        try:
            pictures = decoder.decode(packet)
        except Exception:  # see _open
            damage.undecoded += 1
            continue
        yield from pictures
    for _ in range(_DRAINS):
        try:
            pictures = stream.codec_context.decode(None)
        except EOFError:
            return
        except Exception:
            damage.undecoded += 1
            continue
        if not pictures:
            return
        yield from pictures


def _packets(container: InputContainer, stream: VideoStream, damage: Damage) -> Iterator[Packet[VideoStream]]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except Exception:  # see _open
            damage.reading_failed = True
            return
        yield packet
