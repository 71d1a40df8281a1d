"""A past session message by message, as an iterator and as a ``Feed`` that the dashboard plays."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Final, NamedTuple

import msgspec

from fetalstream.pipeline.wire import (
    Command,
    EngineState,
    Event,
    GetKeyframes,
    GetSince,
    GetState,
    Message,
    Preview,
    decode,
)
from fetalstream.tui.errors import UserError
from fetalstream.tui.feed.protocol import RequestFailed
from fetalstream.tui.record import reconcile
from fetalstream.tui.record.session_reader import (
    PICTURE_BYTES,
    PREVIEW_BYTES,
    open_database,
    read_about,
    read_file,
)
from fetalstream.tui.record.store import DATABASE, LAYOUT, preview_path

_SECOND_NS: Final = 1_000_000_000


class RecordingError(UserError):
    """A folder is no session, or cannot be read; ``str()`` is one line that says what to do."""


class Recorded(NamedTuple):
    """A message at its time, seconds since the session's first message."""

    seconds: float
    message: Message
    blob: bytes | None


class Recording:
    """A session on disk, read only; it may still be being written.

    Args:
        folder: the session's.

    Attributes:
        about: the contents of ``session.json``.
        seconds: from its first to its last message.

    Raises:
        RecordingError: it is no session.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._unreadable: int | None = None
        path = folder / DATABASE
        if not path.is_file():
            raise RecordingError(f"{folder} is no session: give a folder that holds {DATABASE}")
        try:
            self.about: dict[str, Any] = read_about(folder)
            self._database = open_database(path)
            layout = self._database.execute("PRAGMA user_version").fetchone()[0]
            bounds = self._database.execute("SELECT min(published_ns), max(published_ns) FROM messages").fetchone()
        except OSError as error:
            raise RecordingError(f"{folder} cannot be read: {error.filename} {error.strerror}") from error
        except (sqlite3.Error, ValueError) as error:
            raise RecordingError(f"{folder} cannot be read: {error}") from error
        if layout != LAYOUT:
            raise RecordingError(f"{folder} was written by another version (layout {layout}): read it with that one")
        if not all(isinstance(bound, (int, NoneType)) for bound in bounds):
            raise RecordingError(f"{folder} cannot be read: its messages have no times")
        self._first_ns: int = bounds[0] or 0
        self.seconds = ((bounds[1] or 0) - self._first_ns) / _SECOND_NS

    def state(self) -> EngineState:
        """Return the recording as an engine's state: ``replay`` is true, ``amiss`` tells of missing pictures and clips.

        What another version wrote and cannot be read is left out.
        """
        run = str(self.about.get("run", ""))
        try:
            state = msgspec.convert({**self.about, "run": run}, EngineState)
        except msgspec.ValidationError:
            state = EngineState(run=run)
        return msgspec.structs.replace(state, replay=True, amiss=self.amiss())

    def amiss(self) -> str | None:
        """Return what is wrong with the recording in one line, None if nothing is: files missing, messages unreadable.

        Messages that another version wrote and this one cannot read are among the latter.
        """
        if self._unreadable is None:
            headers = self._database.execute("SELECT published_ns, header FROM messages")
            self._unreadable = sum(_message(*row) is None for row in headers)
        count = self._unreadable
        many = f"{count} messages cannot be read and are left out"
        unreadable = {0: None, 1: "1 message cannot be read and is left out"}.get(count, many)
        return "; ".join(filter(None, [self.mismatch().words, unreadable])) or None

    def sources(self) -> list[dict[str, Any]]:
        """Return what ``session.json`` says of each stream's source."""
        streams = self.about.get("streams")
        return [each for each in streams if isinstance(each, dict)] if isinstance(streams, list) else []

    def messages(self, from_seconds: float = 0.0, stream: str | None = None) -> Iterator[Recorded]:
        """Yield messages in the order of their times, from a moment on, of one stream or all."""
        rows = self._database.execute(
            "SELECT published_ns, header FROM messages WHERE published_ns >= ? AND (? IS NULL OR stream = ?)"
            " ORDER BY published_ns, rowid",
            (self._first_ns + round(from_seconds * _SECOND_NS), stream, stream),
        )
        yield from self._recorded(rows)

    def before(self, seconds: float) -> Iterator[Recorded]:
        """Yield the messages before a moment that the dashboard needs to show that moment, not all there are.

        These are all messages but readings and previews; two readings a second, for timeline and trend, and all of the
        last two seconds; the previews of the last three seconds.
        """
        until_ns = self._first_ns + round(seconds * _SECOND_NS)
        rows = self._database.execute(
            "SELECT published_ns, header FROM messages WHERE published_ns < ?1 AND (kind NOT IN ('reading', 'preview')"
            " OR (kind = 'reading' AND (seq % 15 = 0 OR published_ns > ?1 - 2000000000))"
            " OR (kind = 'preview' AND published_ns > ?1 - 3000000000)) ORDER BY published_ns, rowid",
            (until_ns,),
        )
        yield from self._recorded(rows)

    def protocol(self) -> str | None:
        """Return the name of the protocol that was collected last, None if none was recorded."""
        rows = self._database.execute(
            "SELECT header FROM messages WHERE kind = 'event' ORDER BY published_ns DESC, rowid DESC"
        )
        for (header,) in rows:
            message = _message(0, header)
            if isinstance(message, Event) and message.event == "protocol":
                name = message.detail.get("protocol")
                return name if isinstance(name, str) else None
        return None

    def keyframes(self, until_seconds: float = float("inf")) -> list[dict[str, Any]]:
        """Return the headers of the keyframes up to a moment, in the order in which they came."""
        rows = self._database.execute(
            "SELECT header FROM messages WHERE kind = 'keyframe' AND published_ns <= ? ORDER BY published_ns",
            (self._first_ns + round(min(until_seconds, self.seconds) * _SECOND_NS),),
        )
        headers = (msgspec.json.decode(header) for (header,) in rows if _message(0, header) is not None)
        return [header for header in headers if isinstance(header, dict)]

    def exams(self) -> list[str]:
        """Return the ids of its examinations in the order in which they began."""
        rows = self._database.execute(
            "SELECT exam FROM messages WHERE exam != '' GROUP BY exam ORDER BY min(published_ns), min(rowid)"
        )
        return [exam for (exam,) in rows]

    def headers(self, kind: str, exam: str | None = None) -> Iterator[str]:
        """Yield headers of one kind as they were published, of one examination or all, in the order of their times.

        Messages that cannot be read are left out.
        """
        rows = self._database.execute(
            "SELECT header FROM messages WHERE kind = ? AND (? IS NULL OR exam = ?) ORDER BY published_ns, rowid",
            (kind, exam, exam),
        )
        return (header for (header,) in rows if _message(0, header) is not None)

    def pictures(self) -> dict[str, str | None]:
        """Return the path of each best frame's picture in the session's folder, None if there is no picture."""
        rows = self._database.execute("SELECT keyframe, CASE picture WHEN 'saved' THEN file END FROM keyframes")
        missing = set(self.mismatch().pictures)
        return {keyframe: None if keyframe in missing else file for keyframe, file in rows.fetchall()}

    def mismatch(self) -> reconcile.Mismatch:
        """Return which saved pictures and clips are missing, and which files the session's index does not know."""
        return reconcile.mismatch(self.folder, self._database)

    def picture(self, keyframe: str) -> bytes | None:
        """Return a keyframe's PNG, None if it was not saved or is no regular file inside the session's folder."""
        row = self._database.execute(
            "SELECT file FROM keyframes WHERE keyframe = ? AND picture = 'saved'", (keyframe,)
        ).fetchone()
        if row is None:
            return None
        try:
            return read_file(self.folder, str(row[0]), PICTURE_BYTES)
        except OSError:
            return None

    def close(self) -> None:
        """Close the session's database; may be called twice."""
        self._database.close()

    def _recorded(self, rows: Iterable[tuple[Any, Any]]) -> Iterator[Recorded]:
        for published_ns, header in rows:
            message = _message(published_ns, header)
            if message is not None:
                yield Recorded((published_ns - self._first_ns) / _SECOND_NS, message, self._blob(message))

    def _blob(self, message: Message) -> bytes | None:
        if not isinstance(message, Preview):
            return None
        try:
            return read_file(self.folder, str(preview_path(Path(), message)), PREVIEW_BYTES)
        except OSError:
            return None


def _message(published_ns: Any, header: Any) -> Message | None:
    """Return the message in a row; None if it cannot be read: a kind of a later version, or a row that was made up."""
    if not isinstance(published_ns, int) or not isinstance(header, str):
        return None
    try:
        return decode(header.encode())
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


class ReplayFeed:
    """A feed that plays a recording as if it were live; see ``tui.feed.protocol.Feed``.

    Args:
        recording: the session; it is closed with the feed.
        speed: recorded seconds for each second.
        clock_ns: the monotonic clock.
    """

    def __init__(
        self, recording: Recording, *, speed: float = 1.0, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._recording = recording
        self._clock_ns = clock_ns
        self._speed = speed
        self._at_seconds = 0.0
        self._at_ns: int | None = None
        self._coming = recording.messages()
        self._next = next(self._coming, None)
        self._last_heard_ns: int | None = None

    @property
    def folder(self) -> Path:
        """The folder of the session."""
        return self._recording.folder

    @property
    def last_heard_ns(self) -> int | None:
        """Monotonic time of the last message, None before the first."""
        return self._last_heard_ns

    @property
    def seconds(self) -> float:
        """The current place in the recording, in seconds."""
        if self._at_ns is None:
            return self._at_seconds
        passed = (self._clock_ns() - self._at_ns) / _SECOND_NS * self._speed
        return min(self._at_seconds + passed, self._recording.seconds)

    @property
    def finished(self) -> bool:
        """True once every message has been delivered."""
        return self._next is None

    @property
    def duration(self) -> float:
        """Seconds from its first message to its last."""
        return self._recording.seconds

    @property
    def speed(self) -> float:
        """Recorded seconds for each second; 0 while it is paused."""
        return self._speed

    def seek(self, seconds: float) -> list[tuple[Message, bytes | None]]:
        """Go to another moment, and return the messages to fold into an empty session to show it."""
        self._at_seconds = min(max(0.0, seconds), self._recording.seconds)
        self._at_ns = None if self._at_ns is None else self._clock_ns()
        self._coming = self._recording.messages(self._at_seconds)
        self._next = next(self._coming, None)
        return [(each.message, each.blob) for each in self._recording.before(self._at_seconds)]

    def set_speed(self, speed: float) -> None:
        """Play at another speed from now on, in recorded seconds for each second; 0 pauses."""
        self._at_seconds = self.seconds
        self._at_ns = None if self._at_ns is None else self._clock_ns()
        self._speed = speed

    async def start(self) -> EngineState:
        """Begin to play and return the recording as an engine's state."""
        if self._at_ns is None:
            self._at_ns = self._clock_ns()
        return self._recording.state()

    def drain(self) -> list[tuple[Message, bytes | None]]:
        """Return the messages due since the last call; of previews only the newest of each stream."""
        now_seconds = self.seconds
        due: list[tuple[Message, bytes | None]] = []
        previews: dict[str, tuple[Message, bytes | None]] = {}
        while self._at_ns is not None and self._next is not None and self._next.seconds <= now_seconds:
            message, blob = self._next.message, self._next.blob
            if isinstance(message, Preview):
                previews[message.stream] = (message, blob)
            else:
                due.append((message, blob))
            self._next = next(self._coming, None)
        if due or previews:
            self._last_heard_ns = self._clock_ns()
        return [*due, *previews.values()]

    async def request(self, command: Command) -> dict[str, Any]:
        """Answer ``state``, ``since`` and ``keyframes`` (those up to now); nothing in the past can be changed.

        Raises:
            RequestFailed: for every other command.
        """
        match command:
            case GetState():
                return msgspec.to_builtins(await self.start())
            case GetSince():
                return {"messages": []}  # all that was before comes with the playing
            case GetKeyframes():
                return {"keyframes": self._recording.keyframes(self.seconds)}
            case _:
                raise RequestFailed("this is a recording: nothing in it can be changed")

    async def picture(self, keyframe: str) -> bytes | None:
        """Return a best frame's picture as the bytes of a PNG; None if it was not saved."""
        return self._recording.picture(keyframe)

    async def close(self) -> None:
        """Close the session that is played; may be called twice."""
        self._recording.close()
