"""The head of a JPEG stream: how it is coded, and how its components are sampled.

Source: ITU-T T.81, B.2.2 (frame header) and Table B.1 (markers); ITU-T T.87, C.1 (JPEG-LS).
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

_START: Final = b"\xff\xd8"
_BASELINE, _EXTENDED, _LOSSLESS, _LS = 0xC0, 0xC1, 0xC3, 0xF7
_FRAME_HEADERS: Final = (*(mark for mark in range(0xC0, 0xD0) if mark not in (0xC4, 0xC8, 0xCC)), _LS)
_SCAN: Final = 0xDA
_WITHOUT_LENGTH: Final = (0x01, *range(0xD0, 0xD8))

_BASELINE_SYNTAX: Final = "1.2.840.10008.1.2.4.50"
_EXTENDED_SYNTAX: Final = "1.2.840.10008.1.2.4.51"
_LOSSLESS_SYNTAXES: Final = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
_LS_SYNTAXES: Final = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
_BYTE_BITS: Final = 8


class JpegHead(NamedTuple):
    """The content of a JPEG stream's frame header.

    Attributes:
        marker: second byte of the frame header's marker, 0xC0 for baseline.
        precision: bits of a sample.
        sampling: horizontal and vertical sampling factor of each component.
    """

    marker: int
    precision: int
    sampling: tuple[tuple[int, int], ...]

    @property
    def subsampled(self) -> bool:
        """True if components have different numbers of pixels."""
        return len(set(self.sampling)) > 1

    def syntax(self, said: str) -> str:
        """Return the DICOM transfer syntax of the stream: the one that the file names, unless it cannot be true."""
        if self.marker == _LS:
            return said if said in _LS_SYNTAXES else _LS_SYNTAXES[0]
        if self.marker == _LOSSLESS:
            return said if said in _LOSSLESS_SYNTAXES else _LOSSLESS_SYNTAXES[0]
        if self.marker in (_BASELINE, _EXTENDED):
            return _BASELINE_SYNTAX if self.precision == _BYTE_BITS else _EXTENDED_SYNTAX
        return said


def read_jpeg_head(stream: bytes) -> JpegHead | None:
    """Read the frame header of a JPEG stream's beginning; None if there is none."""
    if not stream.startswith(_START):
        return None
    at = len(_START)
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", stream, at + 2)
        if marker in _FRAME_HEADERS:
            return _frame_header(marker, stream[at + 4 : at + 2 + length])
        if marker == _SCAN:
            return None
        at += 2 + length
    return None


def _frame_header(marker: int, body: bytes) -> JpegHead | None:
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        return None
    factors = (body[6 + 3 * number + 1] for number in range(body[5]))
    return JpegHead(marker, body[0], tuple((both >> 4, both & 15) for both in factors))
