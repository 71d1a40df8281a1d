"""Gestational age over the exam, with its 90% interval: how it settled, and when."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual_plot import HiResMode, PlotWidget
from textual_plot.axis_formatter import AxisFormatter

from tui.session import TrendPoint
from tui.text import stopwatch, weeks_days
from tui.widgets import palette

_MIN_SPAN_DAYS = 28
_MIN_SPAN_S = 30.0


class _Ticks(AxisFormatter):
    """Ticks on whole steps of a scale that people count in."""

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
    """The plot; it is told the points once a second and draws only where they changed."""

    DEFAULT_CSS = f"""
    Trend {{
        & > .plot--axis {{ color: {palette.LINE}; }}
        & > .plot--tick {{ color: {palette.MUTED}; text-style: none; }}
    }}
    """

    def __init__(self) -> None:
        super().__init__(allow_pan_and_zoom=False)
        self._points: tuple[TrendPoint, ...] | None = None
        self.set_y_formatter(_Weeks((7, 14, 28, 56), 5))
        self.set_x_formatter(_Minutes((5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200), 3))

    def on_mount(self) -> None:
        """Narrow margins: the panel's border already frames the plot."""
        self.margin_top, self.margin_bottom, self.margin_left = 0, 1, 6

    def show(self, points: tuple[TrendPoint, ...]) -> bool:
        """Draws the points; whether they changed."""
        if points is self._points or not self.is_mounted:
            return False
        self._points = points
        self.clear()
        if not points:
            return True
        seconds = [point.seconds for point in points]
        low, high = min(p.low_days for p in points), max(p.high_days for p in points)
        spare = max(0.0, _MIN_SPAN_DAYS - (high - low)) / 2 + 1
        self.set_ylimits(low - spare, high + spare)
        self.set_xlimits(seconds[0], max(seconds[-1], seconds[0] + _MIN_SPAN_S))
        for ages, colour in (
            ([p.low_days for p in points], palette.FAINT),
            ([p.high_days for p in points], palette.FAINT),
            ([p.days for p in points], palette.GOOD),
        ):
            self.plot(seconds, ages, line_style=colour, hires_mode=HiResMode.BRAILLE)
        return True
