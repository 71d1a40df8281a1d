"""Search an examination in words: planes that were in view, marks with their notes, events, best frames. Pure."""

from __future__ import annotations

from typing import NamedTuple

from fetalstream.tui.state.session import StreamView
from fetalstream.tui.state.text import event_words, label_words, stopwatch

MAX_MOMENTS = 50


class Moment(NamedTuple):
    """A moment on the publisher's clock, and a line about it."""

    published_ns: int
    words: str


def moments_with(view: StreamView, words: str) -> list[Moment]:
    """Return the moments of this exam whose line holds all of the words, the newest first, at most 50."""
    started = view.exam_started_ns or 0
    moments = [
        Moment(started + round(span.start_s * 1e9), f"{label_words(span.plane)} in view")
        for span in view.timeline
        if span.plane is not None
    ]
    moments += [
        Moment(event.published_ns, event_words(event.event, event.detail))
        for event in view.events
        if event.exam == view.exam
    ]
    moments += [Moment(best.published_ns, f"best {label_words(best.plane)}") for best in view.review.counted]
    wanted = words.casefold().split()
    fits = [each for each in moments if all(word in each.words.casefold() for word in wanted)]
    fits.sort(reverse=True)
    return [
        Moment(each.published_ns, f"{stopwatch((each.published_ns - started) / 1e9)}  {each.words}")
        for each in fits[:MAX_MOMENTS]
    ]
