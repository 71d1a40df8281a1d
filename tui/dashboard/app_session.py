"""What the dashboard does with the recording of what it shows: report, export, search in words."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from fetalstream.tui.dashboard.app_past import PastApp
from fetalstream.tui.dashboard.background_commands import CommandFailed, SearchHit, carried_out, session_of, sought
from fetalstream.tui.feed.protocol import RequestFailed
from fetalstream.tui.state.scan_protocol import ALL_PLANES, protocol_names
from fetalstream.tui.widgets.prompts import AskLine, Choose

EXPORTS: Final = (
    ("tables: CSV and JSON Lines", "csv,jsonl"),
    ("tables, and the best frames as DICOM without identifiers", "csv,jsonl,dicom"),
)


class SessionApp(PastApp):
    """The actions on the session's folder; each is carried out by a process of its own."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._one_by_one = asyncio.Lock()

    @property
    def folder(self) -> Path | None:
        """Where what is shown is recorded; None where it is not, or not on this machine."""
        if self._player is not None:
            return self._player.folder
        return self.tape.folder or session_of(self.session.run)

    def _recorded(self) -> Path | None:
        folder = self.folder
        if folder is None:
            self.say("Nothing of this is recorded here: start the run without --no-record", "warn")
        return folder

    def action_report(self) -> None:
        """Writes the report of the session so far."""
        if (folder := self._recorded()) is not None:
            name = ALL_PLANES if self.protocol is None else self.protocol.name
            chosen = ["--protocol", name] if name in protocol_names() else []
            self._aside(self._exported("report", "report", str(folder), *chosen), "Writing the report …")

    def action_export(self) -> None:
        """Writes the session so far for other programs."""
        if (folder := self._recorded()) is None:
            return

        def chosen(place: int | None) -> None:
            if place is not None:
                out = str(Path.cwd() / f"{folder.name}-export")
                self.push_screen(AskLine("export", "Into which folder", out), lambda to: answered(place, to))

        def answered(place: int, to: str | None) -> None:
            if to:
                wanted = ["export", str(folder), "--out", str(Path(to).expanduser()), "--format", EXPORTS[place][1]]
                self._aside(self._exported(EXPORTS[place][1], *wanted), "Exporting …")

        self.push_screen(Choose("export", [words for words, _ in EXPORTS]), chosen)

    def action_search(self) -> None:
        """Moments of the recording that fit a sentence."""
        if (folder := self._recorded()) is None:
            return

        def answered(words: str | None) -> None:
            if words:
                self._aside(self._search(folder, words), "Searching; the model is loaded for it …")

        self.push_screen(AskLine("search", "What to look for in the recording, in words"), answered)

    def _aside(self, work: Coroutine[Any, Any, None], words: str) -> None:
        busy = self._one_by_one.locked()
        self.say(f"{words.removesuffix(' …')}, after what is being done …" if busy else words, "quiet")
        self.run_worker(self._in_turn(work), group="aside")

    async def _in_turn(self, work: Coroutine[Any, Any, None]) -> None:
        """One after the other: together they would take the engine's time, and none is to be lost."""
        async with self._one_by_one:
            await work

    async def _exported(self, what: str, *arguments: str) -> None:
        try:
            written = await carried_out(*arguments)
        except CommandFailed as error:
            self.say(str(error), "bad")
            return
        self.say(f"Written: {written[0]}" if len(written) == 1 else f"{len(written)} files written", "good")
        if not self._read_only:
            with contextlib.suppress(RequestFailed):  # it is written; that it is on record too is worth no alarm
                await self._feed.request("exported", {"stream": self.selected, "what": what})

    async def _search(self, folder: Path, words: str) -> None:
        try:
            moments = await sought(folder, words, self.session.model.name)
        except (CommandFailed, sqlite3.Error, ValueError, KeyError) as error:
            self.say(str(error), "bad")
            return
        if not moments:
            self.say("Nothing that fits is on disk yet", "warn")
            return
        self._said = None
        self.push_screen(Choose("found", [moment.words for moment in moments]), lambda at: self._go(moments, at))

    def _go(self, moments: list[SearchHit], place: int | None) -> None:
        if place is None:
            return
        moment = moments[place]
        self.selected = moment.stream
        self._show_moment(moment.published_ns)
