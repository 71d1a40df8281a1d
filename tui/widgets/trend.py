"""The plot of gestational age over the exam: its 90% interval, single frames, and the best brain frames."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.containers import Container
from textual_plot import HiResMode, PlotWidget
from textual_plot.axis_formatter import AxisFormatter

from fetalstream.tui.state.session import StreamView, TrendPoint
from fetalstream.tui.state.text import stopwatch, weeks_days
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.panel import PAST_S, Layout, Panel, Place, Space
from fetalstream.tui.widgets.scene import Scene

_MIN_SPAN_DAYS = 28
_MIN_SPAN_S = 30.0
_BARS = 24  # error bars across the plot


class _Ticks(AxisFormatter):
    """Places ticks on whole steps of a scale that people count in."""

    def __init__(self, steps: Sequence[float], at_most: int) -> None:
        self._steps, self._at_most = steps, at_most

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:  # noqa: ARG002 - their interface
        step = next((s for s in self._steps if (max_ - min_) / s <= self._at_most), self._steps[-1])
        first = math.ceil(min_ / step)
        return [step * i for i in range(first, math.floor(max_ / step) + 1)]


class _Weeks(_Ticks):
    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        return [weeks_days(tick) for tick in ticks]


class _Minutes(_Ticks):
    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        return [stopwatch(tick) for tick in ticks]


class Trend(PlotWidget, can_focus=False):
    """The plot itself, which draws only if its points changed."""

    DEFAULT_CSS = f"""
    Trend {{
        & > .plot--axis {{ color: {palette.LINE}; }}
        & > .plot--tick {{ color: {palette.MUTED}; text-style: none; }}
    }}
    """

    def __init__(self) -> None:
        super().__init__(allow_pan_and_zoom=False)
        self._points: tuple[TrendPoint, ...] | None = None
        self._keyframes: tuple[float, ...] = ()
        self.set_y_formatter(_Weeks((7, 14, 28, 56), 5))
        self.set_x_formatter(_Minutes((5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200), 3))

    def on_mount(self) -> None:
        """Set narrow margins: the panel's border already frames the plot."""
        self.margin_top, self.margin_bottom, self.margin_left = 0, 1, 6
        self.visible = False  # axes without an age would show ages that nobody measured

    def show(self, points: tuple[TrendPoint, ...], keyframes: tuple[float, ...] = ()) -> bool:
        """Draw all points again; return whether they changed.

        Args:
            points: the exam's, oldest first.
            keyframes: seconds at which a best brain frame was chosen.
        """
        if (points is self._points and keyframes == self._keyframes) or not self.is_mounted:
            return False
        self._points, self._keyframes = points, keyframes
        self.clear()
        self.visible = bool(points)
        if not points:
            return True
        low, high = min(p.low_days for p in points), max(p.high_days for p in points)
        singles = [(p.seconds, p.frame_days) for p in points if p.frame_days is not None]
        # A frame far off is no reason to press all the others together: it is left out of the limits.
        spare = max(0.0, _MIN_SPAN_DAYS - (high - low)) / 2 + 1
        self.set_ylimits(low - spare, high + spare)
        self.set_xlimits(points[0].seconds, max(points[-1].seconds, points[0].seconds + _MIN_SPAN_S))
        self._draw_intervals(points)
        if singles:
            seconds, days = zip(*singles, strict=True)
            self.scatter(seconds, days, marker_style=palette.COLD, hires_mode=HiResMode.BRAILLE)
        self.plot(
            [p.seconds for p in points], [p.days for p in points], line_style=palette.GOOD, hires_mode=HiResMode.BRAILLE
        )
        chosen = [(at, _days_at(points, at)) for at in keyframes]
        if chosen:
            self.scatter([at for at, _ in chosen], [days for _, days in chosen], "◆", palette.ACCENT)
        return True

    def _draw_intervals(self, points: tuple[TrendPoint, ...]) -> None:
        bars = points[:: max(1, len(points) // _BARS)]
        self.errorbar(
            [p.seconds for p in bars],
            [(p.low_days + p.high_days) / 2 for p in bars],
            yerr=[(p.high_days - p.low_days) / 2 for p in bars],
            marker_style=palette.FAINT,
            hires_mode=HiResMode.BRAILLE,
        )


def _days_at(points: tuple[TrendPoint, ...], seconds: float) -> float:
    return min(points, key=lambda point: abs(point.seconds - seconds)).days


class AgeTrend(Panel):
    """The plot of the chosen stream's exam."""

    name, title, subtitle = "trend", "age over the exam", "90% interval"
    place: ClassVar[Place] = "beneath"
    every_s = PAST_S
    styles: ClassVar[Mapping[Layout, str]] = {"wide": "width: 1fr; height: 11; padding: 0;"}

    def make_widget(self) -> Container:
        """Return a box round the plot, which has the border."""
        self._trend = Trend()
        return Container(self._trend)

    def draw(self, scene: Scene, view: StreamView, space: Space) -> None:  # noqa: ARG002 - the plot knows its size
        """Draw the exam's ages, and the times of its best brain frames."""
        started = view.exam_started_ns or 0
        brains = (each.published_ns for each in view.review.counted if each.plane == "brain")
        self._trend.show(view.trend, tuple((each - started) / 1e9 for each in brains))
