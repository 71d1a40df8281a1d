"""Capture cards and cameras, through libav's devices: V4L2 on Linux, AVFoundation on a Mac, DirectShow on Windows.

None of the three can be driven without such a device; what is tested is what they are asked for.
"""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import parse_qsl

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from fetalstream.streamer.errors import SourceError, shown
from fetalstream.streamer.live.devices import Format, best_format, formats_of, stable_path
from fetalstream.streamer.live.live_source import SILENCE_SECONDS
from fetalstream.streamer.live.live_video import OPEN_SECONDS, LiveVideo

PIXEL_FORMATS: Final = {
    "mjpeg": "mjpeg", "h264": "h264", "hevc": "hevc", "yuyv": "yuyv422", "uyvy": "uyvy422", "nv12": "nv12",
    "rgb24": "rgb24", "bgr24": "bgr24", "gray": "gray",
}  # fmt: skip
"""Libav's names of pixel formats and codecs, by the names that a person gives."""

_COMPRESSED: Final = ("mjpeg", "h264", "hevc")
_RATE_TOLERANCE: Final = 0.05
_T = TypeVar("_T")


@dataclass(frozen=True)
class CameraWish:
    """A device and the settings asked of it; None leaves a setting to us, or to the device.

    Attributes:
        which: a number, a device path, or a name.
        format: a key of ``PIXEL_FORMATS``.
        size: width and height.
        rate_hz: frames a second.
        deinterlace: take the comb out of interlaced video.
    """

    which: str
    format: str | None = None
    size: tuple[int, int] | None = None
    rate_hz: float | None = None
    deinterlace: bool = False


def open_camera(
    name: str, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns,
    platform: str = sys.platform,
) -> LiveVideo:  # fmt: skip
    """Make a source of a device, which is opened when it is iterated, and again whenever it is lost.

    Args:
        name: see `parse`.
        spacing_mm: see `LiveVideo`.
        clock_ns: the monotonic clock.
        platform: as ``sys.platform`` says it.

    Raises:
        SourceError: the name cannot be understood.
    """
    wish = parse(name)
    kind, device = device_of(wish.which, platform)
    return LiveVideo(
        "camera",
        lambda warn: _connected(kind, device, wish, warn),
        hashlib.sha256(f"{kind}:{device}".encode()).hexdigest(),
        spacing_mm=spacing_mm,
        deinterlace=wish.deinterlace,
        asked_rate_hz=wish.rate_hz,
        clock_ns=clock_ns,
    )


def parse(name: str) -> CameraWish:
    """Read ``camera:WHICH?format=mjpeg&size=1920x1080&rate=60&deinterlace=on``, or a device path before the ``?``.

    Raises:
        SourceError: an option is unknown, or its value.
    """
    which, _, options = re.sub("^camera:", "", name, flags=re.IGNORECASE).partition("?")
    if not which:
        raise SourceError("give camera:0, a device path or a name; fetalstream sources lists them", "camera:")
    pairs = parse_qsl(options, keep_blank_values=True)
    given = dict(pairs)
    unknown = given.keys() - {"format", "size", "rate", "deinterlace"}
    if unknown or len(given) < len(pairs) or (options and not given):
        raise SourceError(f"after ? a camera takes format, size, rate and deinterlace, each once: {shown(name)}")
    return CameraWish(
        which,
        _option(given, "format", "|".join(PIXEL_FORMATS), str),
        _option(given, "size", r"[1-9][0-9]{0,4}x[1-9][0-9]{0,4}", _size),
        _option(given, "rate", r"[1-9][0-9]{0,2}(\.[0-9]{1,3})?", float),
        _option(given, "deinterlace", "on|off", str) == "on",
    )


def device_of(which: str, platform: str) -> tuple[str, str]:
    """Return libav's name of the input, and of the device for it.

    Raises:
        SourceError: this system has no such inputs.
    """
    if platform == "linux":
        path = f"/dev/video{which}" if which.isdigit() else which
        return "v4l2", stable_path(path if path.startswith("/") else f"/dev/v4l/by-id/{path}")
    if platform == "darwin":
        return "avfoundation", f"{which}:none"
    if platform == "win32":
        return "dshow", f"video={which}"
    raise SourceError(f"capture cards cannot be opened on {platform}; send the picture over the network")


def options_of(kind: str, wish: CameraWish) -> dict[str, str]:
    """Return libav's options for a wish: V4L2 sets format, then size, then rate, as devices want it."""
    # A device that has ceased to deliver would otherwise hold its reader for ever.
    options = {"fflags": "nonblock"}
    if wish.format is not None:
        plain = PIXEL_FORMATS[wish.format]
        compressed = wish.format in _COMPRESSED
        options["input_format" if kind == "v4l2" else "vcodec" if compressed else "pixel_format"] = plain
    if wish.size is not None:
        options["video_size"] = f"{wish.size[0]}x{wish.size[1]}"
    if wish.rate_hz is not None:
        options["framerate"] = f"{wish.rate_hz:g}"
    if kind == "dshow":
        options["rtbufsize"] = str(256 << 20)
    return options


def complaints(wish: CameraWish, got: Format) -> list[str]:
    """Return a line for every setting in which the device differs from the wish."""
    lines: list[str] = []
    if wish.size is not None and got.size != wish.size:
        lines.append(f"the device gives {_words(got.size)} pixels, {_words(wish.size)} were asked for")
    if wish.format is not None and got.format not in (wish.format, PIXEL_FORMATS[wish.format]):
        lines.append(f"the device gives {got.format}, {wish.format} was asked for")
    if wish.rate_hz and got.rate_hz and abs(got.rate_hz / wish.rate_hz - 1) > _RATE_TOLERANCE:
        lines.append(f"the device says {got.rate_hz:g} frames a second, {wish.rate_hz:g} were asked for")
    return [f"{line}; fetalstream sources lists what it offers" for line in lines]


def _connected(kind: str, device: str, wish: CameraWish, warn: Callable[[str], None]) -> InputContainer:
    if kind == "v4l2" and wish.size is None and wish.format is None:
        wish = _completed(wish, best_format(formats_of(Path(device))))
    container = av.open(
        device,
        format=kind,
        container_options=options_of(kind, wish),
        metadata_errors="replace",
        timeout=(OPEN_SECONDS, SILENCE_SECONDS),
    )
    stream = container.streams.best("video")
    if isinstance(stream, VideoStream):
        for line in complaints(wish, _read_back(stream)):
            warn(line)
    return container


def _completed(wish: CameraWish, best: Format | None) -> CameraWish:
    """Complete a wish by the best format that is offered: a device's own choice is often the smallest."""
    if best is None:
        return wish
    known = best.format if best.format in PIXEL_FORMATS else None
    return CameraWish(wish.which, known, best.size, wish.rate_hz or best.rate_hz, wish.deinterlace)


def _read_back(stream: VideoStream) -> Format:
    codec = stream.codec_context
    name = codec.pix_fmt if codec.name == "rawvideo" else codec.name
    return Format(name or codec.name, (codec.width, codec.height), float(stream.average_rate or 0) or None)


def _option(given: dict[str, str], key: str, pattern: str, read: Callable[[str], _T]) -> _T | None:
    if key not in given:
        return None
    if not re.fullmatch(pattern, given[key]):
        wanted = {"size": "WIDTHxHEIGHT", "rate": "frames a second"}.get(key, pattern.replace("|", ", "))
        raise SourceError(f"{key} of a camera must be {wanted}, got {shown(given[key])}")
    return read(given[key])


def _size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)


def _words(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
