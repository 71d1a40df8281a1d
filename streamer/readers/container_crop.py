"""The crop that a container asks for, which libav's Python interface does not pass on: MP4 ``clap``, Matroska."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.readers.ebml import SEGMENT, Element, elements

_SAMPLE_ENTRY_BYTES: Final = 78  # of a video's, before the boxes in it (ISO/IEC 14496-12)
_SIZE_AT: Final = 24  # width and height in it
_TRACKS, _TRACK, _VIDEO = 0x1654AE6B, 0xAE, 0xE0  # of RFC 9559
_BOTTOM, _TOP, _LEFT, _RIGHT = 0x54AA, 0x54BB, 0x54CC, 0x54DD
_Span = tuple[int, int]


@dataclass(frozen=True)
class Crop:
    """Rows and columns of the stored picture that are not to be shown.

    Attributes:
        left: columns at the left.
        top: rows at the top.
        right: columns at the right.
        bottom: rows at the bottom.
    """

    left: int
    top: int
    right: int
    bottom: int

    def of(self, pixels: Pixels) -> Pixels:
        """Return the part of a stored picture, ``(H, W)`` or ``(H, W, 3)``, that is to be shown."""
        height, width = pixels.shape[:2]
        shown = pixels[self.top : height - self.bottom, self.left : width - self.right]
        return shown.copy() if shown.size else pixels


def container_crop(path: Path, format_name: str, stream_index: int) -> Crop | None:
    """Return the crop of one stream of a file; None if there is none, or if it cannot be followed.

    Args:
        path: the file.
        format_name: what libav calls its format.
        stream_index: which track.
    """
    read = {"mov,mp4,m4a,3gp,3g2,mj2": _of_mp4, "matroska,webm": _of_matroska}.get(format_name)
    if read is None:
        return None
    try:
        with path.open("rb") as file:
            crop = read(file, stream_index, (0, os.fstat(file.fileno()).st_size))
    except (OSError, struct.error, ArithmeticError, StopIteration):
        return None
    sides = None if crop is None else (crop.left, crop.top, crop.right, crop.bottom)
    return crop if sides is not None and min(sides) >= 0 and any(sides) else None


def _of_mp4(file: BinaryIO, stream_index: int, whole: _Span) -> Crop | None:
    movie = next(_boxes(file, whole, b"moov"))
    track = next(islice(_boxes(file, movie, b"trak"), stream_index, None))
    for name in (b"mdia", b"minf", b"stbl", b"stsd"):
        track = next(_boxes(file, track, name))
    entry = next(_boxes(file, (track[0] + 8, track[1])))
    file.seek(entry[0] + _SIZE_AT)
    width, height = struct.unpack(">2H", file.read(4))
    aperture = next(_boxes(file, (entry[0] + _SAMPLE_ENTRY_BYTES, entry[1]), b"clap"), None)
    if aperture is None:
        return None
    file.seek(aperture[0])
    # Width, height, and how far the middle lies off: numerators and denominators.
    values = struct.unpack(">8i", file.read(32))
    shown_width, shown_height, right, down = (Fraction(*values[at : at + 2]) for at in range(0, 8, 2))
    x, y = (width - shown_width) / 2 + right, (height - shown_height) / 2 + down
    return Crop(round(x), round(y), round(width - shown_width - x), round(height - shown_height - y))


def _boxes(file: BinaryIO, span: _Span, wanted: bytes | None = None) -> Iterator[_Span]:
    """Where the contents of boxes begin and end."""
    at, end = span
    while at + 8 <= end:
        file.seek(at)
        size, name = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", file.read(8))[0], 16
        elif size == 0:
            size = end - at
        if size < head:
            return
        if wanted in (None, name):
            yield at + head, min(at + size, end)
        at += size


def _of_matroska(file: BinaryIO, stream_index: int, whole: _Span) -> Crop | None:
    segment = next(elements(file, *whole, SEGMENT))
    tracks = next(elements(file, segment.begin, segment.end, _TRACKS))
    track = next(islice(elements(file, tracks.begin, tracks.end, _TRACK), stream_index, None))
    video = next(elements(file, track.begin, track.end, _VIDEO))
    found: list[int] = []
    for wanted in (_LEFT, _TOP, _RIGHT, _BOTTOM):
        side = next(elements(file, video.begin, video.end, wanted), Element(0, 0, whole=True))
        file.seek(side.begin)
        found.append(int.from_bytes(file.read(side.end - side.begin), "big"))
    return Crop(*found)
