"""The panel of the newest events, and an event as one row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text

from fetalstream.pipeline.wire import Event
from fetalstream.tui.state.session import StreamView
from fetalstream.tui.state.text import clock, event_words
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.panel import Layout, Place, Space, TextPanel
from fetalstream.tui.widgets.scene import Scene


class EventLog(TextPanel):
    """The newest events of the chosen stream, the newest last."""

    name, title = "log", "events"
    place: ClassVar[Place] = "beneath"
    styles: ClassVar[Mapping[Layout, str]] = {"wide": "width: 34; height: 11;"}

    def text(self, scene: Scene, view: StreamView, space: Space) -> Text:  # noqa: ARG002 - events are of the view alone
        """Return as many events as there are rows."""
        return log(view, space.rows, space.columns)


def log(view: StreamView, rows: int, width: int) -> Text:
    """Return the newest events, the newest last."""
    shown = [event_row(event, width) for event in view.events[-rows:]] if rows > 0 else []
    return palette.lines(shown or [Text("nothing yet", style=palette.FAINT)])


def event_row(event: Event, width: int) -> Text:
    """Return ``12:03:41 Picture frozen · ...``."""
    room = max(8, width - 10)
    words = event_words(event.event, event.detail, room)
    return Text.assemble((f"{clock(event.wall_time):8} ", palette.FAINT), (words, palette.MUTED), no_wrap=True, end="")
