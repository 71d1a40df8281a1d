"""Clips of a session: ``clips/<keyframe id>.mkv`` with what is known of each, and which are still wanted."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from fetalstream.pipeline.wire import NOTICE, Event
from fetalstream.tui.record.session_files import DamagedPicture, make_folder, safe_name, write_whole

CLIP: Final = "clip"
_MATROSKA: Final = b"\x1a\x45\xdf\xa3"
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS clips (
    keyframe TEXT PRIMARY KEY, about TEXT NOT NULL,
    clip TEXT NOT NULL DEFAULT 'wanted' CHECK (clip IN ('wanted', 'saved', 'gone')), file TEXT)
"""


def clip_path(folder: Path, keyframe: str) -> Path:
    """Where the clip of a best frame is, in the session's folder."""
    return folder / "clips" / f"{safe_name(keyframe)}.mkv"


class ClipFiles:
    """Writes clips beside a session's database.

    Args:
        folder: of the session.
        database: of the session; what `add` and `forget` do is safe once it is committed.
        provenance: told beside each clip.
    """

    def __init__(self, folder: Path, database: sqlite3.Connection, provenance: Mapping[str, Any]) -> None:
        self._folder = folder
        self._database = database
        self._provenance = provenance
        database.execute(_TABLE)

    def add(self, event: Event) -> None:
        """The engine keeps a clip, as this event says; it is wanted."""
        keyframe = event.detail.get("keyframe")
        if isinstance(keyframe, str):
            about = msgspec.json.encode(event.detail).decode()
            self._database.execute("INSERT OR IGNORE INTO clips (keyframe, about) VALUES (?, ?)", (keyframe, about))

    def wanted(self) -> list[str]:
        """Best frames whose clips are not on disk yet, oldest first."""
        return self._in("wanted")

    def saved(self) -> list[str]:
        """Best frames whose clips are safe on disk."""
        return self._in("saved")

    def save(self, keyframe: str, matroska: bytes) -> Path:
        """Write a clip and what is known of it; both are durable, and so is the index, on return.

        Raises:
            DamagedPicture: it is no Matroska file.
            KeyError: no such clip was told of.
            OSError: it could not be written; nothing of it is there.
        """
        if not matroska.startswith(_MATROSKA):
            raise DamagedPicture("the clip is not a Matroska file")
        found = self._database.execute("SELECT about FROM clips WHERE keyframe = ?", (keyframe,)).fetchone()
        if found is None:
            raise KeyError(f"a clip of {keyframe} was never told of")
        sidecar = {
            "notice": NOTICE,
            "clip": msgspec.json.decode(found[0]),
            "sha256": hashlib.sha256(matroska).hexdigest(),
            "provenance": self._provenance,
        }
        path = clip_path(self._folder, keyframe)
        make_folder(path.parent)
        # As with pictures, the clip comes last: where it is, all that belongs to it is there too.
        write_whole(path.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(sidecar), indent=2) + b"\n")
        write_whole(path, matroska)
        told = (str(path.relative_to(self._folder)), keyframe)
        self._database.execute("UPDATE clips SET clip = 'saved', file = ? WHERE keyframe = ?", told)
        self._database.commit()
        return path

    def forget(self, keyframe: str) -> None:
        """It cannot be had any more."""
        self._database.execute("UPDATE clips SET clip = 'gone' WHERE keyframe = ?", (keyframe,))

    def _in(self, state: str) -> list[str]:
        rows = self._database.execute("SELECT keyframe FROM clips WHERE clip = ? ORDER BY rowid", (state,))
        return [row[0] for row in rows]
