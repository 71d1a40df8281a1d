"""The files of best frames in a session, pictures and clips: where they lie, and which are wanted, saved or gone."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, NamedTuple

import msgspec

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.record.session_files import DamagedPicture, make_folder_inside, safe_name, with_notice, write_whole

FileState = Literal["wanted", "saved", "gone"]

_MATROSKA: Final = b"\x1a\x45\xdf\xa3"


@dataclass(frozen=True)
class FileKind:
    """A kind of file that the engine holds for a best frame until it is saved in a session.

    Attributes:
        name: "picture" or "clip".
        described_as: the key of the description in the sidecar.
        path: the file's path in the session's folder, from the frame's id and plane.
        checked: returns the bytes to write; raises DamagedPicture if they are none of this kind.
        all_rows: SQL for the id, state, file and plane of all best frames, the oldest first.
        one_row: SQL for the plane and the description, as JSON, of one.
        note: SQL that sets the state and the file of one.
    """

    name: str
    described_as: str
    path: Callable[[str, str], str]
    checked: Callable[[bytes], bytes]
    all_rows: str
    one_row: str
    note: str


def _whole_clip(matroska: bytes) -> bytes:
    if not matroska.startswith(_MATROSKA):
        raise DamagedPicture("the clip is not a Matroska file")
    return matroska


PICTURES: Final = FileKind(
    "picture",
    "keyframe",
    lambda keyframe, plane: f"keyframes/{safe_name(plane)}/{safe_name(keyframe)}.png",
    with_notice,
    "SELECT keyframe, picture, file, plane FROM keyframes ORDER BY rowid",
    "SELECT plane, header FROM keyframes JOIN messages USING (stream, seq) WHERE kind = 'keyframe' AND keyframe = ?",
    "UPDATE keyframes SET picture = ?, file = ? WHERE keyframe = ?",
)
CLIPS: Final = FileKind(
    "clip",
    "clip",
    lambda keyframe, _: f"clips/{safe_name(keyframe)}.mkv",
    _whole_clip,
    "SELECT keyframe, clip, file, '' FROM clips ORDER BY rowid",
    "SELECT '', about FROM clips WHERE keyframe = ?",
    "UPDATE clips SET clip = ?, file = ? WHERE keyframe = ?",
)


class FileEntry(NamedTuple):
    """The index's row on one file: ``file`` is where it is, or would be, in the session's folder."""

    keyframe: str
    state: FileState
    file: str


class KeyframeFiles:
    """The files of one kind beside a session's database, and their index in it.

    Args:
        kind: pictures or clips.
        folder: the session's.
        database: the session's; what `forget` and `note` write is safe once it is committed.
        provenance: written beside each file.
    """

    def __init__(
        self, kind: FileKind, folder: Path, database: sqlite3.Connection, provenance: Mapping[str, Any] | None = None
    ) -> None:
        self.kind = kind
        self._folder = folder
        self._database = database
        self._provenance = provenance or {}

    def entries(self) -> list[FileEntry]:
        """Return the whole index, the oldest best frame first."""
        rows = self._database.execute(self.kind.all_rows).fetchall()
        return [
            # A session that was made up may hold bytes for a text.
            FileEntry(keyframe, state, str(file) if state == "saved" else self.kind.path(str(keyframe), str(plane)))
            for keyframe, state, file, plane in rows
        ]

    def wanted(self) -> list[str]:
        """Return the best frames whose files are not on disk yet, the oldest first."""
        return [entry.keyframe for entry in self.entries() if entry.state == "wanted"]

    def saved(self) -> list[str]:
        """Return the best frames whose files are safe on disk."""
        return [entry.keyframe for entry in self.entries() if entry.state == "saved"]

    def save(self, keyframe: str, data: bytes) -> Path:
        """Write a file and its sidecar; both are durable, and so is the index, on return.

        Args:
            keyframe: the best frame's id, from a message that was added to the session.
            data: a PNG of the raw masked frame at full resolution, or a Matroska clip.

        Raises:
            DamagedPicture: it is no whole file of this kind.
            KeyError: no such message was added.
            OSError: it could not be written; nothing of it is there.
        """
        checked = self.kind.checked(data)
        found = self._database.execute(self.kind.one_row, (keyframe,)).fetchone()
        if found is None:
            raise KeyError(f"a {self.kind.name} of {keyframe} was never announced")
        plane, description = found
        sidecar = {
            "notice": NOTICE,
            self.kind.described_as: msgspec.json.decode(description),
            "sha256": hashlib.sha256(checked).hexdigest(),
            "provenance": self._provenance,
        }
        file = self.kind.path(keyframe, plane)
        path = self._folder / file
        make_folder_inside(self._folder, str(PurePosixPath(file).parent))
        # The sidecar comes first: a file that is there has all that belongs to it.
        write_whole(path.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(sidecar), indent=2) + b"\n")
        write_whole(path, checked)
        self.note(keyframe, "saved", file)
        self._database.commit()
        return path

    def forget(self, keyframe: str) -> None:
        """Stop wanting a file: the engine no longer has it."""
        self.note(keyframe, "gone")

    def note(self, keyframe: str, state: FileState, file: str | None = None) -> None:
        """Write the state of a file, and where it is, into the index."""
        self._database.execute(self.kind.note, (state, file, keyframe))


def files_of(folder: Path, database: sqlite3.Connection) -> list[KeyframeFiles]:
    """Return the files of every kind of which the session has an index; older sessions have none of clips."""
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    kinds = [PICTURES, *([CLIPS] if "clips" in tables else [])]
    return [KeyframeFiles(kind, folder, database) for kind in kinds]
