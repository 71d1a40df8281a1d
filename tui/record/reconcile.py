"""Whether a session's index and its pictures and clips on disk agree.

They may not where a machine went down between the two, or where somebody moved files about.
"""

from __future__ import annotations

import hashlib
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from fetalstream.tui.record.session_clips import clip_path
from fetalstream.tui.record.session_files import safe_name

_FILES: Final = ("keyframes/*/*.png", "clips/*.mkv")


class _Sidecar(msgspec.Struct):
    sha256: str


class _Entry(NamedTuple):
    """What the index says of a picture or a clip: ``file`` is where it is, or would be."""

    what: str
    keyframe: str
    saved: bool
    file: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What does not agree.

    Attributes:
        pictures: keyframes whose pictures were saved and are not there.
        clips: those whose clips were saved and are not there.
        strays: pictures and clips that the index does not know, as paths in the session's folder.
    """

    pictures: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()

    @property
    def words(self) -> str | None:
        """One line for a person; None where all agrees."""
        missing = len(self.pictures) + len(self.clips)
        return _line((missing, "saved ", "missing"), (len(self.strays), "", "in no index and not shown"))


@dataclass(frozen=True, slots=True)
class Repair:
    """What was amiss when a session was opened for writing again, as paths in its folder.

    Attributes:
        lost: saved and not there: they are wanted again.
        found: written and not noted, when a writer died: they are saved.
        strays: see `Mismatch`; they are left alone.
    """

    lost: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()

    @property
    def words(self) -> str | None:
        """One line for a person; None where nothing was amiss."""
        return _line(
            (len(self.lost), "saved ", "missing, asked for again"),
            (len(self.found), "unnoted ", "there, noted now"),
            (len(self.strays), "", "in no index, left alone"),
        )


def amiss(folder: Path, database: sqlite3.Connection) -> Mismatch:
    """Compares; nothing is changed.

    Raises:
        sqlite3.Error: the index cannot be read.
    """
    # Before the index: what is being written meanwhile comes into it after the file.
    there = [str(path.relative_to(folder)) for pattern in _FILES for path in sorted(folder.glob(pattern))]
    saved = [entry for entry in _entries(database) if entry.saved]
    known = {entry.file for entry in saved}
    missing = [entry for entry in saved if not _is_file(folder / entry.file)]
    return Mismatch(
        tuple(entry.keyframe for entry in missing if entry.what == "picture"),
        tuple(entry.keyframe for entry in missing if entry.what == "clip"),
        tuple(path for path in there if path not in known),
    )


def mend(folder: Path, database: sqlite3.Connection) -> Repair:
    """Makes the index say what is there; for whoever holds the session for writing, who commits it.

    Raises:
        sqlite3.Error: the index cannot be written.
    """
    lost: list[str] = []
    found: list[str] = []
    for entry in list(_entries(database)):
        if entry.saved and not _is_file(folder / entry.file):
            lost.append(entry.file)
            _note(database, entry, "wanted", None)
        elif not entry.saved and _is_whole(folder / entry.file):
            found.append(entry.file)
            _note(database, entry, "saved", entry.file)
    return Repair(tuple(lost), tuple(found), amiss(folder, database).strays)


def _entries(database: sqlite3.Connection) -> Iterator[_Entry]:
    pictures = "SELECT keyframe, picture, file, plane FROM keyframes ORDER BY rowid"
    for keyframe, state, file, plane in database.execute(pictures).fetchall():
        where = f"keyframes/{safe_name(plane)}/{safe_name(keyframe)}.png"
        yield _Entry("picture", keyframe, state == "saved", str(file) if state == "saved" else where)
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'clips'").fetchone() is None:
        return  # of the time before clips
    for keyframe, state, file in database.execute("SELECT keyframe, clip, file FROM clips ORDER BY rowid").fetchall():
        where = clip_path(Path(), keyframe).as_posix()
        yield _Entry("clip", keyframe, state == "saved", str(file) if state == "saved" else where)


def _note(database: sqlite3.Connection, entry: _Entry, state: str, file: str | None) -> None:
    noted = {
        "picture": "UPDATE keyframes SET picture = ?, file = ? WHERE keyframe = ?",
        "clip": "UPDATE clips SET clip = ?, file = ? WHERE keyframe = ?",
    }
    database.execute(noted[entry.what], (state, file, entry.keyframe))


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _is_whole(path: Path) -> bool:
    """Whether a picture or a clip is there, and as its sidecar, which is written first, says."""
    try:
        about = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=_Sidecar)
        return _is_file(path) and hashlib.sha256(path.read_bytes()).hexdigest() == about.sha256
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return False


def _line(*told: tuple[int, str, str]) -> str | None:
    parts: Iterable[str] = (
        f"{count} {which}picture{'s' if count > 1 else ''} or clip{'s are' if count > 1 else ' is'} {words}"
        for count, which, words in told
        if count
    )
    return "; ".join(parts) or None
