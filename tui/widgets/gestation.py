"""The panel of gestational age: weeks and days and what they are based on, or in plain words why there is no age."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text

from fetalstream.pipeline.wire import Gestation
from fetalstream.tui.state.freshness import Freshness
from fetalstream.tui.state.session import StreamView
from fetalstream.tui.state.text import MISSING_WORDS, plain, span, weeks_days
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.letters import large
from fetalstream.tui.widgets.panel import Layout, Place, Space, TextPanel
from fetalstream.tui.widgets.scene import Scene

_SIDE = 3
_ROOMY = 50  # cells across from which the notes are whole sentences


class AgeBeneath(TextPanel):
    """The age beneath the picture, in the narrow layout."""

    name, title = "age-narrow", "gestational age"
    place: ClassVar[Place] = "left"
    styles: ClassVar[Mapping[Layout, str]] = {"narrow": "height: 4; padding: 0 0 0 1;"}

    def text(self, scene: Scene, view: StreamView, space: Space) -> Text:
        """Return the age, or why there is none."""
        return gestation(view, scene.shown_ns, scene.fresh(view), space.columns)


class AgeBeside(AgeBeneath):
    """The age beside the picture, in the wide layouts."""

    name = "age-wide"
    place: ClassVar[Place] = "right"
    styles: ClassVar[Mapping[Layout, str]] = {"wide": "height: auto;"}
    least_rows = 6


def gestation(view: StreamView, now_ns: int, fresh: Freshness, width: int) -> Text:
    """Return four rows: the age in large letters, its interval beside it, and what it is based on beneath.

    From 50 columns on, a fifth row says which zooms counted most.
    """
    age = view.reading.gestation if view.reading is not None else None
    if age is None or fresh in ("waiting", "blank"):
        return _absent(view, now_ns, fresh, width)
    rows = _measured(age, width)
    if width >= _ROOMY:
        rows.append(_drivers(view, width))
    return palette.grayed(palette.lines(rows)) if fresh == "gray" else palette.lines(rows)


def _measured(age: Gestation, width: int) -> list[Text]:
    low, high, half = weeks_days(age.low_days), weeks_days(age.high_days), (age.high_days - age.low_days) / 2
    frame = "" if age.frame_days is None else weeks_days(age.frame_days)
    frames, zooms = _counted(age.frames, "frame"), _counted(age.zooms, "zoom")
    if width >= _ROOMY:
        notes = f"90% {low} to {high}", f"± {half:.0f} days", frame and f"this frame {frame}"
        basis = f"based on {frames}, {zooms} · {age.method}"
    else:
        notes = f"{low}–{high}", f"90% ±{half:.0f} d", frame and f"frame {frame}"
        basis = f"{frames}, {zooms} · {age.method}"
    beside = [Text(note, style=palette.TEXT if i == 0 else palette.MUTED) for i, note in enumerate(notes)]
    return [*_beside(weeks_days(age.days), palette.GOOD, beside), Text(plain(basis, width), style=palette.MUTED)]


def _drivers(view: StreamView, width: int) -> Text:
    zooms = sorted(view.zooms.values(), key=lambda zoom: -zoom.frames)
    each = [
        f"{zoom.spacing_mm:.2f} mm ×{zoom.frames}" + ("" if zoom.days is None else f" {weeks_days(zoom.days)}")
        for zoom in zooms
    ]
    while each and len("driven by " + " · ".join(each)) > width:
        each.pop()
    return Text("driven by " + " · ".join(each) if each else "", style=palette.MUTED)


def _absent(view: StreamView, now_ns: int, fresh: Freshness, width: int) -> Text:
    why = "No reading on the screen"
    if view.reading is not None and fresh in ("fresh", "gray"):
        missing = view.reading.gestation_missing
        why = MISSING_WORDS[missing] if missing is not None else "Not read in this frame"
    reason = [Text(line, style=palette.TEXT) for line in textwrap.wrap(why, max(10, width - 4 - _SIDE))[:3]]
    reason = [*([Text()] if len(reason) == 1 else []), *reason]
    reason += [Text() for _ in range(3 - len(reason))]
    last = Text("none yet in this exam", style=palette.FAINT)
    if view.gestation is not None and view.gestation_ns is not None:
        age, ago = weeks_days(view.gestation.days), span((now_ns - view.gestation_ns) / 1e9)
        last = Text(f"last {age}, {ago} ago" if ago != "now" else f"last {age}, just now", style=palette.MUTED)
    return palette.lines([*_beside("-", palette.FAINT, reason), last])


def _beside(words: str, colour: str, notes: list[Text]) -> list[Text]:
    rows = large(words) or ("", words, "")
    return [
        Text.assemble((row, colour), " " * _SIDE, note, no_wrap=True, end="")
        for row, note in zip(rows, notes, strict=True)
    ]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
