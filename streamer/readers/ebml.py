"""The elements of EBML (RFC 8794), of which Matroska and WebM files are made (RFC 9559)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

SEGMENT: Final = 0x18538067
_CLUSTER: Final = 0x1F43B675
_CHECKSUM_HEAD: Final = b"\xbf\x84"  # a checksum of 4 bytes, which comes first in its element
_CHECKSUM_BYTES: Final = 4
_READ_BYTES: Final = 1 << 20


class Element(NamedTuple):
    """The place of an element's contents in a file.

    Attributes:
        begin: first byte.
        end: the byte after the last one, within what holds the element.
        whole: whether all of it is there, and its length is known.
    """

    begin: int
    end: int
    whole: bool


def elements(file: BinaryIO, begin: int, end: int, wanted: int) -> Iterator[Element]:
    """Find the elements of one kind in a part of a file, not those inside of others.

    Raises:
        struct.error, ArithmeticError: what is there is no EBML.
    """
    at = begin
    while at + 2 <= end:
        file.seek(at)
        name, _ = _number(file, keep_marker=True)
        size, unknown = _number(file, keep_marker=False)
        inside = file.tell()
        at = end if unknown else inside + size
        if name == wanted:
            yield Element(inside, min(at, end), not unknown and at <= end)


def _number(file: BinaryIO, *, keep_marker: bool) -> tuple[int, bool]:
    """A number whose length stands in its first bits; and whether all its other bits are set."""
    first = struct.unpack("B", file.read(1))[0]
    length = 9 - first.bit_length()
    if length > 8:
        raise ArithmeticError
    value = int.from_bytes(bytes([first]) + file.read(length - 1), "big")
    every_bit = (1 << 7 * length) - 1
    return (value if keep_marker else value & every_bit), value & every_bit == every_bit


def damaged_clusters(path: Path) -> int:
    """Return how many clusters of a Matroska file differ from their own checksum; 0 for those that have none.

    It is the only sign of bit errors in codecs whose decoders take any bits for a picture (VP8, VP9, FFV1 version 1).
    A cluster that the end of the file cuts off does not count.
    """
    count = 0
    try:
        with path.open("rb") as file:
            segment = next(elements(file, 0, path.stat().st_size, SEGMENT))
            for cluster in elements(file, segment.begin, segment.end, _CLUSTER):
                count += cluster.whole and _differs(file, cluster)
    except (OSError, struct.error, ArithmeticError, StopIteration):
        return count
    return count


def _differs(file: BinaryIO, element: Element) -> bool:
    file.seek(element.begin)
    if file.read(len(_CHECKSUM_HEAD)) != _CHECKSUM_HEAD:
        return False
    said, found = int.from_bytes(file.read(_CHECKSUM_BYTES), "little"), 0
    while file.tell() < element.end:
        data = file.read(min(_READ_BYTES, element.end - file.tell()))
        if not data:
            return False
        found = zlib.crc32(data, found)
    return said != found
