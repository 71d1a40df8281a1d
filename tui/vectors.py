"""Image vectors of a session: ``embeddings.f16``, rows of half-precision numbers, little-endian.

Row n belongs to the n-th ``embedding`` message of ``session.db``, which says what frame it is of.
"""

from __future__ import annotations

import io
import os
import sqlite3
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from tui.session_files import write_whole

FILE: Final = "embeddings.f16"
INDEX: Final = "embeddings.npz"
_BYTES: Final = 2
_ROWS: Final = "SELECT header FROM messages WHERE kind = 'embedding' ORDER BY rowid"


class VectorWriter:
    """Appends rows beside a session's database; what the database does not know of is cut off on opening."""

    def __init__(self, folder: Path, database: sqlite3.Connection) -> None:
        self._path = folder / FILE
        self._file: IO[bytes] | None = None
        if self._path.exists():
            dims = [msgspec.json.decode(header)["dim"] for (header,) in database.execute(_ROWS)]
            self._opened().truncate(sum(dims) * _BYTES)
            self._opened().seek(0, os.SEEK_END)

    def append(self, row: bytes) -> None:
        """A row; safe after `sync`."""
        self._opened().write(row)

    def sync(self) -> None:
        """Make the rows durable: to be called before the database says that they are there."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Lets go; may be called twice."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        return self._file


class Vectors(NamedTuple):
    """``rows``: (N, D) float16; ``frames``: N headers of the messages that brought them."""

    rows: npt.NDArray[np.float16]
    frames: list[dict[str, Any]]


def read_vectors(folder: Path) -> Vectors:
    """The vectors of a session.

    Raises:
        ValueError: it has none; one line that says what to do.
    """
    path = folder / "session.db"
    if not path.is_file():
        raise ValueError(f"{folder} is no session: give a folder that holds session.db")
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        frames = [msgspec.json.decode(header) for (header,) in database.execute(_ROWS)]
    finally:
        database.close()
    if not frames or not (folder / FILE).is_file():
        raise ValueError(f"{folder} holds no embeddings: record or analyze with --embeddings")
    dim = int(frames[0]["dim"])
    numbers = np.fromfile(folder / FILE, dtype="<f2")
    whole = min(len(frames), len(numbers) // dim)
    return Vectors(numbers[: whole * dim].reshape(whole, dim), frames[:whole])


def export_index(folder: Path) -> Path:
    """Writes ``embeddings.npz``: ``vectors`` (N, D) float16 with ``stream``, ``exam``, ``index``, ``epoch`` and
    ``pts_seconds`` of each row's frame.

    Raises:
        ValueError: see `read_vectors`.
    """
    rows, frames = read_vectors(folder)
    seen = [frame["frame"] for frame in frames]
    packed = io.BytesIO()
    np.savez(
        packed,
        vectors=rows,
        stream=np.array([frame["stream"] for frame in frames]),
        exam=np.array([frame["exam"] for frame in frames]),
        index=np.array([frame["index"] for frame in seen]),
        epoch=np.array([frame["epoch"] for frame in seen]),
        pts_seconds=np.array([frame["pts_seconds"] for frame in seen]),
    )
    write_whole(folder / INDEX, packed.getvalue())
    return folder / INDEX
