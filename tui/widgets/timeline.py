"""The timeline panel: the plane in view over the whole exam, as a strip of colours with names where they fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text

from fetalstream.tui.state.exam_history import Span
from fetalstream.tui.state.session import StreamView
from fetalstream.tui.state.text import label_words, stopwatch
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.panel import PAST_S, Layout, Place, Space, TextPanel
from fetalstream.tui.widgets.scene import Scene

LEAST_S = 30.0
_SHORTEST = 4  # letters of a name that still say it
_HUES = ("#6c8ebf", "#56a3a6", "#7fae6e", "#b9975b", "#b5728a", "#8b7bb8", "#5b9bd5", "#a3a35b", "#9a7b6f")


class Timeline(TextPanel):
    """The strip of the chosen stream's exam."""

    name, title = "timeline", "planes over the exam"
    place: ClassVar[Place] = "left"
    every_s = PAST_S
    styles: ClassVar[Mapping[Layout, str]] = {"narrow": "height: 1;", "wide": "height: 4;"}

    def text(self, scene: Scene, view: StreamView, space: Space) -> Text:  # noqa: ARG002 - the exam alone
        """Return the strip, in the wide layouts with marks and best frames beneath it."""
        return strip(view, space.columns, rows=1 if space.layout == "narrow" else 2)


def colour_of(plane: str | None, labels: tuple[str, ...]) -> str:
    """Return a plane's own colour; the colour of an empty track for no plane."""
    return palette.TRACK if plane not in labels else _HUES[labels.index(str(plane)) % len(_HUES)]


def strip(view: StreamView, width: int, *, rows: int) -> Text:
    """Return the strip, and with 2 ``rows`` the marks and best frames beneath it."""
    seconds = max(LEAST_S, view.timeline[-1].end_s if view.timeline else 0.0)
    if width < 8:
        return Text()
    first = _strip(view, seconds, width)
    return first if rows < 2 else palette.lines([first, _beneath(view, seconds, width)])


def _strip(view: StreamView, seconds: float, width: int) -> Text:
    labels = view.labels
    longest = _longest(view.timeline, seconds, width)
    row = Text(no_wrap=True, end="")
    at = 0
    while at < width:
        plane, end = longest[at], at
        while end < width and longest[end] == plane:
            end += 1
        style = f"{palette.INK} on {colour_of(plane, labels)}"
        row.append(_named(plane, end - at).ljust(end - at), style=style)
        at = end
    return row


def _named(plane: str | None, cells: int) -> str:
    """Return the plane's name as far as it fits, nothing if too little of it would."""
    words = "" if plane is None else label_words(plane)
    if len(words) < cells:
        return f" {words}"
    return words[:cells] if cells >= _SHORTEST else ""


def _longest(spans: tuple[Span, ...], seconds: float, width: int) -> list[str | None]:
    """Return for each cell the plane that was in view longest in its time; None beyond the end."""
    share = seconds / width
    held: list[dict[str | None, float]] = [{} for _ in range(width)]
    for each in spans:
        for cell in range(int(each.start_s / share), min(width - 1, int(each.end_s / share)) + 1):
            inside = min(each.end_s, (cell + 1) * share) - max(each.start_s, cell * share)
            held[cell][each.plane] = held[cell].get(each.plane, 0.0) + inside
    # A plane in view for a third of a cell's time is worth a cell: it would vanish beside longer gaps.
    return [max(cell, key=lambda plane: cell[plane] * (1 if plane is None else 2)) if cell else None for cell in held]


def _beneath(view: StreamView, seconds: float, width: int) -> Text:
    cells = [" "] * width
    started = view.exam_started_ns or 0

    def put(published_ns: int, sign: str) -> None:
        cell = int((published_ns - started) / 1e9 / seconds * width)
        if 0 <= cell < width:
            cells[cell] = sign

    for best in view.best.values():
        put(best.published_ns, "◆")
    for event in view.events:
        if event.event == "mark" and event.exam == view.exam:
            put(event.published_ns, "▲")
    last = stopwatch(seconds)
    row = Text("".join(cells[: width - len(last) - 1]) + " ", style=palette.ACCENT, no_wrap=True, end="")
    return row.append(last, style=palette.FAINT)
