"""Capture devices and the formats that they offer: from V4L2's queries on Linux, from libav's list elsewhere.

Structures and numbers: https://www.kernel.org/doc/html/latest/userspace-api/media/v4l/videodev.html
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av

from fetalstream.streamer.errors import shown

_CAPABILITY: Final = struct.Struct("=16s32s32sIII12x")
_FORMAT: Final = struct.Struct("=III32sII12x")
_SIZE: Final = struct.Struct("=IIIII24x")  # of discrete sizes the first, of ranges: least width, greatest width, ...
_INTERVAL: Final = struct.Struct("=IIIIIII24x")
_QUERYCAP, _ENUM_FMT, _ENUM_SIZES, _ENUM_INTERVALS = 0x80685600, 0xC0405602, 0xC02C564A, 0xC034564B
_VIDEO_CAPTURE: Final = 1
_DEVICE_CAPS: Final = 0x80000000
_DISCRETE: Final = 1
_MOST: Final = 256  # answers to one question; a driver that never ends its list is not believed

_NAMES: Final = {"MJPG": "mjpeg", "JPEG": "mjpeg", "H264": "h264", "HEVC": "hevc", "YUYV": "yuyv", "UYVY": "uyvy",
                 "NV12": "nv12", "RGB3": "rgb24", "BGR3": "bgr24", "GREY": "gray"}  # fmt: skip
_SMOOTH_HZ: Final = 25.0

Ioctl = Callable[[int, int, bytearray], object]


@dataclass(frozen=True)
class Format:
    """One way in which a device gives pictures.

    ``size``: width and height. ``rate_hz``: the highest rate, None if it is not known.
    """

    format: str
    size: tuple[int, int]
    rate_hz: float | None = None


@dataclass(frozen=True)
class Device:
    """A capture device that the system shows.

    Attributes:
        source: the SOURCE that opens it.
        name: the device's own name.
        formats: the formats that it offers; empty if the system does not list them.
        trouble: why the device cannot be asked, None if it can.
    """

    source: str
    name: str
    formats: tuple[Format, ...] = ()
    trouble: str | None = None


def devices(platform: str = sys.platform, root: Path = Path("/dev")) -> list[Device]:
    """Return all capture devices that the system shows."""
    if platform == "linux":
        paths = sorted(root.glob("video*"), key=lambda path: (len(path.name), path.name))
        found = (_linux_device(path, root) for path in paths)
        return [device for device in found if device is not None]
    kind = {"darwin": "avfoundation", "win32": "dshow"}.get(platform)
    listed = [] if kind is None else av.enumerate_input_devices(kind)
    return [
        Device(f"camera:{device.name.removeprefix('video=')}", shown(device.description))
        for device in listed
        if not device.media_types or "video" in device.media_types
    ]


def formats_of(path: Path, ioctl: Ioctl | None = None) -> list[Format]:
    """Return the formats that a V4L2 device offers; none if it cannot be asked."""
    with contextlib.suppress(OSError), _opened(path) as handle:
        return list(_formats(handle, ioctl or _ioctl()))
    return []


def best_format(formats: list[Format]) -> Format | None:
    """Return the largest smooth format, uncompressed if that is as large; None if there is none."""

    def worth(offered: Format) -> tuple[bool, int, bool, float]:
        rate_hz = offered.rate_hz or 0.0
        return rate_hz >= _SMOOTH_HZ, offered.size[0] * offered.size[1], offered.format not in _COMPRESSED, rate_hz

    return max((each for each in formats if each.format in _NAMES.values()), key=worth, default=None)


_COMPRESSED: Final = ("mjpeg", "h264", "hevc")


def stable_path(path: str, by_id: Path = Path("/dev/v4l/by-id")) -> str:
    """Return the path that a device keeps when it is plugged in elsewhere; ``path`` itself if it has none."""
    with contextlib.suppress(OSError):
        wanted = os.path.realpath(path)
        for link in sorted(by_id.iterdir()):
            if os.path.realpath(link) == wanted:
                return str(link)
    return path


def _linux_device(path: Path, root: Path) -> Device | None:
    """The device, None if it gives no pictures: one card shows several devices, some of them for metadata."""
    stable = stable_path(str(path), root / "v4l" / "by-id")
    source = stable if stable != str(path) else f"camera:{path.name.removeprefix('video')}"
    try:
        with _opened(path) as handle:
            answer = _asked(handle, _ioctl(), _QUERYCAP, bytearray(_CAPABILITY.size))
            if answer is None:
                return None
            _, card, _, _, everything, own = _CAPABILITY.unpack(answer)
            if not (own if everything & _DEVICE_CAPS else everything) & _VIDEO_CAPTURE:
                return None
            name = shown(card.split(b"\0")[0].decode(errors="replace"))
            return Device(source, name, tuple(_formats(handle, _ioctl())))
    except OSError as error:
        mend = "; add yourself to the group video" if isinstance(error, PermissionError) else ""
        return Device(source, path.name, (), f"{(error.strerror or 'cannot be opened').lower()}{mend}")


def _formats(handle: int, ioctl: Ioctl) -> Iterator[Format]:
    for index in range(_MOST):
        answer = _asked(handle, ioctl, _ENUM_FMT, bytearray(_FORMAT.pack(index, _VIDEO_CAPTURE, 0, b"", 0, 0)))
        if answer is None:
            return
        pixel_format = _FORMAT.unpack(answer)[4]
        code = struct.pack("=I", pixel_format).decode("latin-1").strip()
        for size in _sizes(handle, ioctl, pixel_format):
            yield Format(_NAMES.get(code, shown(code)), size, _rate_hz(handle, ioctl, pixel_format, size))


def _sizes(handle: int, ioctl: Ioctl, pixel_format: int) -> Iterator[tuple[int, int]]:
    for index in range(_MOST):
        answer = _asked(handle, ioctl, _ENUM_SIZES, bytearray(_SIZE.pack(index, pixel_format, 0, 0, 0)))
        if answer is None:
            return
        _, _, kind, first, second = _SIZE.unpack(answer)
        if kind == _DISCRETE:
            yield first, second
        else:
            # A range: least and greatest width, step, least and greatest height, step. The greatest is enough.
            (greatest_height,) = struct.unpack_from("=I", answer, 12 + 4 * 4)
            yield second, greatest_height
            return


def _rate_hz(handle: int, ioctl: Ioctl, pixel_format: int, size: tuple[int, int]) -> float | None:
    """The highest rate: of all intervals, or of the shortest one of a range."""
    rates_hz: list[float] = []
    for index in range(_MOST):
        question = _INTERVAL.pack(index, pixel_format, *size, 0, 0, 0)
        answer = _asked(handle, ioctl, _ENUM_INTERVALS, bytearray(question))
        if answer is None:
            break
        *_, kind, numerator, denominator = _INTERVAL.unpack(answer)
        if numerator:
            rates_hz.append(denominator / numerator)
        if kind != _DISCRETE:
            break
    return max(rates_hz, default=None)


def _asked(handle: int, ioctl: Ioctl, request: int, question: bytearray) -> bytearray | None:
    """The structure filled in; None if the driver has no answer, which is how its lists end."""
    try:
        ioctl(handle, request, question)
    except OSError:
        return None
    return question


@contextlib.contextmanager
def _opened(path: Path) -> Generator[int]:
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        yield handle
    finally:
        os.close(handle)


def _ioctl() -> Ioctl:
    import fcntl

    return lambda handle, request, question: fcntl.ioctl(handle, request, question)
