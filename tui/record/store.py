"""A session on disk: every message in a database, pictures beside it. One writer at a time; any number of readers.

``session.db`` is SQLite in WAL mode with ``synchronous = FULL``: after `SessionStore.commit` what was added survives
kill -9 and the power switch. What was added after it is lost, and asked for again by the recorder.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from fetalstream.pipeline.wire import (
    NOTICE,
    SCHEMA,
    Embedding,
    EngineState,
    Event,
    Keyframe,
    Message,
    Preview,
    encode,
    kind_of,
)
from fetalstream.tui.record.keyframe_files import CLIPS, PICTURES, KeyframeFiles
from fetalstream.tui.record.reconcile import Repair, repair
from fetalstream.tui.record.session_files import (
    lock_folder,
    make_folder,
    make_folder_inside,
    safe_name,
    sweep_parts,
    write_whole,
)
from fetalstream.tui.record.session_reader import read_about
from fetalstream.tui.record.vectors import MOST_NUMBERS, VectorWriter

DATABASE: Final = "session.db"
LAYOUT: Final = 1
CLIP: Final = "clip"
"""The event that says of which best frame the engine keeps a clip."""

PREVIEW_APART_NS: Final = 500_000_000
COMMIT_APART_NS: Final = 250_000_000

_SCHEMA: Final = """
CREATE TABLE messages (
    kind TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL, exam TEXT NOT NULL,
    published_ns INTEGER NOT NULL, wall_time TEXT NOT NULL, pts_seconds REAL, header TEXT NOT NULL,
    UNIQUE (kind, stream, seq));
CREATE INDEX by_time ON messages (published_ns);
CREATE TABLE keyframes (
    keyframe TEXT PRIMARY KEY, stream TEXT NOT NULL, exam TEXT NOT NULL, seq INTEGER NOT NULL, plane TEXT NOT NULL,
    subplane TEXT, score REAL, chosen_by TEXT NOT NULL,
    picture TEXT NOT NULL DEFAULT 'wanted' CHECK (picture IN ('wanted', 'saved', 'gone')), file TEXT);
CREATE VIEW readings AS SELECT stream, seq, exam, published_ns, wall_time, pts_seconds,
    json_extract(header, '$.plane') AS plane, json_extract(header, '$.gestation.days') AS gestation_days, header
    FROM messages WHERE kind = 'reading';
CREATE VIEW events AS SELECT stream, seq, exam, published_ns, wall_time,
    json_extract(header, '$.event') AS event, json_extract(header, '$.detail') AS detail, header
    FROM messages WHERE kind = 'event';
CREATE VIEW marks AS SELECT * FROM events WHERE event = 'mark';
CREATE VIEW decisions AS SELECT * FROM events WHERE event = 'decision';
CREATE VIEW health AS SELECT stream, seq, exam, published_ns, wall_time, json_extract(header, '$.state') AS state,
    header FROM messages WHERE kind = 'health';
CREATE TRIGGER events_stay BEFORE DELETE ON messages WHEN old.kind = 'event'
    BEGIN SELECT raise(ABORT, 'what was done stays on record'); END;
CREATE TRIGGER events_are_final BEFORE UPDATE ON messages WHEN old.kind = 'event'
    BEGIN SELECT raise(ABORT, 'what was done stays on record'); END;
PRAGMA user_version = 1;
"""

_ADD_KEYFRAME: Final = """
INSERT OR IGNORE INTO keyframes (keyframe, stream, exam, seq, plane, subplane, score, chosen_by)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_CLIPS: Final = """
CREATE TABLE IF NOT EXISTS clips (
    keyframe TEXT PRIMARY KEY, about TEXT NOT NULL,
    clip TEXT NOT NULL DEFAULT 'wanted' CHECK (clip IN ('wanted', 'saved', 'gone')), file TEXT)
"""


class SessionStore:
    """A writer of one run of an engine into ``out_dir/<start>_<run>/``; it goes on with a run that was begun before.

    It is also a sink for the engine (`send`), for messages that have been stamped. Files and folders are the user's
    alone (0600, 0700).

    Args:
        out_dir: the folder of sessions, made if it is missing.
        state: the engine's ``state`` reply, or a part of it: at least ``run``.
        started_s: seconds since 1970, for the folder's name.

    Attributes:
        folder: this session's.
        pictures: of the best frames.
        clips: of the seconds round the best frames.
        repair: how index and files were brought together, if the session had been begun before.

    Raises:
        OSError: the folder cannot be written, or another process writes this session (BlockingIOError).
        sqlite3.Error: likewise for the database.
    """

    def __init__(self, out_dir: Path, state: EngineState, *, started_s: float | None = None) -> None:
        self.run = state.run
        make_folder(out_dir)
        started_s = time.time() if started_s is None else started_s
        self.folder = _folder_of(out_dir, self.run) or make_folder(
            out_dir / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(started_s))}_{safe_name(self.run)}"
        )
        self._lock: IO[bytes] = lock_folder(self.folder)
        self._preview_due_ns: dict[str, int] = {}
        self._committed_ns: int | None = None
        try:
            sweep_parts(self.folder)
            self._database = _opened(self.folder / DATABASE)
            self._vectors = VectorWriter(self.folder, self._database)
            if not (self.folder / "session.json").exists():
                self._about = {**_about(state), "started": _utc(started_s)}
                write_whole(self.folder / "session.json", _json(self._about))
            else:
                self._about = _read_about(self.folder)
            self.pictures = KeyframeFiles(PICTURES, self.folder, self._database, self._about)
            self.clips = KeyframeFiles(CLIPS, self.folder, self._database, self._about)
            self.repair: Repair = repair(self.folder, self._database)
            self._database.commit()
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> SessionStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, message: Message, blob: bytes | None = None) -> None:
        """Add a message that has been stamped, as the engine's sink, and commit now and then.

        Args:
            message: stamped, of this run.
            blob: a keyframe's PNG, or a preview's JPEG.
        """
        self.add(message, blob=blob)
        if isinstance(message, Keyframe) and blob is not None:
            self.pictures.save(message.keyframe, blob)
        if self._committed_ns is None or message.published_ns - self._committed_ns >= COMMIT_APART_NS:
            self.commit()
            self._committed_ns = message.published_ns

    def add(self, message: Message, header: bytes | None = None, blob: bytes | None = None) -> None:
        """Add a message, which is safe after `commit`; one that is there already changes nothing.

        Args:
            message: stamped, of this run.
            header: as it came; None to encode the message.
            blob: a preview's JPEG, of which two a second are kept, or an embedding's numbers.
        """
        if isinstance(message, Preview) and not self._keep_preview(message, blob):
            return
        if isinstance(message, Embedding) and not _fits(message, blob):
            return
        frame = getattr(message, "frame", None)
        row = (
            kind_of(message), message.stream, message.seq, message.exam, message.published_ns, message.wall_time,
            None if frame is None else frame.pts_seconds, (header or encode(message)).decode(),
        )  # fmt: skip
        added = self._database.execute("INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row).rowcount
        if isinstance(message, Embedding) and blob is not None and added:
            self._vectors.append(blob)
        if isinstance(message, Event) and message.event == CLIP:
            self._add_clip(message)
        if isinstance(message, Keyframe):
            row = (
                message.keyframe, message.stream, message.exam, message.seq, message.plane, message.subplane,
                message.score, message.chosen_by,
            )  # fmt: skip
            self._database.execute(_ADD_KEYFRAME, row)

    def _add_clip(self, event: Event) -> None:
        keyframe = event.detail.get("keyframe")
        if isinstance(keyframe, str):
            about = msgspec.json.encode(event.detail).decode()
            self._database.execute("INSERT OR IGNORE INTO clips (keyframe, about) VALUES (?, ?)", (keyframe, about))

    def commit(self) -> None:
        """Make all that was added durable.

        Raises:
            OSError: the session's folder was removed.
            sqlite3.Error: it could not be written.
        """
        if not (self.folder / DATABASE).exists():
            # SQLite would go on writing into files that nobody can open any more.
            raise FileNotFoundError(errno.ENOENT, "the session's folder was removed", str(self.folder))
        self._vectors.sync()
        self._database.commit()

    def last_seqs(self) -> dict[str, int]:
        """Return the last ``seq`` before the first gap of each topic, by ``"kind/stream"``; -1: none."""
        counted = "SELECT kind, stream, count(*), max(seq) FROM messages GROUP BY kind, stream"
        return {
            f"{kind}/{stream}": last if count == last + 1 else self._before_gap(kind, stream)
            for kind, stream, count, last in self._database.execute(counted).fetchall()
        }

    def _before_gap(self, kind: str, stream: str) -> int:
        seqs = self._database.execute(
            "SELECT seq FROM messages WHERE kind = ? AND stream = ? ORDER BY seq", (kind, stream)
        )
        return next((place for place, (seq,) in enumerate(seqs) if seq != place), 0) - 1

    def close(self) -> None:
        """Commit and close the session; may be called twice."""
        if self._lock.closed:
            return
        try:
            self._vectors.sync()
            self._database.commit()
        finally:
            self._vectors.close()
            self._database.close()
            self._lock.close()

    def _keep_preview(self, message: Preview, jpeg: bytes | None) -> bool:
        due_ns = self._preview_due_ns.get(message.stream)
        if jpeg is None or (due_ns is not None and message.published_ns < due_ns):
            return False
        self._preview_due_ns[message.stream] = message.published_ns + PREVIEW_APART_NS
        path = preview_path(Path(), message)
        make_folder_inside(self.folder, str(path.parent))
        write_whole(self.folder / path, jpeg)
        return True


def _fits(message: Embedding, blob: bytes | None) -> bool:
    """Return whether a vector is what its message says: rows of another length would shift all that follow."""
    return blob is not None and 0 < message.dim <= MOST_NUMBERS and len(blob) == 2 * message.dim


def preview_path(folder: Path, message: Preview) -> Path:
    """Return where a preview's JPEG lies in the session's folder."""
    return folder / "previews" / safe_name(message.stream) / f"{message.seq}.jpg"


def _folder_of(out_dir: Path, run: str) -> Path | None:
    return next(iter(sorted(out_dir.glob(f"*_{safe_name(run)}"))), None)


def _opened(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # before SQLite makes it for all to read
    database = sqlite3.connect(path, timeout=5.0, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        layout = database.execute("PRAGMA user_version").fetchone()[0]
        if layout == 0:
            # In one transaction: a writer that is killed here leaves an empty database, not half of one.
            database.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        elif layout != LAYOUT:
            raise sqlite3.DatabaseError(f"{path} was written by another version (layout {layout})")
        database.execute(_CLIPS)
    except BaseException:
        database.close()
        raise
    return database


def _about(state: EngineState) -> dict[str, Any]:
    """Return what the session keeps of its origin; of sources the hash only, for names may be patients'."""
    kept = ("stream", "kind", "exam", "width", "height", "sector", "spacing_mm", "spacing_from", "source_sha256")
    plain = [msgspec.to_builtins(stream) for stream in state.streams]
    streams = [{key: stream[key] for key in kept if stream[key] is not None} for stream in plain]
    return {
        "schema": SCHEMA,
        "layout": LAYOUT,
        "notice": NOTICE,
        "run": state.run,
        "model": {key: value for key, value in msgspec.to_builtins(state.model).items() if value is not None},
        "versions": state.versions,
        "streams": streams,
    }


def _read_about(folder: Path) -> dict[str, Any]:
    try:
        return read_about(folder)
    except ValueError as error:
        raise OSError(errno.EINVAL, f"session.json cannot be read ({error})", str(folder)) from error


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
