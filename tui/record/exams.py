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
        stream, exam: their ids.
        view: as the dashboard would show it at the end.
        first_ns, last_ns: when its first and last reading were published; None before there was one.
        started: RFC 3339, of its first message.
        states: the signal's, over the exam; ``Span.plane`` holds the state.
        spacings: mm per pixel and where that is from, with the number of readings at each; None where it is unknown.
        readings, reused: how many, and how many of them repeated an answer.
        calibrated: whether all its probabilities were.
        events: all of them, in the order of their times.
        keyframes: all that were announced, by id.
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
        """From its first reading to its last."""
        return 0.0 if self.first_ns is None or self.last_ns is None else (self.last_ns - self.first_ns) / 1e9

    def at_s(self, published_ns: int) -> float:
        """Seconds since its first reading."""
        return 0.0 if self.first_ns is None else (published_ns - self.first_ns) / 1e9

    def shown(self) -> list[BestFrame]:
        """What stands for each plane, in the model's order, then what else the operator took or accepted."""
        review = self.view.review
        order = {label: place for place, label in enumerate(self.view.labels)}
        first = sorted(review.best.values(), key=lambda best: order.get(best.plane, len(order)))
        shown = {best.keyframe for best in first}
        more = [each for each in review.counted if (each.by_operator or each.accepted) and each.keyframe not in shown]
        return [*first, *more]

    def runners_up(self, best: BestFrame) -> list[BestFrame]:
        """Next best frames of its plane, of other moments than what is shown, three at most; none for what is no best.

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
    """All examinations of a session that hold a reading, a kept frame or an event, in the order of their beginnings.

    Each is folded by itself, message by message as the dashboard does, so that both always tell the same.
    """
    facts = opened(Session(replay=True), recording.state())
    sessions: dict[tuple[str, str], Session] = {}
    exams: dict[tuple[str, str], Exam] = {}
    for _, message, _ in recording.messages():
        key = (message.stream, message.exam)
        if isinstance(message, Goodbye) or not message.stream:
            continue
        sessions[key] = reduce(sessions.get(key, facts), message, message.published_ns)
        view = sessions[key].streams[message.stream]
        exam = exams.setdefault(key, Exam(*key, started=message.wall_time, view=view))
        exam.view = view
        _counted(exam, message)
    return [exam for exam in exams.values() if exam.readings or exam.keyframes or exam.events]


def _apart(one: FrameInfo, other: FrameInfo) -> bool:
    return one.epoch != other.epoch or abs(one.pts_seconds - other.pts_seconds) >= APART_SECONDS


def _counted(exam: Exam, message: Message) -> None:
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
