"""The last minutes of what was published are kept, so that a listener who lost something can ask for it again."""

from __future__ import annotations

import threading
import zlib
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

RING_BYTES: Final = 64 * 2**20
# Readings come by the thousand: in a ring of their own they never push out the few events and keyframes.
_SHARES: Final = {"reading": 0.875, "event": 0.0625, "keyframe": 0.0625}
_ENTRY_BYTES: Final = 160  # of Python's objects round each header
REPLY_BYTES: Final = 4 * 2**20
"""Most bytes of headers in one answer; the listener asks for the rest."""
# 27 µs a reading of 1.9 kB, which then takes half of that: four streams of 30 readings a second are held for 7 minutes.
_LEVEL: Final = 1


class Refill(NamedTuple):
    """Headers after the one asked for, in order; ``oldest`` and ``newest`` are the ``seq`` held (None: nothing).

    ``more``: the answer was cut, ask again after its last ``seq``.
    """

    headers: list[bytes]
    oldest: int | None
    newest: int | None
    more: bool


class ReplayBuffer:
    """Keeps encoded headers by kind, stream and ``seq``, in bounded memory; the oldest of a kind go first.

    May be used from several threads.
    """

    def __init__(self, capacity_bytes: int = RING_BYTES) -> None:
        self._shelves = {kind: _Shelf(round(capacity_bytes * share)) for kind, share in _SHARES.items()}
        self._lock = threading.Lock()

    def add(self, kind: str, stream: str, seq: int, header: bytes) -> None:
        """Keep a header whose ``seq`` follows the last one of its kind and stream; other kinds are ignored."""
        if kind in self._shelves:
            packed = zlib.compress(header, _LEVEL)
            with self._lock:
                self._shelves[kind].add(stream, seq, packed)

    def since(self, kind: str, stream: str, seq: int) -> Refill:
        """Return the headers that came after ``seq``; -1 for all that is held.

        Raises:
            KeyError: this kind is not kept.
        """
        with self._lock:
            found = self._shelves[kind].since(stream, seq)
        # Unpacked by whoever asks, while the engine goes on adding.
        taken: list[bytes] = []
        size = 0
        for packed in found.headers:
            header = zlib.decompress(packed)
            size += len(header)
            if taken and size > REPLY_BYTES:
                return found._replace(headers=taken, more=True)
            taken.append(header)
        return found._replace(headers=taken)


@dataclass(slots=True)
class _Row:
    first: int
    headers: deque[bytes]


class _Shelf:
    """The packed headers of one kind."""

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity_bytes = capacity_bytes
        self._bytes = 0
        self._rows: dict[str, _Row] = {}
        self._order: deque[str] = deque()  # streams, as their headers came

    def add(self, stream: str, seq: int, header: bytes) -> None:
        row = self._rows.setdefault(stream, _Row(seq, deque()))
        row.headers.append(header)
        self._order.append(stream)
        self._bytes += len(header) + _ENTRY_BYTES
        while self._bytes > self._capacity_bytes:
            oldest = self._rows[self._order.popleft()]
            self._bytes -= len(oldest.headers.popleft()) + _ENTRY_BYTES
            oldest.first += 1

    def since(self, stream: str, seq: int) -> Refill:
        row = self._rows.get(stream)
        if row is None or not row.headers:
            return Refill([], None, None if row is None else row.first - 1, more=False)
        newest = row.first + len(row.headers) - 1
        # islice walks once; indexing into the middle of a deque would walk for every header.
        wanted = list(islice(row.headers, max(0, seq + 1 - row.first), None))
        return Refill(wanted, row.first, newest, more=False)
