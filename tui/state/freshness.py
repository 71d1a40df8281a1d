"""The freshness of what is on the screen: its age, the state of its source, and the word for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fetalstream.tui.state.session import StreamView

GRAY_AFTER_S = 1.0
BLANK_AFTER_S = 3.0
SUGGEST_EXAM_AFTER_S = 60.0

Tone = Literal["good", "quiet", "cold", "warn", "bad"]
Freshness = Literal["waiting", "fresh", "gray", "blank"]


@dataclass(frozen=True, slots=True)
class Badge:
    """The state of a stream in one or two words."""

    words: str
    tone: Tone


def freshness(age_s: float | None, *, replay: bool = False) -> Freshness:
    """Return how data of that age may be shown: as it is, gray, or not at all; a recording always as it is."""
    if age_s is None:
        return "waiting"
    if replay:
        return "fresh"
    return "fresh" if age_s <= GRAY_AFTER_S else "gray" if age_s <= BLANK_AFTER_S else "blank"


def badge(view: StreamView, now_ns: int, *, replay: bool = False) -> Badge:
    """Return the state of a stream; the worst that is true of it wins."""
    age = view.reading_age_s(now_ns)
    if view.ended is not None:
        return Badge("ENDED", "quiet")
    said = view.health.state if view.health is not None else None
    if said in ("failed", "lost"):
        return Badge(said.upper(), "bad")
    if view.health is not None and view.health.paused:
        return Badge("ENGINE PAUSED", "warn")
    fresh = freshness(age, replay=replay)
    if view.reading is None or age is None or fresh == "waiting":
        return Badge("WAITING", "quiet")
    if fresh != "fresh":
        return Badge(f"STALE {age:.1f} s", "warn") if fresh == "gray" else Badge(f"NO DATA {age:.0f} s", "bad")
    words: dict[str, Badge] = {
        "frozen": Badge("FROZEN", "cold"),
        "black": Badge("BLACK PICTURE", "warn"),
        "no_signal": Badge("NO SIGNAL", "warn"),
    }
    return words.get(view.reading.state, Badge("REPLAY", "cold") if replay else Badge("LIVE", "good"))


def offers_new_exam(view: StreamView, now_ns: int) -> bool:
    """Return whether nothing was scanned for so long that the next picture may be another patient's."""
    if view.signal_ns is None or view.ended is not None:
        return False
    return (now_ns - view.signal_ns) / 1e9 >= SUGGEST_EXAM_AFTER_S
