"""Retention of sessions: which of those in a folder are due to be removed, and their removal, whole or not at all.

A session is renamed first and deleted then: if the removal is cut short it is no session any more, and the rest of it
is deleted with the next removal.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from calendar import timegm
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import strptime
from typing import Final

from fetalstream.tui.errors import UserError
from fetalstream.tui.record.session_files import LOCK, lock_folder, sync_folder
from fetalstream.tui.record.store import DATABASE

_SESSION: Final = re.compile(r"(\d{8}T\d{6}Z)_[A-Za-z0-9_-]{1,64}", re.ASCII)
_REMNANT: Final = re.compile(rf"\.{_SESSION.pattern}\.purged", re.ASCII)
_DATABASE_MAGIC: Final = b"SQLite format 3\0"


class RetentionError(UserError):
    """Nothing may be removed from a folder; ``str()`` is one line that says why."""


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session on disk: the size of all its files, and when it was last written, seconds since 1970."""

    folder: Path
    size_bytes: int
    written_s: float


@dataclass(frozen=True, slots=True)
class FolderListing:
    """The contents of a folder of sessions.

    Attributes:
        sessions: the sessions, oldest first.
        remnants: folders that an earlier removal did not finish.
        others: the number of other things in it, which are left alone.
    """

    sessions: tuple[KeptSession, ...]
    remnants: tuple[Path, ...]
    others: int


@dataclass(frozen=True, slots=True)
class Due:
    """The sessions that are due: those ``going``, oldest first, and ``busy`` ones that are being written and stay."""

    going: tuple[KeptSession, ...]
    busy: tuple[KeptSession, ...]


def look_into(folder: Path) -> FolderListing:
    """Return the contents of a folder of sessions; nothing is changed, and no link is followed out of it.

    A session is a folder with the name that the recorder gave it and a database in it; one that somebody renamed is
    somebody's own.

    Raises:
        RetentionError: it is a session itself, or holds none.
        OSError: it cannot be read.
    """
    if (folder / DATABASE).exists():
        raise RetentionError(f"{folder} is a session: give the folder that it is in")
    if not folder.is_dir():
        raise RetentionError(f"{folder} is no folder of sessions: there is no such folder")
    sessions: list[KeptSession] = []
    remnants: list[Path] = []
    others = 0
    for path in sorted(folder.iterdir()):
        if _REMNANT.fullmatch(path.name) and _is(path, stat.S_ISDIR):
            remnants.append(path)
        elif (session := _session(path)) is not None:
            sessions.append(session)
        else:
            others += 1
    if others and not sessions and not remnants:
        raise RetentionError(f"{folder} is no folder of sessions: none of what is in it is one")
    return FolderListing(tuple(sorted(sessions, key=lambda each: each.written_s)), tuple(remnants), others)


def due(
    sessions: Sequence[KeptSession], now_s: float, *, older_than_s: float | None = None, keep_bytes: int | None = None
) -> Due:
    """Choose the sessions to remove: those that are too old, and more, oldest first, until the rest is small enough.

    Args:
        sessions: oldest first.
        now_s: seconds since 1970.
        older_than_s: remove those last written longer ago than this; None for no such limit.
        keep_bytes: the size that all others may have together; None for no such limit.
    """
    going: list[KeptSession] = []
    busy: list[KeptSession] = []
    total_bytes = sum(each.size_bytes for each in sessions)
    for each in sessions:
        too_old = older_than_s is not None and now_s - each.written_s > older_than_s
        too_much = keep_bytes is not None and total_bytes > keep_bytes
        if not (too_old or too_much):
            continue
        if being_written(each.folder):
            busy.append(each)
        else:
            going.append(each)
            total_bytes -= each.size_bytes
    return Due(tuple(going), tuple(busy))


def being_written(folder: Path) -> bool:
    """Return whether a process has the session open for writing; True too if that cannot be known."""
    if not (folder / LOCK).exists():
        return False
    try:
        lock_folder(folder).close()
    except OSError:
        return True
    return False


def remove(session: Path) -> None:
    """Remove a session, never one that is being written.

    Raises:
        BlockingIOError: it is being written.
        OSError: it, or a part of it, cannot be removed.
    """
    # Held to the end: a recorder that comes back for this session finds it locked, and then gone.
    with lock_folder(session):
        remnant = session.with_name(f".{session.name}.purged")
        finish(remnant)  # of a run that was recorded anew within the second
        session.rename(remnant)
        sync_folder(session.parent)
        finish(remnant)


def finish(remnant: Path) -> None:
    """Delete the rest of a session; links in it are deleted, their targets stay.

    Raises:
        OSError: a part of it cannot be deleted.
    """
    if not _is(remnant, stat.S_ISDIR):
        return
    while _is(remnant, stat.S_ISDIR):
        with contextlib.suppress(FileNotFoundError):  # somebody else deletes it too
            shutil.rmtree(remnant)
    sync_folder(remnant.parent)


def size_bytes(folder: Path) -> int:
    """Return the size of all files below a folder; links are not followed, files that vanish meanwhile do not count."""
    total_bytes = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total_bytes += Path(inside, name).lstat().st_size
    return total_bytes


def _session(path: Path) -> KeptSession | None:
    named = _SESSION.fullmatch(path.name)
    database = path / DATABASE
    if named is None or not _is(path, stat.S_ISDIR) or not _is(database, stat.S_ISREG):
        return None
    try:
        with database.open("rb") as file:
            if file.read(len(_DATABASE_MAGIC)) != _DATABASE_MAGIC:
                return None
        return KeptSession(path, size_bytes(path), max(_started_s(named[1]), _written_s(path)))
    except OSError:
        return None  # gone meanwhile, or not ours to read


def _written_s(session: Path) -> float:
    written_s = (session / DATABASE).lstat().st_mtime
    log = session / f"{DATABASE}-wal"
    # Whoever only reads a session makes an empty log, which makes it no younger.
    if _is(log, stat.S_ISREG) and (status := log.lstat()).st_size:
        written_s = max(written_s, status.st_mtime)
    return written_s


def _started_s(text: str) -> float:
    try:
        return timegm(strptime(text, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        return 0.0  # the files' own times say more


def _is(path: Path, kind: Callable[[int], bool]) -> bool:
    """Return whether a path is there and of this kind itself; a link never is."""
    try:
        return kind(path.lstat().st_mode)
    except OSError:
        return False
