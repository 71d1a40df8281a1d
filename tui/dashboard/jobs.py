"""Commands on the recording of what the dashboard shows: report, export, search in words."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from fetalstream.pipeline.wire import NoteExport
from fetalstream.tui.dashboard.background_commands import (
    CommandFailed,
    SearchHit,
    run_command,
    search_recording,
    session_of,
)
from fetalstream.tui.dashboard.host import Host
from fetalstream.tui.feed.protocol import Feed, Player, RequestFailed
from fetalstream.tui.settings.scan_protocols import protocol_names
from fetalstream.tui.state.scan_protocol import ALL_PLANES

EXPORTS: Final = (
    ("tables: CSV and JSON Lines", "csv,jsonl"),
    ("tables, and the best frames as DICOM without identifiers", "csv,jsonl,dicom"),
)
"""What the operator can choose, and the formats for ``fetalstream export``."""

Run = Callable[..., Awaitable[list[str]]]
Search = Callable[[Path, str, "str | None"], Awaitable[list[SearchHit]]]


class Jobs:
    """Runs commands on the session's folder, each in a process of its own and one after the other.

    Args:
        host: the app.
        feed: the engine or recording, which is told what was written.
        show_moment: shows the chosen stream as it was at a time of the publisher's clock.
        read_only: the engine is told nothing.
        run: runs a command and returns its lines.
        search: returns the moments of a recording that fit a sentence.
    """

    def __init__(
        self, host: Host, feed: Feed, show_moment: Callable[[int], None], *, read_only: bool = False,
        run: Run = run_command, search: Search = search_recording,
    ) -> None:  # fmt: skip
        self._host, self._feed, self._show_moment, self._read_only = host, feed, show_moment, read_only
        self._run, self._search = run, search
        # One at a time: together they would take the engine's share of the processor.
        self._turn = asyncio.Lock()

    @property
    def folder(self) -> Path | None:
        """The folder of the session; None if it is not recorded, or not on this machine."""
        if isinstance(self._feed, Player):
            return self._feed.folder
        return self._host.recording.folder or session_of(self._host.session.run)

    def report(self) -> None:
        """Write the report of the session so far."""
        if (folder := self._recorded()) is not None:
            name = ALL_PLANES if self._host.protocol is None else self._host.protocol.name
            options = ["--protocol", name] if name in protocol_names() else []
            self._begin(self._write("report", "report", str(folder), *options), "Writing the report …")

    def export(self) -> None:
        """Ask for formats and a folder, and write the session so far for other programs."""
        if (folder := self._recorded()) is None:
            return

        def format_chosen(place: int | None) -> None:
            if place is not None:
                self._host.ask_line(
                    "export", "Into which folder", lambda out: write(EXPORTS[place][1], out),
                    str(Path.cwd() / f"{folder.name}-export"),
                )  # fmt: skip

        def write(formats: str, out: str | None) -> None:
            if out:
                arguments = ["export", str(folder), "--out", str(Path(out).expanduser()), "--format", formats]
                self._begin(self._write(formats, *arguments), "Exporting …")

        self._host.choose("export", [words for words, _ in EXPORTS], format_chosen)

    def search(self) -> None:
        """Ask for a sentence, and go to one of the moments of the recording that fit it."""
        if (folder := self._recorded()) is None:
            return

        def answered(words: str | None) -> None:
            if words:
                self._begin(self._find(folder, words), "Searching; the model is loaded for it …")

        self._host.ask_line("search", "What to look for in the recording, in words", answered)

    def _recorded(self) -> Path | None:
        folder = self.folder
        if folder is None:
            self._host.say("Nothing of this is recorded here: start the run without --no-record", "warn")
        return folder

    def _begin(self, work: Coroutine[Any, Any, None], words: str) -> None:
        busy = self._turn.locked()
        self._host.say(f"{words.removesuffix(' …')}, after what is being done …" if busy else words, "quiet")
        self._host.start(self._in_turn(work), "jobs")

    async def _in_turn(self, work: Coroutine[Any, Any, None]) -> None:
        async with self._turn:
            await work

    async def _write(self, what: str, *arguments: str) -> None:
        try:
            written = await self._run(*arguments)
        except CommandFailed as error:
            self._host.say(str(error), "bad")
            return
        self._host.say(f"Written: {written[0]}" if len(written) == 1 else f"{len(written)} files written", "good")
        if not self._read_only:
            with contextlib.suppress(RequestFailed):  # it is written; that it is on record too is worth no alarm
                await self._feed.request(NoteExport(stream=self._host.selected, what=what))

    async def _find(self, folder: Path, words: str) -> None:
        try:
            hits = await self._search(folder, words, self._host.session.model.name)
        except (CommandFailed, sqlite3.Error, ValueError, KeyError) as error:
            self._host.say(str(error), "bad")
            return
        if not hits:
            self._host.say("Nothing that fits is on disk yet", "warn")
            return

        def go_to(place: int | None) -> None:
            if place is not None:
                self._host.selected = hits[place].stream
                self._show_moment(hits[place].published_ns)

        self._host.unsay()
        self._host.choose("found", [hit.words for hit in hits], go_to)
