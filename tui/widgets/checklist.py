"""Which planes this exam already has, how good the best frame of each is, and how long ago it came."""

from __future__ import annotations

from rich.text import Text

from tui.session import StreamView
from tui.text import label_words, probability, span, weeks_days
from tui.widgets import palette
from tui.widgets.planes import bar


def checklist(view: StreamView, now_ns: int, width: int) -> Text:
    """One row a plane; the planes still missing are open circles."""
    return palette.lines([_row(label, view, now_ns, width) for label in view.labels])


def progress(view: StreamView) -> str:
    """``5 of 9 planes``."""
    return f"{sum(label in view.best for label in view.labels)} of {len(view.labels)} planes"


def _row(label: str, view: StreamView, now_ns: int, width: int) -> Text:
    best = view.best.get(label)
    if best is None:
        return Text.assemble(("○ ", palette.FAINT), (label_words(label), palette.MUTED), no_wrap=True, end="")
    detail = label_words(best.subplane) if best.subplane is not None else ""
    age = weeks_days(best.gestation.days) if best.gestation is not None else ""
    ago = span(view.since_published_s(best.published_ns, now_ns))
    left = Text.assemble(("● ", palette.GOOD), (label_words(label).ljust(12), palette.TEXT), (detail, palette.MUTED))
    right = Text.assemble(
        (f"{age}  ", palette.MUTED),
        bar(best.score, 0.0, 8, palette.GOOD),
        (f" {probability(best.score)}", palette.TEXT),
        (f"{ago:>6}", palette.MUTED),
    )
    return palette.spread(left, right, width)
