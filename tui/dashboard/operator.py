"""The operator's commands to the engine: marks, snapshots, exams, decisions, scale, region and sentences.

The engine acknowledges each command and puts it on record. A dashboard that is ``read_only`` sends nothing.
"""

from __future__ import annotations

import math
from typing import Final

from fetalstream.pipeline import wire
from fetalstream.tui.dashboard.host import Host
from fetalstream.tui.dashboard.past import Past
from fetalstream.tui.feed.protocol import Feed, Player, RequestFailed
from fetalstream.tui.settings.scan_protocols import protocol_names, read_protocol
from fetalstream.tui.settings.scanners import regions
from fetalstream.tui.state.scan_protocol import ProtocolError
from fetalstream.tui.state.session import SUBPLANES
from fetalstream.tui.state.text import label_words

_DONE: Final = {
    "accept": "Accepted, on record",
    "reject": "Rejected, on record",
    "relabel": "Relabelled, on record",
    "undo": "Taken back, on record",
}
_OF_NOW: Final = ": of the picture of now, not of the one that is held"  # the engine knows of no held screen


class Operator:
    """Asks the operator what a command needs, sends it, and shows the engine's answer.

    Args:
        host: the app.
        feed: takes the commands.
        past: whether the screen is held.
        read_only: every command is refused with a word why.
    """

    def __init__(self, host: Host, feed: Feed, past: Past, *, read_only: bool = False) -> None:
        self._host, self._feed, self._past = host, feed, past
        self._read_only = read_only
        self._asked = ""  # the sentence given last

    def mark(self) -> None:
        """Ask for a note, and set a mark on the chosen stream."""
        if (stream := self._stream()) is not None:

            def answered(note: str | None) -> None:
                if note is not None:
                    self._send(wire.Mark(stream=stream, text=note), f"Mark set on {stream}{self._of_now()}")

            self._host.ask_line("mark", "A note, or nothing (no names of patients)", answered)

    def snapshot(self) -> None:
        """Keep the chosen stream's newest frame."""
        if (stream := self._stream()) is not None:
            self._send(wire.Snapshot(stream=stream), f"Snapshot taken on {stream}{self._of_now()}")

    def new_exam(self) -> None:
        """Ask once, then begin a new exam on the chosen stream."""
        if (stream := self._stream()) is not None:

            def answered(yes: bool | None) -> None:
                if yes:
                    self._send(wire.NewExam(stream=stream), f"New exam on {stream}")

            self._host.confirm_new_exam(stream, answered)

    def ask(self) -> None:
        """Ask for a sentence that is scored against every frame from now on; an empty one ends it."""
        if (stream := self._stream()) is not None:

            def answered(words: str | None) -> None:
                if words is not None:
                    self._asked = words
                    done = f"Asked on {stream}" if words else "Nothing is asked any more"
                    self._send(wire.AskSentence(stream=stream, text=words or None), done)

            self._host.ask_line("ask", "What to look for, in words; nothing ends it", answered, self._asked)

    def set_scale(self) -> None:
        """Ask for the millimetres per pixel of the chosen stream's frames."""
        if (stream := self._stream()) is not None:

            def answered(words: str | None) -> None:
                if words is None:
                    return
                spacing_mm = positive(words)
                if words and not (spacing_mm and wire.SMALLEST_SPACING_MM <= spacing_mm <= wire.LARGEST_SPACING_MM):
                    bounds = f"{wire.SMALLEST_SPACING_MM:g} to {wire.LARGEST_SPACING_MM:g}"
                    self._host.say(f"The scale is a number of mm per pixel, {bounds}, for example 0.21", "bad")
                else:
                    self._send(wire.SetSpacing(stream=stream, spacing_mm=spacing_mm), f"Scale set on {stream}")

            self._host.ask_line("scale", "mm per pixel of the frames; empty: the source's own", answered)

    def set_region(self) -> None:
        """Ask for the scan region of the chosen stream: found, a scanner's, or the whole frame."""
        if (stream := self._stream()) is not None:
            offered = regions()

            def answered(place: int | None) -> None:
                if place is not None:
                    sector = offered[place].value
                    self._send(wire.SetSector(stream=stream, sector=sector), f"Scan region set on {stream}")

            self._host.choose("scan region", [each.words for each in offered], answered)

    def pause_engine(self) -> None:
        """Pause the engine, or let it go on."""
        if (stream := self._stream()) is not None:
            health = self._host.session.streams[stream].health
            paused = health is not None and health.paused
            command, done = (wire.Resume(), "The engine goes on") if paused else (wire.Pause(), "The engine is paused")
            self._send(command, done)

    def decide(self, keyframe: str, verdict: wire.Verdict, **label: str | None) -> None:
        """Put a verdict on a best frame on record; "relabel" with its ``plane`` and ``subplane``."""
        if (stream := self._stream()) is not None:
            self._send(wire.Decide(stream=stream, keyframe=keyframe, verdict=verdict, **label), _DONE[verdict])

    def undo(self) -> None:
        """Take the last decision back."""
        if (stream := self._stream()) is not None:
            self._send(wire.Undo(stream=stream), _DONE["undo"])

    def relabel(self, keyframe: str) -> None:
        """Ask what a best frame really shows, and put it on record."""
        view = self._host.session.streams.get(self._host.selected or "")
        if view is None:
            return
        labels: list[tuple[str, str | None]] = []
        for plane in view.labels:
            labels += [(plane, None), *((plane, sub) for sub in SUBPLANES if plane == "brain")]

        def answered(place: int | None) -> None:
            if place is not None:
                plane, subplane = labels[place]
                self.decide(keyframe, "relabel", plane=plane, subplane=subplane)

        words = [label_words(plane) + (f", {label_words(sub)}" if sub else "") for plane, sub in labels]
        self._host.choose("it really shows", words, answered)

    def choose_protocol(self) -> None:
        """Ask which views are to be collected; a dashboard that is read-only keeps the answer for itself."""
        names = protocol_names()
        titles = [_title(name) for name in names]

        def answered(place: int | None) -> None:
            if place is None:
                return
            try:
                self._host.protocol = read_protocol(names[place])
            except ProtocolError as error:
                self._host.say(str(error), "bad")
                return
            done = f"Protocol: {titles[place]}"
            if self._read_only:
                self._host.say(done, "good")
            else:
                self._send(wire.ChooseProtocol(protocol=names[place]), done)

        self._host.choose("protocol", titles, answered)

    def _stream(self) -> str | None:
        """Return the stream that a command is for; None, after a word why, if none may be sent."""
        if self._read_only:
            played = isinstance(self._feed, Player)
            words = "a recording cannot be changed" if played else "read-only: this dashboard only looks"
            self._host.say(words, "warn")
            return None
        if self._host.selected is None:
            self._host.say("No stream yet", "warn")
        return self._host.selected

    def _of_now(self) -> str:
        return "" if self._past.held is None else _OF_NOW

    def _send(self, command: wire.Command, done: str) -> None:
        self._host.start(self._request(command, done), "commands")

    async def _request(self, command: wire.Command, done: str) -> None:
        try:
            result = await self._feed.request(command)
        except RequestFailed as error:
            self._host.say(str(error), "bad")
        else:
            note = result.get("note")  # why what was asked for should not be trusted
            self._host.say(f"{done}: {note}" if note else done, "warn" if note else "good")


def positive(words: str) -> float | None:
    """Return the number that ``words`` are, with a point or a comma; None if it is none, not finite, or not above 0."""
    try:
        value = float(words.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _title(name: str) -> str:
    try:
        protocol = read_protocol(name)
    except ProtocolError as error:
        return str(error)
    return "all planes that the model knows" if protocol is None else protocol.title
