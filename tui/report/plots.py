"""The report's three drawings: planes over time, age over time, and the age beside published head sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator

from fetalstream.tui.record.exams import Exam
from fetalstream.tui.report.svg import drawn
from fetalstream.tui.state.exam_history import Span
from fetalstream.tui.state.session import TrendPoint
from fetalstream.tui.state.text import label_words, stopwatch, weeks_days

# Drawn colours stand for the page's variables: an odd value each, which nothing else has.
_INK, _MUTED, _GRID, _ACCENT, _BAND, _WARN = "#010203", "#010204", "#010205", "#010206", "#010207", "#010208"
_COLOURS: Final = {
    _INK: "var(--ink)",
    _MUTED: "var(--muted)",
    _GRID: "var(--line)",
    _ACCENT: "var(--accent)",
    _BAND: "var(--band)",
    _WARN: "var(--warn)",
}
_WIDTHS_INCH: Final = {"wide": 9.6, "narrow": 4.8}
_ROW_INCH: Final = 0.22
_STATE_WORDS: Final = {"frozen": "frozen", "black": "black", "no_signal": "no signal"}


class Growth(NamedTuple):
    """An age beside the head circumferences of the WHO growth charts; sizes in mm, ages in days.

    Attributes:
        weeks: (N,) weeks of the chart.
        low_mm: (N,) circumferences at the 2.5th percentile.
        median_mm: (N,) circumferences at the median.
        high_mm: (N,) circumferences at the 97.5th percentile.
        head_mm: the median circumference at the age.
        low_days: the youngest age at which a head of that size lies within those percentiles.
        high_days: the oldest such age.
        hadlock_days: age of a head of that size by Hadlock 1984, None outside its range.
        intergrowth_days: likewise by INTERGROWTH-21st.
    """

    weeks: Sequence[float]
    low_mm: Sequence[float]
    median_mm: Sequence[float]
    high_mm: Sequence[float]
    head_mm: float
    low_days: float
    high_days: float
    hadlock_days: float | None
    intergrowth_days: float | None


def timeline(exam: Exam, name: str) -> list[str]:
    """Draw planes in view, best frames, marks and the signal's state over time, in a wide SVG and a narrow one."""
    seen = {span.plane for span in exam.view.timeline}
    rows = [label for label in exam.view.labels if label in seen or label in exam.view.review.best]
    if not rows and not exam.states:
        return []

    def draw(axes: Axes) -> None:
        places = {label: place for place, label in enumerate(rows)}
        for label, place in places.items():
            axes.broken_barh(_bars(exam.view.timeline, label, exam.seconds), (place - 0.34, 0.68), color=_ACCENT)
        for best in exam.view.review.counted:
            if best.plane in places:
                axes.plot(
                    exam.at_s(best.published_ns), places[best.plane], "o", color=_INK, markersize=4,
                    markerfacecolor=_WARN,
                )  # fmt: skip
        for state in _STATE_WORDS:
            axes.broken_barh(_bars(exam.states, state, exam.seconds), (len(rows) - 0.34, 0.68), color=_MUTED)
        for event in exam.events:
            if event.event in ("mark", "new_exam"):
                axes.axvline(exam.at_s(event.published_ns), color=_WARN, linewidth=1, linestyle=":")
        axes.set_yticks(range(len(rows) + 1), [*(label_words(label, 16) for label in rows), "no scan, frozen"])
        axes.set_ylim(len(rows) + 0.6, -0.6)
        _timed(axes, exam)

    return _both(draw, (len(rows) + 1) * _ROW_INCH + 0.5, name, "planes in view over time")


def trend(exam: Exam, name: str) -> list[str]:
    """Draw the age over time with its 90% interval and the ages of single frames; empty without an age."""
    points = exam.view.trend
    if not points:
        return []

    def draw(axes: Axes) -> None:
        seconds = [point.seconds for point in points]
        axes.fill_between(
            seconds, [point.low_days for point in points], [point.high_days for point in points], color=_BAND,
            linewidth=0, label="90% interval",
        )  # fmt: skip
        alone = [(point.seconds, point.frame_days) for point in points if point.frame_days is not None]
        axes.plot(*zip(*alone, strict=True), ".", color=_MUTED, markersize=5, label="a frame alone") if alone else None
        axes.plot(seconds, [point.days for point in points], color=_ACCENT, marker="o", markersize=3, label="age")
        if len(points) == 1:
            point = points[0]
            apart = [[point.days - point.low_days], [point.high_days - point.days]]
            axes.errorbar([point.seconds], [point.days], apart, color=_ACCENT, capsize=4)
        _timed(axes, exam)
        axes.yaxis.set_major_locator(MultipleLocator(_step_days(points)))
        axes.yaxis.set_major_formatter(lambda days, _: weeks_days(days))
        _legend(axes)

    return _both(draw, 2.5, name, "gestational age over time")


def growth(days: float, low_days: float, high_days: float, context: Growth, name: str) -> list[str]:
    """Draw the age on the WHO chart of head circumference."""

    def draw(axes: Axes) -> None:
        axes.fill_between(
            context.weeks, context.low_mm, context.high_mm, color=_BAND, linewidth=0, label="2.5th to 97.5th percentile"
        )
        axes.plot(context.weeks, context.median_mm, color=_MUTED, linewidth=1, label="median")
        axes.errorbar(
            [days / 7], [context.head_mm], xerr=[[(days - low_days) / 7], [(high_days - days) / 7]], color=_ACCENT,
            marker="o", markersize=5, capsize=4, linestyle="none", label="this examination",
        )  # fmt: skip
        axes.set_xlim(context.weeks[0], context.weeks[-1])
        axes.set_xlabel("weeks")
        axes.set_ylabel("head, mm")
        _legend(axes)

    return _both(draw, 2.8, name, "head circumference by gestational age")


def _both(draw: Callable[[Axes], None], height_inch: float, name: str, label: str) -> list[str]:
    return [
        drawn(_figure(draw, width, height_inch), name=f"{name}-{size}", label=label, colours=_COLOURS)
        for size, width in _WIDTHS_INCH.items()
    ]


def _figure(draw: Callable[[Axes], None], width_inch: float, height_inch: float) -> Figure:
    figure = Figure(figsize=(width_inch, height_inch), layout="constrained")
    axes = figure.subplots()
    axes.tick_params(colors=_MUTED, labelsize=9, labelcolor=_INK, length=3)
    axes.grid(color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(_MUTED)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    draw(axes)
    return figure


def _legend(axes: Axes) -> None:
    axes.legend(
        loc="upper left", bbox_to_anchor=(0, 1.16), ncols=3, fontsize=8, frameon=False, labelcolor=_INK, borderpad=0,
        columnspacing=1.2, handlelength=1.5,
    )  # fmt: skip


def _bars(spans: Sequence[Span], of: str, end_s: float) -> list[tuple[float, float]]:
    shown_s = max(end_s, 1.0) / 400  # shorter ones would not be seen
    return [(span.start_s, max(shown_s, span.end_s - span.start_s)) for span in spans if span.plane == of]


def _timed(axes: Axes, exam: Exam) -> None:
    """Give all drawings of an exam the same axis of time, so that they can be read below one another."""
    axes.set_xlim(0, max(1.0, exam.seconds))
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 3, 6, 10], integer=True))
    axes.xaxis.set_major_formatter(lambda seconds, _: stopwatch(seconds))


def _step_days(points: Sequence[TrendPoint]) -> int:
    """Return the step of the axis: whole weeks as soon as two of them are in view."""
    shown = max(point.high_days for point in points) - min(point.low_days for point in points)
    return next((step for step in (1, 2) if shown < 6 * step), 7 if shown < 60 else 14)
