"""The progress of an examination through its protocol: what is missing, and why the last try was not enough. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fetalstream.tui.state.keyframe_review import BestFrame
from fetalstream.tui.state.scan_protocol import Protocol, View, every_plane
from fetalstream.tui.state.session import StreamView
from fetalstream.tui.state.text import probability, span

ChecklistState = Literal["done", "weak", "missing", "not assessable"]

# What counts most in a score goes first; a part that is at least so large is no reason.
_WEAK = {
    "contrast": ("structures hardly stand out", 0.4),
    "in_plane": ("not quite on the plane", 0.85),
    "margin": ("margin small: another plane is as likely", 0.6),
    "probability": ("not held long enough", 0.6),
    "sharpness": ("not sharp", 0.6),
    "steadiness": ("not steady", 0.6),
}
NOT_SEEN = "not seen yet"


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One view of the protocol and its best frame; ``advice`` says what to do, or is empty."""

    view: View
    state: ChecklistState
    best: BestFrame | None
    advice: str


def items(protocol: Protocol | None, view: StreamView, now_ns: int) -> list[ChecklistItem]:
    """Return every view of the protocol (None: the model's own planes), in its order."""
    chosen = every_plane(view.labels) if protocol is None else protocol
    return [_item(each, chosen.enough, view, now_ns) for each in chosen.views]


def completeness(checked: list[ChecklistItem]) -> str:
    """Return ``5 of 9 views``; views that the model cannot judge are not counted."""
    judged = [item for item in checked if item.state != "not assessable"]
    return f"{sum(item.state == 'done' for item in judged)} of {len(judged)} views"


def next_step(checked: list[ChecklistItem]) -> str:
    """Return the next thing to do in one line: a missing view that was tried, else the first that is missing."""
    left = [item for item in checked if item.state in ("missing", "weak")]
    if not left:
        return "all views that the model can judge are collected"
    tried = [item for item in left if item.advice not in ("", NOT_SEEN)]
    item = (tried or left)[0]
    state = "still missing" if item.state == "missing" else "weak"
    return f"{state}: {item.view.name}, {item.advice or 'a better one helps'}"


def why(parts: Mapping[str, float]) -> str:
    """Return the part of a score that lowers it most, with its number: ``not steady (0.21)``; empty for none."""
    for name, (words, good_enough) in _WEAK.items():
        if name in parts and parts[name] < good_enough:
            return f"{words} ({probability(max(0.0, parts[name]))})"
    return ""


def _item(wanted: View, enough: float, view: StreamView, now_ns: int) -> ChecklistItem:
    if wanted.plane is None or wanted.plane not in view.labels:
        return ChecklistItem(wanted, "not assessable", None, "not assessable by the model")
    best = view.review.best_of(wanted.plane, wanted.subplane)
    if best is not None:
        done = best.accepted or best.by_operator or best.score >= enough
        return ChecklistItem(wanted, "done" if done else "weak", best, "" if done else why(best.parts))
    return ChecklistItem(wanted, "missing", None, _advice(wanted, view, now_ns))


def _advice(wanted: View, view: StreamView, now_ns: int) -> str:
    last = view.tries.get(wanted.plane or "")
    if last is None:
        return NOT_SEEN
    if wanted.subplane is not None and view.review.best_of(str(wanted.plane), None) is not None:
        return "another section was seen"
    reading = view.reading
    if wanted.subplane is not None and reading is not None and reading.subplane not in (None, wanted.subplane):
        return "another section is in view"
    ago = span(view.since_published_s(last.published_ns, now_ns))
    return f"{'now' if ago == 'now' else f'{ago} ago'}: {why(last.parts) or 'hold it a little longer'}"
