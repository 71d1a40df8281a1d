"""One stream, in full: picture, plane, age, checklist, trend and log."""

from __future__ import annotations

from typing import TypeVar

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from fetalstream.tui.pictures.kept_pictures import KeptPictures
from fetalstream.tui.state.freshness import badge, freshness
from fetalstream.tui.state.protocol_progress import ChecklistItem, completeness
from fetalstream.tui.state.session import StreamView
from fetalstream.tui.state.text import stopwatch
from fetalstream.tui.widgets import layout, palette
from fetalstream.tui.widgets.bars import log
from fetalstream.tui.widgets.checklist import checklist
from fetalstream.tui.widgets.gestation import gestation
from fetalstream.tui.widgets.panel import Panel
from fetalstream.tui.widgets.planes import planes
from fetalstream.tui.widgets.preview import Banner, Preview
from fetalstream.tui.widgets.thumbnails import Thumbnails
from fetalstream.tui.widgets.timeline import strip
from fetalstream.tui.widgets.trend import Trend


def banner(view: StreamView, now_ns: int, *, replay: bool, paused_s: float | None) -> Banner | None:
    """What lies over the picture; None where the picture speaks for itself."""
    if paused_s is not None:
        return Banner(f"PAUSED {stopwatch(paused_s)}, the engine goes on", palette.WARN, at_top=True)
    mark = badge(view, now_ns, replay=replay)
    if view.ended is not None:
        return Banner("ENDED", palette.MUTED)
    if mark.tone in ("warn", "bad"):
        return Banner(mark.words, palette.TONES[mark.tone])
    age = view.preview_age_s(now_ns)
    if age is None:
        return Banner("waiting for a picture", palette.MUTED)
    if freshness(age, replay=replay) != "fresh":
        return Banner(f"PICTURE {age:.0f} s OLD", palette.WARN)
    return None


_Box = TypeVar("_Box", bound=Widget)


class _Bare(Widget):
    """Places its children and paints nothing: the screen beneath has painted the background already.

    Every layer is composed anew for every picture of the video, however little of it is to be seen.
    """

    def render_lines(self, crop: Region) -> list[Strip]:  # noqa: ARG002 - Textual's
        return []


class _Row(_Bare, Horizontal):
    """Its children beside each other."""


class _Column(_Bare, Vertical):
    """Its children beneath each other."""


class Single(_Bare, Container):
    """Draws the chosen stream; each part has its own pace and draws only what changed."""

    def __init__(self) -> None:
        super().__init__()
        self._preview = Preview()
        self._trend = Trend()
        self._picture = _framed(Container(self._preview, id="picture"), "picture")
        self._age_narrow = Panel(id="age-narrow")
        self._timeline = _framed(Panel(id="timeline"), "planes over the exam")
        # Titles are fixed words: what comes from outside never becomes a title, which is read as markup.
        self._log = _framed(Panel(id="log"), "events")
        self._planes = _framed(Panel(id="planes"), "plane")
        self._age_wide = _framed(Panel(id="age-wide", classes="wide-only"), "gestational age")
        self._checklist = _framed(Panel(id="checklist", classes="wide-only"), "checklist")

        self._kept = Thumbnails(in_a_row=True)
        self._strip = _framed(Container(self._kept, classes="tall-only"), "views")

    def compose(self) -> ComposeResult:
        trend = _framed(Container(self._trend, id="trend-box"), "age over the exam")
        trend.border_subtitle = "90% interval"
        yield _Column(
            self._picture,
            self._strip,
            self._age_narrow,
            self._timeline,
            _Row(trend, self._log, id="beneath", classes="wide-only"),
            id="left",
        )
        yield _Column(self._planes, self._age_wide, self._checklist, id="right")

    def draw_picture(self, view: StreamView, now_ns: int, *, replay: bool, paused_s: float | None) -> None:
        """The video's part, up to 15 times a second."""
        fresh = freshness(view.preview_age_s(now_ns), replay=replay)
        self._preview.show(view.preview, fresh, banner(view, now_ns, replay=replay, paused_s=paused_s))

    def draw_numbers(
        self, view: StreamView, checked: list[ChecklistItem], now_ns: int, *, replay: bool, wide: bool
    ) -> None:
        """Bars and words, five times a second."""
        fresh = freshness(view.reading_age_s(now_ns), replay=replay)
        self._picture.set_class(fresh == "gray", "stale")
        self._picture.set_class(fresh == "blank" and view.ended is None, "lost")
        panel = self._planes
        panel.show(planes(view, now_ns, fresh, (panel.columns, panel.rows), wide=wide))
        panel = self._age_wide if wide else self._age_narrow
        panel.show(gestation(view, now_ns, fresh, panel.columns))
        if wide:
            self._checklist.border_subtitle = completeness(checked)
            rows = max(4, self.app.size.height - layout.BESIDE_CHECKLIST)
            self._checklist.show(checklist(checked, view, now_ns, self._checklist.columns, rows))
            self._log.show(log(view, self._log.rows, self._log.columns))

    def draw_kept(self, checked: list[ChecklistItem], pictures: KeptPictures, view: StreamView, now_ns: int) -> None:
        """The strip of stills, once a second, where there is room for it."""
        self._kept.show(checked, pictures, view, now_ns)

    def draw_past(self, view: StreamView, *, wide: bool) -> None:
        """Timeline and plot, once a second."""
        self._timeline.show(strip(view, self._timeline.columns, rows=2 if wide else 1))
        if wide:
            started = view.exam_started_ns or 0
            brains = (each.published_ns for each in view.choices.standing if each.plane == "brain")
            self._trend.show(view.trend, tuple((each - started) / 1e9 for each in brains))


def _framed(box: _Box, title: str) -> _Box:
    box.add_class("framed")
    box.border_title = title
    return box
