"""Pictures in a terminal's own pixels, by Kitty's graphics protocol: the sequences, and who uses which number.

A picture is sent under a number and shows wherever placeholder characters stand in the colour of that number; two
combining marks on each say which of its rows and columns the cell shows. So to everything between here and the
terminal a picture is text, which windows lie over and which goes away when other text takes its place.
https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

import numpy as np

from fetalstream.tui.pictures.render import Gray

_PLACEHOLDER: Final = "\U0010eeee"
# The marks above a letter of Unicode 6.0 that fuse with none, in order: the n-th stands for row or column n.
_MARKS_AT: Final = """
0305 030D-030E 0310 0312 033D-033F 0346 034A-034C 0350-0352 0357 035B 0363-036F 0483-0487 0592-0595 0597-0599 059C-05A1
05A8-05A9 05AB-05AC 05AF 05C4 0610-0617 0657-065B 065D-065E 06D6-06DC 06DF-06E2 06E4 06E7-06E8 06EB-06EC 0730 0732-0733
0735-0736 073A 073D 073F-0741 0743 0745 0747 0749-074A 07EB-07F1 07F3 0816-0819 081B-0823 0825-0827 0829-082D 0951
0953-0954 0F82-0F83 0F86-0F87 135D-135F 17DD 193A 1A17 1A75-1A7C 1B6B 1B6D-1B73 1CD0-1CD2 1CDA-1CDB 1CE0 1DC0-1DC1
1DC3-1DC9 1DCB-1DCC 1DD1-1DE6 1DFE 20D0-20D1 20D4-20D7 20DB-20DC 20E1 20E7 20E9 20F0 2CEF-2CF1 2DE0-2DFF A66F A67C-A67D
A6F0-A6F1 A8E0-A8F1 AAB0 AAB2-AAB3 AAB7-AAB8 AABE-AABF AAC1 FE20-FE26 10A0F 10A38 1D185-1D189 1D1AA-1D1AD 1D242-1D244
"""
_CHUNK: Final = 4096
NUMBERS: Final = 255
"""Pictures at once: numbers are colours of the 256, which pass where 24-bit colours do not."""


def _marks() -> Iterator[str]:
    for span in _MARKS_AT.split():
        first, _, last = span.partition("-")
        yield from map(chr, range(int(first, 16), int(last or first, 16) + 1))


MARKS: Final = tuple(_marks())
MOST_CELLS: Final = len(MARKS)
"""Rows or columns of cells that one picture can have."""


@lru_cache(1024)
def cells(row: int, columns: int) -> str:
    """Return one row of a picture as characters, each of one cell's width.

    Each character names its own place, so any part of the row that is drawn shows the right part of the picture.
    """
    return "".join(_PLACEHOLDER + MARKS[row] + mark for mark in MARKS[:columns])


def sent(number: int, pixels: Gray, columns: int, rows: int) -> str:
    """Return the sequence that sends a picture, uint8 ``(height, width)``, to be shown in ``columns`` x ``rows`` cells.

    Its aspect is kept. An older picture of that number is deleted first: terminals differ in what they keep of it.
    """
    data = b64encode(_png(pixels)).decode()
    chunks = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
    head = f"a=T,U=1,f=100,i={number},c={columns},r={rows},"
    parts = (
        f"\x1b_G{'' if at else head}m={int(at < len(chunks) - 1)},q=2;{chunk}\x1b\\" for at, chunk in enumerate(chunks)
    )
    return deleted(number) + "".join(parts)


def deleted(number: int) -> str:
    """Return the sequence that deletes a picture with its data."""
    return f"\x1b_Ga=d,d=I,q=2,i={number}\x1b\\"


def _png(pixels: Gray) -> bytes:
    # Pillow tries five filters a row: three times the time for a sixth more bytes (640 x 480 phantom).
    height, width = pixels.shape
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = 1  # each pixel less its left neighbour
    rows[:, 1] = pixels[:, 0]
    np.subtract(pixels[:, 1:], pixels[:, :-1], out=rows[:, 2:])
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    packed = packer.compress(rows.tobytes()) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _block(b"IHDR", header) + _block(b"IDAT", packed) + _block(b"IEND", b"")


def _block(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


class Kitty:
    """Keeps account of the pictures that one terminal holds.

    Args:
        write: writes a sequence to the terminal, in order with all else that is drawn.
        cell_px: width and height of a cell as it is now, pixels.

    Attributes:
        detail: pixels sent for one of the terminal's, in each direction; less than 1 if the terminal is slow.
        cleared: how often all pictures were deleted; a picture that was sent before has to be sent again.
    """

    def __init__(self, write: Callable[[str], None], cell_px: Callable[[], tuple[int, int]]) -> None:
        self.cell_px = cell_px
        self.detail = 1.0
        self.cleared = 0
        self._write = write
        self._free = deque(range(1, NUMBERS + 1))  # the longest free is taken: no cell shows it any more
        self._held: set[int] = set()

    def numbers(self) -> tuple[int, int] | None:
        """Return two numbers to be shown by turns; None if all are in use."""
        return None if len(self._free) < 2 else (self._free.popleft(), self._free.popleft())

    def send(self, number: int, pixels: Gray, columns: int, rows: int) -> None:
        """Send a picture under a number, as ``sent`` describes."""
        self._held.add(number)
        self._write(sent(number, pixels, columns, rows))

    def give_back(self, numbers: tuple[int, int]) -> None:
        """Delete the pictures of two numbers, which are then free for others."""
        self._delete(self._held.intersection(numbers))
        self._free += numbers

    def clear(self) -> None:
        """Delete all pictures of the terminal."""
        self.cleared += 1
        self._delete(set(self._held))

    def _delete(self, numbers: set[int]) -> None:
        if numbers:
            self._held -= numbers
            self._write("".join(map(deleted, sorted(numbers))))
