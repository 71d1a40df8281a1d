"""The index at the end of an AVI file, for the frames that are not there because they repeat the one before."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

_CHUNK: Final = struct.Struct("<4sI")
_ENTRY: Final = np.dtype([("stream", "S2"), ("kind", "S2"), ("flags", "<u4"), ("offset", "<u4"), ("size", "<u4")])
_PICTURES: Final = (b"dc", b"db")
_LARGEST_BYTES: Final = 1 << 26


def null_frames(path: Path, stream_index: int) -> int:
    """Return how many frames of a stream the index lists with no bytes; 0 if there is no index.

    Such a frame stands for another showing of the frame before it (AVI RIFF File Reference, "AVIOLDINDEX").
    """
    try:
        with path.open("rb") as file:
            entries = np.frombuffer(_index(file), _ENTRY)
    except (OSError, ValueError, struct.error):
        return 0
    ours = (entries["stream"] == f"{stream_index:02d}".encode()) & np.isin(entries["kind"], _PICTURES)
    return int((ours & (entries["size"] == 0)).sum())


def _index(file: BinaryIO) -> bytes:
    file.seek(12)  # behind "RIFF", its size and "AVI "
    while True:
        name, size = _CHUNK.unpack(file.read(_CHUNK.size))
        if name == b"idx1":
            return file.read(min(size, _LARGEST_BYTES) // _ENTRY.itemsize * _ENTRY.itemsize)
        file.seek(size + size % 2, 1)
