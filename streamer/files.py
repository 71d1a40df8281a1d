"""Video files, through PyAV: what decodes is delivered, as full-range, square, upright pixels."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, cast

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from streamer import identity
from streamer.damage import Damage, Extent
from streamer.errors import SourceError
from streamer.frame import Frame, Pixels
from streamer.picture import (
    MAX_PIXELS,
    DisplayMatrix,
    chroma_is_neutral,
    expand_limited,
    gray_where_neutral,
    is_quarter_turn,
    square_pixels,
    upright,
)
from streamer.timeline import Timeline

# FFmpeg also "plays" text files, and play lists that open other files; only true video containers are let in.
_FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,m4v,ogg,flv,asf,gif,mjpeg,ivf,obu,yuv4mpegpipe,mxf,dv"
)
_TIMEOUT_SECONDS = (10, 10)  # to open, and for any one read: a file may lie on a network drive that went away
_DEFAULT_RATE_HZ = 25.0
_MAX_RATE_HZ = 1000
_MAX_PIXEL_ASPECT = 4
_DRAINS = 64  # a decoder holds back some frames; a damaged one must not be asked for ever
_HD_HEIGHT = 720

# 8-bit formats whose first plane is luma and whose other planes are chroma: the gray path needs no conversion.
_LUMA_FIRST = {"gray", "nv12", "nv21", "nv16", "nv24"} | {
    f"{family}{layout}p" for family in ("yuv", "yuvj") for layout in (410, 411, 420, 422, 440, 444)
}
_CONVERSION = (
    Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)


@dataclass(frozen=True)
class _View:
    """How the stored pictures of one size are to be looked at."""

    stored: tuple[int, int]
    aspect: Fraction
    matrix: DisplayMatrix | None


class VideoFile:
    """Every frame of a video file, in order. Can be iterated again: each time from the start.

    Attributes:
        frames_expected: as the file's header says, None where it does not.
        rate_hz: frames a second as the header says, None where it does not.
        identity: see :func:`streamer.identity.of_file`.
        warnings: one line each, added while the file is read.

    Args:
        path: an existing file.
        spacing_mm: millimetres per pixel of the frames as they are delivered (square pixels). It holds for the size
            of the first frame: frames of another size have none.
        clock_ns: the monotonic clock that stamps arrivals.

    Raises:
        SourceError: when the file is not a video, or not one picture in it can be decoded.
    """

    kind: Literal["file"] = "file"
    live = False

    def __init__(
        self, path: Path, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._path = path
        self._spacing_mm = spacing_mm
        self._clock_ns = clock_ns
        self._closed = False
        self.warnings: list[str] = []
        self.identity = identity.of_file(path)
        with _open(path) as container:
            stream = _video_stream(container, path)
            self.frames_expected = stream.frames or None
            self.rate_hz = _rate_hz(stream)
            self._period_seconds = 1 / (self.rate_hz or _DEFAULT_RATE_HZ)
            self._extent = Extent(self.frames_expected, _duration_seconds(container, stream), self._period_seconds)
            if next(_pictures(container, stream, Damage()), None) is None:
                raise SourceError("no picture in it can be decoded; the file is damaged", path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the iteration that is under way, in whatever thread, at its next frame."""
        # The thread that decodes closes the container: closing it under a running decoder would crash.
        self._closed = True

    def __iter__(self) -> Iterator[Frame]:
        damage, count, pts_seconds = Damage(), 0, 0.0
        with _open(self._path) as container:
            stream = _video_stream(container, self._path)
            timeline = Timeline(self._period_seconds)
            stamped = _has_presentation_times(container, stream)
            first_size: tuple[int, int] | None = None
            for index, pixels, pts in self._upright_pictures(container, stream, damage):
                if self._closed:
                    return
                if pts is None or not stamped:
                    self._warn(f"frames without time stamps are timed at {1 / self._period_seconds:g} a second")
                size = pixels.shape[0], pixels.shape[1]
                first_size = first_size or size
                pts_seconds, epoch = timeline.place(pts if stamped else None, size)
                spacing = self._spacing_mm if size == first_size else None
                if spacing is None and self._spacing_mm is not None:
                    self._warn("the frames change their size; the given spacing holds for the first size only")
                spacing_from = None if spacing is None else "operator"
                count += 1
                yield Frame(pixels, index, pts_seconds, self._clock_ns(), epoch, spacing, spacing_from)
        shortfall = self._extent.shortfall(count, pts_seconds)
        for line in [*damage.lines(), *([shortfall] if shortfall else [])]:
            self._warn(line)

    def _upright_pictures(
        self, container: InputContainer, stream: VideoStream, damage: Damage
    ) -> Iterator[tuple[int, Pixels, float | None]]:
        """Index, pixels and time stamp in seconds of every picture that can be looked at."""
        view: _View | None = None
        for index, picture in enumerate(_pictures(container, stream, damage)):
            try:
                if view is None or view.stored != (picture.height, picture.width):
                    view = self._view_of(picture, stream)
                pixels = square_pixels(_full_range(picture), view.aspect)
                if view.matrix is not None:
                    pixels = upright(pixels, view.matrix)
            except Exception:  # a damaged header can ask for any format: libav, numpy and OpenCV each fail in their way
                damage.unusable += 1
                continue
            damage.blemished += picture.is_corrupt
            if picture.interlaced_frame:
                self._warn("the video is interlaced: moving edges are combed; a progressive recording reads better")
            yield index, pixels, _pts_seconds(picture, stream)

    def _view_of(self, picture: VideoFrame, stream: VideoStream) -> _View:
        aspect = stream.sample_aspect_ratio or Fraction(1)
        if not Fraction(1, _MAX_PIXEL_ASPECT) <= aspect <= _MAX_PIXEL_ASPECT:
            self._warn(f"the pixel aspect ratio {aspect} is not believed; the pixels are taken as square")
            aspect = Fraction(1)
        matrix = _display_matrix(picture)
        if matrix is not None and not is_quarter_turn(matrix):
            self._warn("the video is turned by an angle that is no quarter turn; its frames are shown as stored")
            matrix = None
        return _View((picture.height, picture.width), aspect, matrix)

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


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


def _pictures(container: InputContainer, stream: VideoStream, damage: Damage) -> Iterator[VideoFrame]:
    """Every picture that decodes, whatever happens to the others."""
    for packet in _packets(container, stream, damage):
        try:
            pictures = packet.decode()
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


def _pts_seconds(picture: VideoFrame, stream: VideoStream) -> float | None:
    pts = picture.dts if picture.pts is None else picture.pts
    base = picture.time_base or stream.time_base
    return None if pts is None or base is None else float(pts * base)


def _display_matrix(picture: VideoFrame) -> DisplayMatrix | None:
    data_of = cast("SideDataContainer", picture.side_data)  # as PyAV's stubs should say
    try:
        data = data_of["DISPLAYMATRIX"]
    except KeyError:
        return None
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
    return a, b, c, d


def _full_range(picture: VideoFrame) -> Pixels:
    """Gray ``(H, W)`` where the picture is without colour, otherwise RGB ``(H, W, 3)``; 0 to 255."""
    limited = _is_limited(picture)
    luma = _luma_without_chroma(picture)
    if luma is not None:
        return expand_limited(luma) if limited else luma.copy()
    is_rgb = picture.format.is_rgb
    hd_without_matrix = picture.colorspace == 2 and picture.height >= _HD_HEIGHT  # 2: AVCOL_SPC_UNSPECIFIED
    converted = picture.reformat(
        format="rgb24",
        interpolation=_CONVERSION,
        src_colorspace=Colorspace.ITU709 if hd_without_matrix and not is_rgb else None,
        src_color_range=ColorRange.MPEG if limited else ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG,
    )
    return gray_where_neutral(np.ascontiguousarray(converted.to_ndarray(), dtype=np.uint8))


def _is_limited(picture: VideoFrame) -> bool:
    if picture.color_range in (ColorRange.MPEG, ColorRange.JPEG):
        return picture.color_range == ColorRange.MPEG
    name = picture.format.name
    return not (picture.format.is_rgb or name.startswith(("gray", "yuvj", "ya", "mono", "pal")))


def _luma_without_chroma(picture: VideoFrame) -> Pixels | None:
    """The luma ``(H, W)`` of a picture that holds no colour, a view of the decoder's memory; None for all others."""
    planes = picture.planes
    # Raw AVI is stored bottom up, which libav says with negative line sizes.
    if picture.format.name not in _LUMA_FIRST or any(plane.line_size <= 0 for plane in planes):
        return None
    interleaved = 2 if len(planes) == 2 else 1
    if all(chroma_is_neutral(_samples(plane, plane.width * interleaved)) for plane in planes[1:]):
        return _samples(planes[0], picture.width)
    return None


def _samples(plane: VideoPlane, width: int) -> Pixels:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, :width]
