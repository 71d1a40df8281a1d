"""The checklist panel: the views that the exam has, how good and how old each is, and advice for the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text

from fetalstream.tui.state.protocol_progress import ChecklistItem, completeness
from fetalstream.tui.state.session import StreamView
from fetalstream.tui.state.text import label_words, plain, probability, span, weeks_days
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.panel import Layout, Place, Space, TextPanel
from fetalstream.tui.widgets.planes import bar
from fetalstream.tui.widgets.scene import Scene

_NAME = 22
_LEAST_ROWS = 4


class Checklist(TextPanel):
    """The views of the protocol, as many as there is room for beside the other panels."""

    name, title = "checklist", "checklist"
    place: ClassVar[Place] = "right"
    styles: ClassVar[Mapping[Layout, str]] = {"wide": "height: auto;"}

    def text(self, scene: Scene, view: StreamView, space: Space) -> Text:
        """Return a row a view, and write into the border how many are collected."""
        checked = scene.checklist(view)
        self.widget.border_subtitle = completeness(checked)
        return checklist(checked, view, scene.shown_ns, space.columns, max(_LEAST_ROWS, space.spare_rows))


def checklist(checked: list[ChecklistItem], view: StreamView, now_ns: int, width: int, rows: int) -> Text:
    """Return one row a view, at most ``rows``; if not all fit, the views that are left to do come first."""
    shown = [item for item in checked if item.state != "not assessable"]
    silent = len(checked) - len(shown)
    room = rows - (silent > 0)
    if len(shown) > room:
        # Sorted by what is to be done, and only then cut; in the protocol's order if all fit.
        left = {"missing": 0, "weak": 1}
        shown = sorted(shown, key=lambda item: left.get(item.state, 2))[: max(1, room - 1)]
    lines = [_row(item, view, now_ns, width) for item in shown]
    hidden = len([item for item in checked if item.state != "not assessable"]) - len(shown)
    words = [f"{hidden} more"] if hidden else []
    words += [f"{silent} not assessable by the model"] if silent else []
    if words:
        lines.append(
            Text("  + " + plain(f"{', '.join(words)} (b)", width - 4), style=palette.FAINT, no_wrap=True, end="")
        )
    return palette.lines(lines)


def _row(item: ChecklistItem, view: StreamView, now_ns: int, width: int) -> Text:
    best = item.best
    if best is None:
        name = Text.assemble(("○ ", palette.FAINT), (plain(item.view.name, _NAME).ljust(_NAME), palette.MUTED))
        room = width - name.cell_len - 1
        return name.append(" " + plain(item.advice, room) if room > 8 else "", style=palette.FAINT)
    done = item.state == "done"
    colour = palette.GOOD if done else palette.WARN
    mark = "✔ " if best.accepted else "● " if done else "◐ "
    detail = label_words(best.subplane, 11) if best.subplane is not None and item.view.subplane is None else ""
    if best.gestation is not None:
        detail = weeks_days(best.gestation.days)
    if not done:
        detail = item.advice
    ago = span(view.since_published_s(best.published_ns, now_ns))
    right = Text.assemble(
        bar(best.score, 0.0, 6, colour), (f" {probability(best.score)}", palette.TEXT), (f"{ago:>6}", palette.MUTED)
    )
    left = Text.assemble((mark, colour), (plain(item.view.name, _NAME).ljust(_NAME + 1), palette.TEXT))
    left.append(plain(detail, max(1, width - left.cell_len - right.cell_len - 1)), style=palette.MUTED)
    return palette.spread(left, right, width)
