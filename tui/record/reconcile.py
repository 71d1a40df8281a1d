"""The comparison of a session's index with its pictures and clips on disk, and the index's repair.

They differ if a machine went down while one was written and not the other, or if somebody moved files.
"""

from __future__ import annotations

import hashlib
import sqlite3
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from fetalstream.tui.record.keyframe_files import CLIPS, PICTURES, FileKind, files_of
from fetalstream.tui.record.session_reader import CLIP_BYTES, SIDECAR_BYTES, read_file

_FILES: Final = ("keyframes/*/*.png", "clips/*.mkv")


class _Sidecar(msgspec.Struct):
    sha256: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The differences between a session's index and its files.

    Attributes:
        pictures: ids of best frames whose pictures were saved and are not there.
        clips: ids of best frames whose clips were saved and are not there.
        strays: pictures and clips that the index does not know, as paths in the session's folder.
    """

    pictures: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()

    @property
    def words(self) -> str | None:
        """The differences in one line, None if there are none."""
        missing = len(self.pictures) + len(self.clips)
        return _line((missing, "saved ", "missing"), (len(self.strays), "", "in no index and not shown"))


@dataclass(frozen=True, slots=True)
class Repair:
    """The repair of an index when a session was opened for writing again, as paths in its folder.

    Attributes:
        lost: files that were saved and are not there; they are wanted again.
        found: files that were written and not noted when a writer died; they are noted as saved.
        strays: see `Mismatch`; they are left alone.
    """

    lost: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()

    @property
    def words(self) -> str | None:
        """The repair in one line, None if nothing was to be repaired."""
        return _line(
            (len(self.lost), "saved ", "missing, asked for again"),
            (len(self.found), "unnoted ", "there, noted now"),
            (len(self.strays), "", "in no index, left alone"),
        )


def mismatch(folder: Path, database: sqlite3.Connection) -> Mismatch:
    """Compare a session's index with its files; nothing is changed.

    Raises:
        sqlite3.Error: the index cannot be read.
    """
    # Before the index: what is being written meanwhile comes into it after the file.
    there = [str(path.relative_to(folder)) for pattern in _FILES for path in sorted(folder.glob(pattern))]
    known: set[str] = set()
    missing: dict[FileKind, tuple[str, ...]] = {}
    for files in files_of(folder, database):
        saved = [entry for entry in files.entries() if entry.state == "saved"]
        known |= {entry.file for entry in saved}
        missing[files.kind] = tuple(entry.keyframe for entry in saved if not _is_file(folder, entry.file))
    strays = tuple(path for path in there if path not in known)
    return Mismatch(missing[PICTURES], missing.get(CLIPS, ()), strays)


def repair(folder: Path, database: sqlite3.Connection) -> Repair:
    """Correct the index of a session that is held for writing; the caller commits it.

    Raises:
        sqlite3.Error: the index cannot be written.
    """
    lost: list[str] = []
    found: list[str] = []
    for files in files_of(folder, database):
        for keyframe, state, file in files.entries():
            if state == "saved" and not _is_file(folder, file):
                lost.append(file)
                files.note(keyframe, "wanted")
            elif state != "saved" and _is_whole(folder, file):
                found.append(file)
                files.note(keyframe, "saved", file)
    return Repair(tuple(lost), tuple(found), mismatch(folder, database).strays)


def _is_file(folder: Path, file: str) -> bool:
    try:
        return stat.S_ISREG((folder / file).lstat().st_mode)
    except (OSError, ValueError):  # a NUL in the name
        return False


def _is_whole(folder: Path, file: str) -> bool:
    """Whether a file is there with the hash in its sidecar, which is written first."""
    try:
        beside = read_file(folder, str(PurePosixPath(file).with_suffix(".json")), SIDECAR_BYTES)
        sidecar = msgspec.json.decode(beside, type=_Sidecar)
        return hashlib.sha256(read_file(folder, file, CLIP_BYTES)).hexdigest() == sidecar.sha256
    except (OSError, ValueError, RecursionError):
        return False


def _line(*counts: tuple[int, str, str]) -> str | None:
    parts: Iterable[str] = (
        f"{count} {which}picture{'s' if count > 1 else ''} or clip{'s are' if count > 1 else ' is'} {words}"
        for count, which, words in counts
        if count
    )
    return "; ".join(parts) or None
