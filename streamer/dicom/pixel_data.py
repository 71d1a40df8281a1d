"""The frames of a DICOM file as they are stored: where each one lies in the file, and how it is compressed.

The bytes are believed before the header, because many writers get the header wrong: frames are counted, and the
encoding of the pixel data element is seen from its bytes. pydicom 3.0.2 believes the header. Its `iter_pixels` loses
the last frames of uncompressed YBR_FULL_422 (`pixel_array` does not), shifts frames if the data set is encoded
otherwise than the transfer syntax says, and takes all frames for one if the header says so.

Sources: DICOM PS3.5, 7.1 (data elements), 8.2 and A.4 (encapsulated pixel data), G (RLE); PS3.3, C.7.6.3.1.2
(photometric interpretation).
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from fetalstream.streamer.dicom.jpeg import read_jpeg_head

_PIXEL_DATA: Final = 0x7FE0_0010
_ITEM: Final = (0xFFFE, 0xE000)
_UNDEFINED: Final = 0xFFFF_FFFF
_EXPLICIT_VRS: Final = (b"OB", b"OW", b"UN")
_HEAD_BYTES: Final = 1 << 16
_JPEG_START: Final = b"\xff\xd8\xff"
_JPEG_2000_STARTS: Final = (b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
_RLE_SEGMENTS: Final = range(1, 16)
_RLE_HEADER_BYTES: Final = 64

Span = tuple[int, int]
"""Offset in the file and length, bytes."""


@dataclass(frozen=True)
class PixelData:
    """The pixel data element of a file.

    Attributes:
        frames: number of frames that are there, those included that may not be decoded.
        compressed: whether frames are encapsulated, whatever the transfer syntax says.
        photometric: photometric interpretation of the stored values.
        vr: value representation, "OB" or "OW".
        start: the first frame's beginning, at most 64 KB.
    """

    frames: int
    compressed: bool
    photometric: str
    vr: str
    start: bytes
    _path: Path
    _frame_bytes: int
    _spans: Sequence[tuple[Span, ...]]
    _first: int

    def stored(self) -> Generator[bytes]:
        """Yield each frame's bytes, as they are stored.

        Raises:
            OSError: the file cannot be read.
        """
        with self._path.open("rb") as file:
            for number in range(self.frames):
                if self.compressed:
                    yield b"".join(_bytes_at(file, span) for span in self._spans[number])
                else:
                    yield _bytes_at(file, (self._first + number * self._frame_bytes, self._frame_bytes))


def find_pixel_data(file: BinaryIO, path: Path, elements: Any, said: int, *, big_endian: bool) -> PixelData | None:
    """Find the frames of a file; None if it has no pixel data.

    Args:
        file: positioned at the tag of the pixel data.
        path: of the file.
        elements: the header, with Rows, Columns, Samples per Pixel and Bits Allocated.
        said: the number of frames that the header gives.
        big_endian: whether the data set is encoded so.
    """
    order = ">" if big_endian else "<"
    head = file.read(12)
    if len(head) < 12:
        return None
    group, element = struct.unpack(f"{order}HH", head[:4])
    if group << 16 | element != _PIXEL_DATA:
        return None
    explicit = head[4:6] in _EXPLICIT_VRS and head[6:8] == b"\0\0"
    (length,) = struct.unpack(f"{order}L", head[8:12] if explicit else head[4:8])
    first = file.tell() if explicit else file.tell() - 4
    vr = head[4:6].decode() if explicit and head[4:6] != b"UN" else "OW"
    photometric = str(elements.get("PhotometricInterpretation"))
    if length == _UNDEFINED:
        spans = _frames_of_fragments(file, first, elements, said)
        start = _bytes_at(file, spans[0][0])[:_HEAD_BYTES] if spans else b""
        jpeg = read_jpeg_head(start)
        if jpeg is not None and jpeg.subsampled and photometric == "RGB":
            # Red, green and blue never have different numbers of pixels: this is luma and chroma.
            photometric = "YBR_FULL_422"
        return PixelData(len(spans), True, photometric, "OB", start, path, 0, spans, first)
    length = min(length, path.stat().st_size - first)
    whole = (
        int(elements.Rows) * int(elements.Columns) * int(elements.SamplesPerPixel) * int(elements.BitsAllocated) // 8
    )
    frame_bytes = whole
    if photometric == "YBR_FULL_422":
        # Some writers say so of pixels that are not subsampled.
        frame_bytes, photometric = (
            (whole, "YBR_FULL") if length >> 1 << 1 >= whole * said else (whole * 2 // 3, photometric)
        )
    frames = length // frame_bytes
    return PixelData(frames, False, photometric, vr, b"", path, frame_bytes, (), first)


def _frames_of_fragments(file: BinaryIO, first: int, elements: Any, said: int) -> list[tuple[Span, ...]]:
    """Group the fragments of encapsulated pixel data by frame."""
    table, *fragments = _items(file, first) or [(first, 0)]
    if not fragments:
        return []
    heads = [_bytes_at(file, (offset, min(length, 12))) for offset, length in fragments]
    by_content = [number for number, head in enumerate(heads) if _begins_frame(head)]
    by_table = _numbers(file, table, fragments, elements)
    if by_content[:1] == [0] and len(by_content) >= said:
        starts = by_content
    elif len(by_table) == said:
        starts = by_table
    elif len(fragments) == said:
        starts = list(range(len(fragments)))
    elif by_content[:1] == [0]:
        starts = by_content
    else:
        starts = by_table or ([0] if said == 1 else list(range(len(fragments))))
    ends = [*starts[1:], len(fragments)]
    return [tuple(fragments[begin:end]) for begin, end in zip(starts, ends, strict=True)]


def _items(file: BinaryIO, at: int) -> list[Span]:
    """Return the content of each item, the basic offset table first; the last one may be cut short."""
    size = file.seek(0, 2)
    found: list[Span] = []
    while True:
        file.seek(at)
        head = file.read(8)
        # Encapsulated pixel data are little endian.
        if len(head) < 8 or struct.unpack("<HH", head[:4]) != _ITEM:
            return found
        (length,) = struct.unpack("<L", head[4:])
        found.append((at + 8, min(length, size - at - 8)))
        at += 8 + length


def _begins_frame(head: bytes) -> bool:
    if head.startswith((_JPEG_START, *_JPEG_2000_STARTS)):
        return True
    if len(head) < 8:
        return False
    segments, offset = struct.unpack("<LL", head[:8])
    return segments in _RLE_SEGMENTS and offset == _RLE_HEADER_BYTES


def _numbers(file: BinaryIO, table: Span, fragments: list[Span], elements: Any) -> list[int]:
    """Return the numbers of the fragments at which frames begin, as a table says; empty if no table can be true."""
    by_offset = {offset - 8 - (fragments[0][0] - 8): number for number, (offset, _) in enumerate(fragments)}
    extended = elements.get("ExtendedOffsetTable")
    for kind, content in (("<Q", extended), ("<L", _bytes_at(file, table))):
        if isinstance(content, bytes) and content and len(content) % struct.calcsize(kind) == 0:
            numbers = [by_offset.get(offset, -1) for (offset,) in struct.iter_unpack(kind, content)]
            if numbers[0] == 0 and all(one < other for one, other in itertools.pairwise(numbers)):
                return numbers
    return []


def _bytes_at(file: BinaryIO, span: Span) -> bytes:
    file.seek(span[0])
    return file.read(span[1])


def true_syntax(said: Any, data: PixelData) -> Any:
    """Return the transfer syntax that decodes the pixel data, which is not always the one that the file names."""
    from pydicom import uid

    if not data.compressed:
        return said if said.is_transfer_syntax and not said.is_compressed else uid.ExplicitVRLittleEndian
    jpeg = read_jpeg_head(data.start)
    if jpeg is not None:
        return uid.UID(jpeg.syntax(str(said)))
    native = said.is_transfer_syntax and not said.is_compressed
    if data.start.startswith(_JPEG_2000_STARTS) and (native or said in uid.JPEGTransferSyntaxes):
        return uid.JPEG2000
    return uid.RLELossless if native and _begins_frame(data.start) else said
