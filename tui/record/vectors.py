"""Image vectors of a session: ``embeddings.f16``, rows of half-precision numbers, little-endian.

Row n belongs to the n-th ``embedding`` message of ``session.db``, which says what frame it is of.
"""

from __future__ import annotations

import io
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.wire import NOTICE, Embedding, decode
from fetalstream.tui.record.session_files import write_whole
from fetalstream.tui.record.session_reader import open_database, read_about, read_file

FILE: Final = "embeddings.f16"
INDEX: Final = "embeddings.npz"
MOST_NUMBERS: Final = 8_192
"""The longest vector that a session may hold; those of today's models have 512 to 1,024 numbers."""

_BYTES: Final = 2
_UNNOTED_ROWS: Final = 4_096  # more than a writer leaves that dies between two commits
_ROWS: Final = "SELECT header FROM messages WHERE kind = 'embedding' ORDER BY rowid"


class VectorWriter:
    """A writer of rows beside a session's database; rows that the database does not know are cut off on opening."""

    def __init__(self, folder: Path, database: sqlite3.Connection) -> None:
        self._path = folder / FILE
        self._file: IO[bytes] | None = None
        if self._path.exists():
            dims = [msgspec.json.decode(header)["dim"] for (header,) in database.execute(_ROWS)]
            self._opened().truncate(sum(dims) * _BYTES)
            self._opened().seek(0, os.SEEK_END)

    def append(self, row: bytes) -> None:
        """Append a row, which is safe after `sync`."""
        self._opened().write(row)

    def sync(self) -> None:
        """Make the rows durable; call it before the database is committed that refers to them."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file of vectors; may be called twice."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        return self._file


class Vectors(NamedTuple):
    """The vectors of a session: ``rows`` (N, D) float16, and in ``frames`` the N headers of their messages."""

    rows: npt.NDArray[np.float16]
    frames: list[dict[str, Any]]


def read_vectors(folder: Path) -> Vectors:
    """Return the vectors of a session.

    Raises:
        ValueError: the session has none; one line that says what to do.
    """
    path = folder / "session.db"
    if not path.is_file():
        raise ValueError(f"{folder} is no session: give a folder that holds session.db")
    try:
        with closing(open_database(path)) as database:
            headers = [header for (header,) in database.execute(_ROWS)]
        frames = [decode(header.encode()) for header in headers]
        if not frames or not (folder / FILE).is_file():
            raise ValueError(f"{folder} holds no embeddings: record or analyze with --embeddings")
        dims = {message.dim if isinstance(message, Embedding) else 0 for message in frames}
        if len(dims) != 1 or not 0 < min(dims) <= MOST_NUMBERS:
            raise ValueError(f"{folder} holds embeddings of several sizes, or of an impossible one")
        (dim,) = dims
        rows = read_file(folder, FILE, (len(frames) + _UNNOTED_ROWS) * dim * _BYTES)
    except sqlite3.Error as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    except (OSError, AttributeError, UnicodeError, RecursionError, msgspec.DecodeError) as error:
        raise ValueError(f"the embeddings of {folder} cannot be read: {error}") from error
    whole = min(len(frames), len(rows) // (dim * _BYTES))
    return Vectors(
        np.frombuffer(rows, "<f2", whole * dim).reshape(whole, dim),
        [msgspec.json.decode(header) for header in headers[:whole]],
    )


def export_index(folder: Path, out: Path | None = None) -> Path:
    """Write ``embeddings.npz`` into ``out``, or into the session itself; return the file, which loads without pickle.

    It holds ``vectors`` (N, D) float16, the ``stream``, ``exam``, ``seq``, ``index``, ``epoch`` and ``pts_seconds`` of
    each row's frame, and in ``of``, as JSON, the model with the hashes of its weights and sentences, and the notice.

    Raises:
        ValueError: see `read_vectors`.
    """
    rows, headers = read_vectors(folder)
    about = read_about(folder)
    made_by = {"notice": NOTICE, "run": about.get("run"), "model": about.get("model")}
    messages = {name: np.array([header[name] for header in headers]) for name in ("stream", "exam", "seq")}
    positions = {
        name: np.array([each["frame"][name] for each in headers]) for name in ("index", "epoch", "pts_seconds")
    }
    of = np.array(msgspec.json.encode(made_by).decode())
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, vectors=rows, of=of, **messages, **positions)
    path = (folder if out is None else out) / INDEX
    write_whole(path, packed.getvalue())
    return path
