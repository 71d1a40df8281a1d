"""The examinations of a recorded session, each as it stood at its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from fetalstream.pipeline.wire import Event, FrameInfo, Goodbye, Keyframe, Message, Reading
from fetalstream.tui.record.replay import Recording
from fetalstream.tui.state.exam_history import Span, extended
from fetalstream.tui.state.keyframe_review import BestFrame
from fetalstream.tui.state.session import Session, StreamView, opened, reduce

RUNNERS_UP: Final = 3
APART_SECONDS: Final = 2.0
"""Media time between two frames of different moments, as in `pipeline.keyframes.keyframe_store`."""


@dataclass(slots=True)
class Exam:
    """One examination on one stream.

    Attributes:
        stream: the stream's id.
        exam: the examination's id.
        started: time of its first message, RFC 3339.
        view: the stream as the dashboard would show it at the end.
        first_ns: when its first reading was published; None before there was one.
        last_ns: when its last reading was published; likewise.
        states: of the signal, over the exam; ``Span.plane`` holds the state.
        spacings: readings at each scale (mm per pixel, and its source); the key None counts those without a scale.
        readings: the number of readings.
        reused: the number of readings that repeated an answer.
        calibrated: whether all its probabilities were calibrated.
        events: all events, in the order of their times.
        keyframes: all announced best frames, by id.
    """

    stream: str
    exam: str
    started: str
    view: StreamView
    first_ns: int | None = None
    last_ns: int | None = None
    states: tuple[Span, ...] = ()
    spacings: Counter[tuple[float, str] | None] = field(default_factory=Counter)
    readings: int = 0
    reused: int = 0
    calibrated: bool = True
    events: list[Event] = field(default_factory=list[Event])
    keyframes: dict[str, Keyframe] = field(default_factory=dict[str, Keyframe])

    @property
    def seconds(self) -> float:
        """Seconds from its first reading to its last."""
        return 0.0 if self.first_ns is None or self.last_ns is None else (self.last_ns - self.first_ns) / 1e9

    def at_s(self, published_ns: int) -> float:
        """Return a time as seconds since its first reading."""
        return 0.0 if self.first_ns is None else (published_ns - self.first_ns) / 1e9

    def shown(self) -> list[BestFrame]:
        """Return the best frame of each plane, in the model's order, then those that the operator took or accepted."""
        review = self.view.review
        order = {label: place for place, label in enumerate(self.view.labels)}
        first = sorted(review.best.values(), key=lambda best: order.get(best.plane, len(order)))
        shown = {best.keyframe for best in first}
        more = [each for each in review.counted if (each.by_operator or each.accepted) and each.keyframe not in shown]
        return [*first, *more]

    def runners_up(self, best: BestFrame) -> list[BestFrame]:
        """Return the next best frames of its plane, three at most, from other moments than the frames that are shown.

        For a frame that is not the best of its plane there are none.
        Other sections of the plane come first: the best frame of one section may be what stands for a view.
        """
        review = self.view.review
        if review.best.get(best.plane) != best:
            return []
        shown = {each.keyframe for each in self.shown()}
        ranked = [each for each in review.counted if each.plane == best.plane and each.keyframe not in shown]
        ranked.sort(key=lambda each: -each.score)
        leads = {each.subplane: each for each in reversed(ranked) if each.subplane != best.subplane}
        ranked.sort(key=lambda each: leads.get(each.subplane) != each)  # stable: by score within both
        moments = [self.keyframes[key].frame for key in shown if self.keyframes[key].plane == best.plane]
        found: list[BestFrame] = []
        for each in ranked:
            moment = self.keyframes[each.keyframe].frame
            if len(found) < RUNNERS_UP and all(_apart(moment, other) for other in moments):
                moments.append(moment)
                found.append(each)
        return found


def exams_of(recording: Recording) -> list[Exam]:
    """Return the examinations of a session that hold a reading, a best frame or an event, in the order they began.

    Each is folded by itself, message by message as the dashboard does, so that both always show the same.
    """
    empty = opened(Session(replay=True), recording.state())
    sessions: dict[tuple[str, str], Session] = {}
    exams: dict[tuple[str, str], Exam] = {}
    for _, message, _ in recording.messages():
        key = (message.stream, message.exam)
        if isinstance(message, Goodbye) or not message.stream:
            continue
        sessions[key] = reduce(sessions.get(key, empty), message, message.published_ns)
        view = sessions[key].streams[message.stream]
        exam = exams.setdefault(key, Exam(*key, started=message.wall_time, view=view))
        exam.view = view
        _count(exam, message)
    return [exam for exam in exams.values() if exam.readings or exam.keyframes or exam.events]


def _apart(one: FrameInfo, other: FrameInfo) -> bool:
    return one.epoch != other.epoch or abs(one.pts_seconds - other.pts_seconds) >= APART_SECONDS


def _count(exam: Exam, message: Message) -> None:
    if isinstance(message, Event):
        exam.events.append(message)
    elif isinstance(message, Keyframe):
        exam.keyframes[message.keyframe] = message
    elif isinstance(message, Reading):
        exam.first_ns = message.published_ns if exam.first_ns is None else exam.first_ns
        exam.last_ns = message.published_ns
        exam.readings += 1
        exam.reused += message.reused
        exam.calibrated &= message.calibrated
        exam.states = extended(exam.states, message.state, exam.at_s(message.published_ns))
        spacing_mm = message.frame.spacing_mm
        exam.spacings[None if spacing_mm is None else (spacing_mm, message.frame.spacing_from or "not said")] += 1
