"""The table of what a stream forgets when, from the test that holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from docs.markdown import table
from tests.pipeline.stream.test_resets import EVENTS, STARTS_AFRESH

HAPPENS: Final = {
    "epoch": "new epoch", "layout": "layout changed", "exam": "new exam", "spacing": "`set_spacing`",
    "sector": "`set_sector`", "dark": "black or no signal", "refused": "refused frame",
}  # fmt: skip
"""What can happen between two frames, as the test calls it and as the page does."""

REMEMBERED: Final = {
    "reuse": "the answer that may be reused",
    "steadiness": "the frame before, for steadiness",
    "planes": "planes over time",
    "subplanes": "subplanes over time",
    "question": "the question's filter",
    "freeze": "how long the picture has stood still",
    "ages": "ages",
    "operator's spacing": "the spacing that the operator gave",
    "clip": "frames before a best frame, for its clip",
    "best frames": "best frames",
}
"""What a stream remembers, likewise."""


def resets() -> str:
    """Return which memory of a stream starts afresh at which event."""
    events = [each for each in EVENTS if each != "nothing"]
    rows = [
        [REMEMBERED[memory], *("afresh" if event in afresh else "" for event in events)]
        for memory, afresh in STARTS_AFRESH.items()
    ]
    return table(["what is remembered", *(HAPPENS[event] for event in events)], rows)


BLOCKS: Final[dict[str, Callable[[], str]]] = {"resets": resets}
"""What makes each part, by its name."""
