"""Memory that the capturing process fills and the analysing one reads: no pixel is copied from one to the other.

It has no name, so nothing is left behind whichever side is killed. The child cuts it into places of one size and says
which place holds what; the parent maps it read-only and says which places nobody looks at any more.
"""

from __future__ import annotations

import fcntl
import heapq
import mmap
import os
import sys
import tempfile
import threading
import weakref
from collections import Counter, deque
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from fetalstream.streamer.frame import Pixels

PLACES: Final = 32
"""In one piece of memory, so that frames kept for clips do not take a file descriptor each."""

_PIECE_BYTES: Final = 256 << 20  # of addresses; pages are taken when they are first written


class Place(NamedTuple):
    """Where a frame goes, ``memory`` uint8 (size,); ``number`` tells it to the other side."""

    number: int
    memory: Pixels


class SlotWriter:
    """The child's side: hands out places. One thread takes and puts back, others may send and give back."""

    def __init__(self) -> None:
        self._size = 0
        self._pieces: dict[int, Pixels] = {}
        self._untold: dict[int, int] = {}  # open files that the other side has not been sent yet
        self._unsent: Counter[int] = Counter()  # places of a piece that were taken, and not sent so far
        self._free: list[int] = []  # a heap, the lowest first: memory that was never needed is never touched
        self._made = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> Place:
        """A place of ``size`` bytes that nobody reads. What was lent at another size is forgotten.

        Raises:
            OSError: there is no memory.
        """
        with self._lock:
            if size != self._size:
                self._size = size
                self._pieces.clear()
                self._free.clear()
                self._close_forgotten()
            if not self._free:
                self._new_piece()
            number = heapq.heappop(self._free)
            self._unsent[number // PLACES] += 1
            return Place(number, self._pieces[number // PLACES][number % PLACES])

    def put_back(self, number: int) -> None:
        """A place that was taken and will not be sent."""
        with self._lock:
            self._unsent[number // PLACES] -= 1
            self._free_again(number)
            self._close_forgotten()

    def piece_of(self, number: int) -> int | None:
        """A place is sent: the open file that it is in, to be sent with it and closed by the caller; None where the
        other side has it."""
        with self._lock:
            self._unsent[number // PLACES] -= 1
            return self._untold.pop(number // PLACES, None)

    def give_back(self, numbers: Iterable[int]) -> None:
        """These places, which were sent, can be written again."""
        with self._lock:
            for number in numbers:
                self._free_again(number)

    def _free_again(self, number: int) -> None:
        if number // PLACES in self._pieces:
            heapq.heappush(self._free, number)

    def _close_forgotten(self) -> None:
        """Files that the other side was never sent, and never will be."""
        for piece in [each for each in self._untold if each not in self._pieces and not self._unsent[each]]:
            os.close(self._untold.pop(piece))
        self._unsent = +self._unsent  # of pieces with nothing under way there is nothing to be known

    def _new_piece(self) -> None:
        places = max(1, min(PLACES, _PIECE_BYTES // self._size))
        piece = _file_of(places * self._size)
        try:
            memory = np.frombuffer(mmap.mmap(piece, places * self._size), np.uint8)
        except BaseException:
            os.close(piece)
            raise
        self._pieces[self._made] = memory.reshape(places, self._size)
        self._untold[self._made] = piece
        self._free.extend(self._made * PLACES + place for place in range(places))
        self._made += 1


class SlotReader:
    """The parent's side: reads places. For one thread; frames may be let go of in any."""

    def __init__(self) -> None:
        self._size = 0
        self._pieces: dict[int, mmap.mmap] = {}
        self._lent: dict[int, weakref.ref[Pixels]] = {}
        self._over: deque[int] = deque()

    def pixels(self, number: int, size: int, piece: int | None = None) -> Pixels:
        """The bytes of a place, uint8 ``(size,)``, read-only; they stay as they are for as long as they are held.

        Args:
            number: of the place.
            size: of the frame in it.
            piece: the open file that the place is in, where it is a new one; it stays the caller's.

        Raises:
            ValueError: there is no such place, or its memory could be taken away again.
        """
        if piece is not None:
            self._open(number // PLACES, size, piece)
        memory = self._pieces.get(number // PLACES)
        start = number % PLACES * size
        if memory is None or size != self._size or start + size > len(memory) or number in self._lent:
            raise ValueError("a frame is in no place that was lent")
        # An array of its own for each time a place is lent: every view keeps it, and it dies with the last of them.
        pixels = np.frombuffer(memory, np.uint8, size, start)
        self._lent[number] = weakref.ref(pixels, lambda _: self._over.append(number))
        return pixels

    def given_back(self) -> list[int]:
        """Places that nobody looks at any more; each is named once."""
        over: list[int] = []
        while self._over:
            over.append(self._over.popleft())
            self._lent.pop(over[-1], None)
        return over

    def _open(self, number: int, size: int, piece: int) -> None:
        count = os.fstat(piece).st_size // size
        # What can be cut short by the other side would end this process when it is read.
        sealed = sys.platform != "linux" or fcntl.fcntl(piece, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK
        if count < 1 or not sealed:
            raise ValueError("memory that was lent is none, or could be taken away again")
        # A number left out is of a piece of another size that was forgotten before it was sent, and all before it were.
        if size != self._size or number - 1 not in self._pieces:
            self._size = size
            self._pieces.clear()
            self._lent.clear()
        self._pieces[number] = mmap.mmap(piece, count * size, prot=mmap.PROT_READ)


def _file_of(size: int) -> int:
    """An open file without a name: memory on Linux, elsewhere one that was removed from its folder already."""
    if sys.platform == "linux":
        piece = os.memfd_create("fetalstream", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    else:
        with tempfile.TemporaryFile() as unnamed:
            piece = os.dup(unnamed.fileno())
    try:
        os.truncate(piece, size)
        if sys.platform == "linux":
            fcntl.fcntl(piece, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    except BaseException:
        os.close(piece)
        raise
    return piece
