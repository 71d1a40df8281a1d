"""Memory that the capturing process fills and the analysing one reads: no pixel is copied from one to the other.

The memory has no name, so nothing is left behind whichever side is killed. The child cuts it into slots of one size
and says which slot holds what; the parent maps it read-only and says which slots nobody looks at any more.
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

SLOTS: Final = 32
"""Slots in one block of memory, so that frames kept for clips do not take a file descriptor each."""

_BLOCK_BYTES: Final = 256 << 20  # of addresses; pages are taken when they are first written


class Slot(NamedTuple):
    """Memory for one frame.

    ``number`` names the slot to the other side: slots are numbered through all blocks. ``memory`` is uint8 ``(size,)``.
    """

    number: int
    memory: Pixels


class SlotWriter:
    """The child's side, which hands out slots. One thread acquires and cancels, others may send and release."""

    def __init__(self) -> None:
        self._size = 0
        self._blocks: dict[int, Pixels] = {}
        self._unsent_files: dict[int, int] = {}  # open files of blocks that the other side has not been sent yet
        self._acquired: Counter[int] = Counter()  # slots of a block that were acquired, and not sent so far
        self._free: list[int] = []  # a heap, the lowest first: memory that was never needed is never touched
        self._made = 0
        self._lock = threading.Lock()

    def acquire(self, size: int) -> Slot:
        """Return a slot of ``size`` bytes that nobody reads. Blocks of another size are forgotten.

        Raises:
            OSError: there is no memory.
        """
        with self._lock:
            if size != self._size:
                self._size = size
                self._blocks.clear()
                self._free.clear()
                self._close_forgotten()
            if not self._free:
                self._add_block()
            number = heapq.heappop(self._free)
            self._acquired[number // SLOTS] += 1
            return Slot(number, self._blocks[number // SLOTS][number % SLOTS])

    def cancel(self, number: int) -> None:
        """Free a slot that was acquired and will not be sent."""
        with self._lock:
            self._acquired[number // SLOTS] -= 1
            self._free_again(number)
            self._close_forgotten()

    def send(self, number: int) -> int | None:
        """Count a slot as sent.

        Returns:
            The open file of the slot's block, to be sent with it and closed by the caller; None if the other side has
            it already.
        """
        with self._lock:
            self._acquired[number // SLOTS] -= 1
            return self._unsent_files.pop(number // SLOTS, None)

    def release(self, numbers: Iterable[int]) -> None:
        """Let these slots, which were sent, be written again."""
        with self._lock:
            for number in numbers:
                self._free_again(number)

    def _free_again(self, number: int) -> None:
        if number // SLOTS in self._blocks:
            heapq.heappush(self._free, number)

    def _close_forgotten(self) -> None:
        """Close the files of forgotten blocks that the other side was never sent, and never will be."""
        for block in [each for each in self._unsent_files if each not in self._blocks and not self._acquired[each]]:
            os.close(self._unsent_files.pop(block))
        self._acquired = +self._acquired  # drops the blocks of which no slot is acquired

    def _add_block(self) -> None:
        slots = max(1, min(SLOTS, _BLOCK_BYTES // self._size))
        file = _unnamed_file(slots * self._size)
        try:
            memory = np.frombuffer(mmap.mmap(file, slots * self._size), np.uint8)
        except BaseException:
            os.close(file)
            raise
        self._blocks[self._made] = memory.reshape(slots, self._size)
        self._unsent_files[self._made] = file
        self._free.extend(self._made * SLOTS + slot for slot in range(slots))
        self._made += 1


class SlotReader:
    """The parent's side, which reads slots. For one thread; the pixels may be let go of in any."""

    def __init__(self) -> None:
        self._size = 0
        self._blocks: dict[int, mmap.mmap] = {}
        self._in_use: dict[int, weakref.ref[Pixels]] = {}
        self._unused: deque[int] = deque()

    def pixels(self, number: int, size: int, file: int | None = None) -> Pixels:
        """Return the bytes of a slot, uint8 ``(size,)``, read-only; they do not change for as long as they are held.

        Args:
            number: of the slot.
            size: of the frame in it, bytes.
            file: the open file of the slot's block, if it is a new one; it stays the caller's.

        Raises:
            ValueError: there is no such slot, or its memory could be taken away again.
        """
        if file is not None:
            self._map(number // SLOTS, size, file)
        memory = self._blocks.get(number // SLOTS)
        start = number % SLOTS * size
        if memory is None or size != self._size or start + size > len(memory) or number in self._in_use:
            raise ValueError("a frame is in no slot that was sent")
        # An array of its own for each time a slot is sent: every view keeps it, and it dies with the last of them.
        pixels = np.frombuffer(memory, np.uint8, size, start)
        self._in_use[number] = weakref.ref(pixels, lambda _: self._unused.append(number))
        return pixels

    def released(self) -> list[int]:
        """Return the slots that nobody looks at any more; each is named once."""
        released: list[int] = []
        while self._unused:
            released.append(self._unused.popleft())
            self._in_use.pop(released[-1], None)
        return released

    def _map(self, block: int, size: int, file: int) -> None:
        count = os.fstat(file).st_size // size
        # What can be cut short by the other side would end this process when it is read.
        sealed = sys.platform != "linux" or fcntl.fcntl(file, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK
        if count < 1 or not sealed:
            raise ValueError("the memory that was sent is none, or could be taken away again")
        # A number left out is of a block of another size that was forgotten before it was sent, and all before it were.
        if size != self._size or block - 1 not in self._blocks:
            self._size = size
            self._blocks.clear()
            self._in_use.clear()
        self._blocks[block] = mmap.mmap(file, count * size, prot=mmap.PROT_READ)


def _unnamed_file(size: int) -> int:
    """Open a file without a name: memory on Linux, elsewhere one that was removed from its folder already."""
    if sys.platform == "linux":
        file = os.memfd_create("fetalstream", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    else:
        with tempfile.TemporaryFile() as unnamed:
            file = os.dup(unnamed.fileno())
    try:
        os.truncate(file, size)
        if sys.platform == "linux":
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    except BaseException:
        os.close(file)
        raise
    return file
