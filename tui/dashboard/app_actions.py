"""What the operator can do on the dashboard: every key, and the same in the palette (ctrl+p).

Whatever changes something is a command to the engine, which acknowledges it and puts it on record; without that
(``read_only``) the dashboard only looks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from fetalstream.tui.dashboard.app_session import SessionApp
from fetalstream.tui.feed.protocol import RequestFailed
from fetalstream.tui.settings.scanners import regions
from fetalstream.tui.state.protocol_progress import ChecklistItem, items
from fetalstream.tui.state.scan_protocol import ProtocolError, protocol_names, read_protocol
from fetalstream.tui.state.session import SUBPLANES, StreamView
from fetalstream.tui.state.text import label_words
from fetalstream.tui.widgets.prompts import AskLine, Choose
from fetalstream.tui.widgets.review import Review
from fetalstream.tui.widgets.screens import ConfirmNewExam, Help
from fetalstream.tui.widgets.sheet import Sheet
from fetalstream.tui.widgets.themes import THEMES

CHANGES: Final = frozenset({"mark", "snapshot", "new_exam", "ask", "scale", "region", "engine_pause", "decide", "undo"})
"""Actions that ask the engine to do something."""

_DONE: Final = {
    "accept": "Accepted, on record",
    "reject": "Rejected, on record",
    "relabel": "Relabelled, on record",
    "undo": "Taken back, on record",
}


class OperatedApp(SessionApp):
    """The actions, over what the dashboard knows; ``FetalstreamApp`` adds the feed and the clock."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p,space", "hold", "Pause", key_display="p"),
        Binding("m", "mark", "Mark"),
        Binding("s", "snapshot", "Snapshot"),
        Binding("n", "new_exam", "Exam"),
        Binding("b", "review", "Best"),
        Binding("v", "views", "Views"),
        Binding("y", "protocol", "Protocol", show=False),
        Binding("slash", "ask", "Ask", key_display="/"),
        Binding("f", "find", "Find", show=False),
        Binding("e", "scale", "Scale", show=False),
        Binding("left", "scrub(-1)", "Back", show=False),
        Binding("right", "scrub(1)", "Forth", show=False),
        Binding("shift+left", "scrub(-6)", "Far back", show=False),
        Binding("shift+right", "scrub(6)", "Far forth", show=False),
        Binding("end", "live", "Live", show=False),
        Binding("plus,equals_sign", "speed(1)", "Faster", show=False),
        Binding("minus", "speed(-1)", "Slower", show=False),
        Binding("r", "region", "Region", show=False),
        Binding("o", "overview", "Streams"),
        Binding("t", "theme", "Theme", show=False),
        Binding("tab", "next_stream(1)", "Next stream", show=False, priority=True),
        Binding("shift+tab", "next_stream(-1)", "Previous stream", show=False, priority=True),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
        *(Binding(str(n), f"stream({n})", f"Stream {n}", show=False) for n in range(1, 10)),
    ]

    _asked = ""

    # Commands --------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Keys that act on the dashboard rest while a question or the help lies over it."""
        return not (action == "next_stream" and len(self.screen_stack) > 1)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual's
        """The palette (ctrl+p) offers the keys' own actions."""
        yield SystemCommand("Pause or resume the screen", "The engine goes on", self.action_hold)
        yield SystemCommand("Pause or resume the engine", "No frame is analysed meanwhile", self.action_engine_pause)
        yield SystemCommand("Mark with a note", "Find this moment again", self.action_mark)
        yield SystemCommand("Snapshot", "Keep this frame", self.action_snapshot)
        yield SystemCommand("New exam", "Another patient", self.action_new_exam)
        yield SystemCommand("Best frames", "Accept, reject, relabel, undo", self.action_review)
        yield SystemCommand("Views", "All views and what stands for them, in pictures", self.action_views)
        yield SystemCommand("Protocol", "Which views to collect", self.action_protocol)
        yield SystemCommand("Ask in words", "Score a sentence against every frame", self.action_ask)
        yield SystemCommand("Find a moment", "By plane, mark or event", self.action_find)
        yield SystemCommand("Search the recording in words", "Recorded with --embeddings", self.action_search)
        yield SystemCommand("Write the report", "One page, for any browser", self.action_report)
        yield SystemCommand("Export the session", "Tables, DICOM images", self.action_export)
        yield SystemCommand("Set the scale", "Millimetres per pixel", self.action_scale)
        yield SystemCommand("Choose the scan region", "Found, of a scanner, or the whole frame", self.action_region)
        yield SystemCommand("All streams", "Every stream as a tile", self.action_overview)
        yield SystemCommand("Theme", "Colours", self.action_theme)
        yield SystemCommand("Help", "Keys and words", self.action_help)
        yield SystemCommand("Quit", "Leave the dashboard", self.exit)

    def _may(self, action: str) -> str | None:
        """The stream that a command is for; None, and said why, where there can be none."""
        if action in CHANGES and self._read_only:
            replay = self._player is not None
            self.say("a recording cannot be changed" if replay else "read-only: this dashboard only looks", "warn")
            return None
        if self.selected is None:
            self.say("No stream yet", "warn")
        return self.selected

    def _command(self, command: str, args: dict[str, Any], done: str) -> None:
        self.run_worker(self._ask(command, args, done), group="commands")

    async def _ask(self, command: str, args: dict[str, Any], done: str) -> None:
        try:
            result = await self._feed.request(command, args)
        except RequestFailed as error:
            self.say(str(error), "bad")
        else:
            note = result.get("note")  # why what was asked for should not be trusted
            self.say(f"{done}: {note}" if note else done, "warn" if note else "good")

    def action_mark(self) -> None:
        """Sets a mark on the chosen stream, with a note."""
        if (stream := self._may("mark")) is not None:

            def answered(note: str | None) -> None:
                if note is not None:
                    self._command("mark", {"stream": stream, "text": note}, f"Mark set on {stream}{self._of_now()}")

            self.push_screen(AskLine("mark", "A note, or nothing (no names of patients)"), answered)

    def action_snapshot(self) -> None:
        """Keeps the chosen stream's newest frame."""
        if (stream := self._may("snapshot")) is not None:
            self._command("snapshot", {"stream": stream}, f"Snapshot taken on {stream}{self._of_now()}")

    def _of_now(self) -> str:
        """The engine knows of no held screen."""
        return "" if self.held is None else ": of the picture of now, not of the one that is held"

    def action_new_exam(self) -> None:
        """Asks once, then begins a new exam on the chosen stream."""
        if (stream := self._may("new_exam")) is not None:

            def answered(yes: bool | None) -> None:
                if yes:
                    self._command("new_exam", {"stream": stream}, f"New exam on {stream}")

            self.push_screen(ConfirmNewExam(stream), answered)

    def action_ask(self) -> None:
        """A sentence to be scored against every frame from now on."""
        if (stream := self._may("ask")) is not None:

            def answered(words: str | None) -> None:
                if words is not None:
                    self._asked = words
                    args = {"stream": stream, "text": words or None}
                    self._command("ask", args, f"Asked on {stream}" if words else "Nothing is asked any more")

            self.push_screen(AskLine("ask", "What to look for, in words; nothing ends it", self._asked), answered)

    def action_scale(self) -> None:
        """Millimetres per pixel of the chosen stream's frames."""
        if (stream := self._may("scale")) is not None:

            def answered(words: str | None) -> None:
                if words is None:
                    return
                spacing_mm = _number(words)
                if words and spacing_mm is None:
                    self.say("The scale is a number of mm per pixel, for example 0.21", "bad")
                else:
                    self._command("set_spacing", {"stream": stream, "spacing_mm": spacing_mm}, f"Scale set on {stream}")

            self.push_screen(AskLine("scale", "mm per pixel of the frames; empty: the source's own"), answered)

    def action_region(self) -> None:
        """The scan region of the chosen stream: found, a scanner's, or none."""
        if (stream := self._may("region")) is not None:
            choices = regions()

            def answered(place: int | None) -> None:
                if place is not None:
                    self._command(
                        "set_sector", {"stream": stream, "sector": choices[place].value}, f"Scan region set on {stream}"
                    )

            self.push_screen(Choose("scan region", [each.words for each in choices]), answered)

    def action_engine_pause(self) -> None:
        """Pauses the engine, or lets it go on."""
        if (stream := self._may("engine_pause")) is not None:
            health = self.session.streams[stream].health
            paused = health is not None and health.paused
            self._command("resume" if paused else "pause", {}, "The engine goes on" if paused else "The engine rests")

    # Best frames -----------------------------------------------------------------------------------------------

    def action_review(self) -> None:
        """Best frames beside their candidates."""
        self._review(None)

    def _review(self, at: int | None) -> None:
        if self.selected is not None:
            said = lambda: self.said  # noqa: E731 - a property has no other name
            self.push_screen(Review(self._looked, self._decide, self.pictures, self._relabel, said, at))

    def action_views(self) -> None:
        """All views in pictures; enter looks at one closely."""
        if self.selected is not None:

            def answered(place: int | None) -> None:
                if place is not None:
                    self._review(place)

            self.push_screen(Sheet(self._looked, self.pictures), answered)

    def _looked(self) -> tuple[StreamView, list[ChecklistItem], int] | None:
        view, now_ns = self.session.streams.get(self.selected or ""), self._clock_ns()
        return None if view is None else (view, items(self.protocol, view, now_ns), now_ns)

    def _decide(self, command: str, args: dict[str, Any]) -> None:
        if (stream := self._may(command)) is not None:
            self._command(command, {"stream": stream, **args}, _DONE[str(args.get("verdict", command))])

    def _relabel(self, keyframe: str) -> None:
        found = self._looked()
        if found is None:
            return
        labels: list[tuple[str, str | None]] = []
        for plane in found[0].labels:
            labels += [(plane, None), *((plane, sub) for sub in SUBPLANES if plane == "brain")]

        def answered(place: int | None) -> None:
            if place is not None:
                plane, subplane = labels[place]
                self._decide(
                    "decide", {"keyframe": keyframe, "verdict": "relabel", "plane": plane, "subplane": subplane}
                )

        words = [label_words(plane) + (f", {label_words(sub)}" if sub else "") for plane, sub in labels]
        self.push_screen(Choose("it really shows", words), answered)

    def action_protocol(self) -> None:
        """Which views are to be collected."""
        names = protocol_names()
        titles: list[str] = []
        for name in names:
            try:
                protocol = read_protocol(name)
            except ProtocolError as error:
                titles.append(str(error))
            else:
                titles.append("all planes that the model knows" if protocol is None else protocol.title)

        def answered(place: int | None) -> None:
            if place is not None:
                try:
                    self.protocol = read_protocol(names[place])
                except ProtocolError as error:
                    self.say(str(error), "bad")
                    return
                if self._read_only:
                    self.say(f"Protocol: {titles[place]}", "good")
                else:
                    self._command("protocol", {"protocol": names[place]}, f"Protocol: {titles[place]}")

        self.push_screen(Choose("protocol", titles), answered)

    # Streams and screens ---------------------------------------------------------------------------------------

    def action_overview(self) -> None:
        """All streams as tiles, or back to one."""
        self._dashboard.toggle_overview(not self._dashboard.has_class("overview"))

    def action_stream(self, number: int) -> None:
        """Chooses a stream by its place in the row, in full."""
        if number <= len(self.session.names):
            self._choose(self.session.names[number - 1])
            self._dashboard.toggle_overview(False)

    def action_next_stream(self, step: int) -> None:
        """Chooses the next stream, round and round."""
        names = self.session.names
        if self.selected in names:
            self._choose(names[(names.index(self.selected) + step) % len(names)])

    def _choose(self, stream: str) -> None:
        self.selected = stream
        self._dashboard.all_due()

    def action_help_quit(self) -> None:
        """Ctrl+C, which ends nothing here: an examination must not be left by a slip."""
        self.say("q leaves the dashboard", "quiet")

    def action_help(self) -> None:
        """Keys and words."""
        self.push_screen(Help())

    def action_theme(self) -> None:
        """Other colours."""
        names = list(THEMES)

        def answered(place: int | None) -> None:
            if place is not None:
                self.colours = names[place]

        self.push_screen(Choose("theme", names, names.index(self.colours)), answered)


def _number(words: str) -> float | None:
    try:
        value = float(words.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None
