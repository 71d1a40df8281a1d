"""The panel of planes: the plane in view in large letters, and every plane's probability.

The bar is the smoothed probability, the tick on it the one of this frame alone."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import ClassVar

from rich.text import Text

from fetalstream.pipeline.wire import OTHER, Ask, LabelScore, Reading
from fetalstream.tui.state.freshness import Freshness
from fetalstream.tui.state.keyframe_review import BestFrame
from fetalstream.tui.state.session import SUBPLANES, StreamView
from fetalstream.tui.state.text import label_words, plain, probability, span
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.letters import large
from fetalstream.tui.widgets.panel import Layout, Place, Space, TextPanel
from fetalstream.tui.widgets.scene import Scene

_NAME = 12
_TICK_FROM = 0.05  # a tick at the foot of every bar would say nothing
_SHOWN_STATES = {"black": "BLACK PICTURE", "no_signal": "NO SIGNAL"}


class Planes(TextPanel):
    """The planes of the chosen stream."""

    name, title = "planes", "plane"
    place: ClassVar[Place] = "right"
    styles: ClassVar[Mapping[Layout, str]] = {
        "narrow": "height: 1fr; padding: 0 1 0 0;",
        "wide": "height: 1fr; min-height: 16; padding: 0 1;",
    }
    least_rows = 16

    def text(self, scene: Scene, view: StreamView, space: Space) -> Text:
        """Return the plane in view and all probabilities."""
        size = space.columns, space.rows
        return planes(view, scene.shown_ns, scene.fresh(view), size, wide=space.layout != "narrow")


def bar(smoothed: float, raw: float, width: int, colour: str) -> Text:
    """Return ``smoothed`` as a bar (its last cell as bright as it is full), ``raw`` as an upright tick; both 0 to 1."""
    full, quarters = divmod(round(max(0.0, min(1.0, smoothed)) * width * 4), 4)
    part = palette.mixed(palette.TRACK, colour, quarters / 4)
    styles = [colour] * full + [part] * (quarters > 0) + [palette.TRACK] * width
    cells = [("▄", style) for style in styles[:width]]
    if raw >= _TICK_FROM:
        cells[min(width - 1, int(min(1.0, raw) * width))] = ("┃", palette.RAW)
    return Text.assemble(
        *(("".join(glyph for glyph, _ in same), style) for style, same in groupby(cells, itemgetter(1))),
        no_wrap=True,
        end="",
    )


def headline(reading: Reading | None, fresh: Freshness, width: int) -> list[Text]:
    """Return three rows: the plane in view in large letters, or why there is none."""
    word, colour = _headword(reading, fresh)
    rows = large(word)
    if rows is None or len(rows[0]) > width:
        return [Text(), Text(word[:width], style=f"bold {colour}"), Text()]
    return [Text(row, style=colour) for row in rows]


def _headword(reading: Reading | None, fresh: Freshness) -> tuple[str, str]:
    if reading is None or fresh in ("waiting", "blank"):
        return "-", palette.FAINT
    if reading.state in _SHOWN_STATES:
        return _SHOWN_STATES[reading.state], palette.WARN
    if reading.plane is None:
        return "NO PLANE", palette.FAINT
    return label_words(reading.plane).upper().replace("& ", "").replace("-", " "), palette.ACCENT


def caption(reading: Reading | None, fresh: Freshness) -> Text:
    """Return the row beneath: the subplane, and how sharp and steady the picture is."""
    if reading is None or fresh in ("waiting", "blank"):
        return Text("no reading on the screen", style=palette.FAINT)
    words: list[str] = []
    if reading.subplane is not None:
        words.append(label_words(reading.subplane))
    if reading.quality is not None:
        words += [
            f"sharp {probability(reading.quality.sharpness)}",
            f"steady {probability(reading.quality.steadiness)}",
        ]
    return Text(" · ".join(words), style=palette.MUTED)


def asked(ask: Ask, width: int) -> Text:
    """Return the sentence that was asked for, its score, and the share of frames so far that scored lower."""
    score = f" {ask.score:.2f}" + ("" if ask.percentile is None else f" · above {ask.percentile:.0f}%")
    words = plain(ask.text, max(4, width - len(score) - 2))
    return Text.assemble(("? ", palette.WARN), (words, palette.TEXT), (score, f"bold {palette.WARN}"), no_wrap=True)


def planes(view: StreamView, now_ns: int, fresh: Freshness, size: tuple[int, int], *, wide: bool) -> Text:
    """Return the whole panel in ``size`` columns and rows; if not ``wide``, each row ends in its best frame."""
    width, height = size
    reading = view.reading
    scores = reading.planes if reading is not None and fresh in ("fresh", "gray") else {}
    current = reading.plane if reading is not None else None
    below = _subplanes(reading, fresh, width)
    rows = headline(reading, fresh, width)
    if wide and len(rows) + 1 + len(view.labels) + 1 + len(below) > height:
        below = []
    if len(rows) + len(view.labels) + len(below) + 3 <= height:
        rows.append(caption(reading, fresh))
    if reading is not None and reading.ask is not None and fresh in ("fresh", "gray"):
        rows.append(asked(reading.ask, width))
        below = below if wide else below[1:]
    rows.append(_heads(width, wide=wide))
    for label in (*view.labels, OTHER):
        row = _row(label, scores.get(label), width - (0 if wide else 10), current=label == (current or OTHER))
        rows.append(row if wide else Text.assemble(row, _kept(view.best.get(label), view, now_ns), no_wrap=True))
    rows.extend(below)
    text = palette.lines(rows)
    return palette.grayed(text) if fresh == "gray" else text


def _heads(width: int, *, wide: bool) -> Text:
    numbers = "    now   raw" if wide else "  now"
    left = Text("plane".ljust(width - len(numbers) - (0 if wide else 10)) + numbers, style=palette.FAINT)
    return left if wide else left.append(" best  ago", style=palette.FAINT)


def _row(label: str, score: LabelScore | None, width: int, *, current: bool) -> Text:
    wide = width > 40
    numbers = 13 if wide else 5
    bar_width = max(4, width - _NAME - numbers)
    lit = current and score is not None
    colour = palette.ACCENT if lit and label != OTHER else palette.MUTED if label == OTHER else palette.COLD
    name = Text(label_words(label).ljust(_NAME), style=f"bold {palette.TEXT}" if lit else palette.MUTED)
    if score is None:
        empty = Text("▄" * bar_width, style=palette.TRACK)
        return Text.assemble(name, empty, ("    –".ljust(numbers), palette.FAINT), no_wrap=True, end="")
    now = (f"{probability(score.smoothed):>{numbers - 6 if wide else 5}}", f"bold {palette.TEXT}" if lit else "")
    raw = (f"{probability(score.raw):>6}", palette.MUTED) if wide else ""
    return Text.assemble(name, bar(score.smoothed, score.raw, bar_width, colour), now, raw, no_wrap=True, end="")


def _kept(best: BestFrame | None, view: StreamView, now_ns: int) -> Text:
    if best is None:
        return Text("    –    –", style=palette.FAINT)
    ago = span(view.since_published_s(best.published_ns, now_ns))
    return Text.assemble((f" {probability(best.score):>4}", palette.GOOD), (f"{ago:>5}"[:5], palette.MUTED))


def _subplanes(reading: Reading | None, fresh: Freshness, width: int) -> list[Text]:
    scores: Mapping[str, LabelScore] | None = reading.subplanes if reading is not None else None
    if fresh in ("waiting", "blank") or scores is None or reading is None:
        return [Text(), *(_row(label, None, width, current=False) for label in SUBPLANES)]
    return [Text(), *(_row(label, score, width, current=label == reading.subplane) for label, score in scores.items())]
