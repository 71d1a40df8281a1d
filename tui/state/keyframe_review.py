"""The best frame of each plane: chosen by score, but an operator's decision goes before it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from fetalstream.pipeline.wire import MIN_GAIN, Event, Gestation, Keyframe

MAX_FRAMES = 500
LEAD = 1 + MIN_GAIN
DECISION = "decision"


@dataclass(frozen=True, slots=True)
class BestFrame:
    """A best frame, or one that was.

    Attributes:
        keyframe: its id.
        plane: what it counts as, which the operator may have changed.
        subplane: the same.
        score: 0 to 1; 0 for a snapshot that has none.
        published_ns: on the publisher's clock.
        gestation: the age at that moment.
        parts: of the score, each 0 to 1.
        by_operator: it is a snapshot.
        accepted: by the operator.
        runner_up: when it was announced, there was a better one of another moment.
    """

    keyframe: str
    plane: str
    subplane: str | None
    score: float
    published_ns: int
    gestation: Gestation | None
    parts: Mapping[str, float] = field(default_factory=dict[str, float])
    by_operator: bool = False
    accepted: bool = False
    runner_up: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """An operator's decision on a frame: "accept", "reject", "relabel", or "undo" of the decision of that number."""

    number: int
    keyframe: str
    verdict: str
    plane: str | None
    subplane: str | None


@dataclass(frozen=True, slots=True)
class KeyframeReview:
    """The best frames of an examination, and the decisions about them.

    Attributes:
        frames: as announced, by id.
        decisions: in the order in which they came.
        counted: frames that were not rejected, as they were decided to be, the oldest first.
        best: the best of each plane.
        snapshots: how many the operator took.
    """

    frames: Mapping[str, BestFrame] = field(default_factory=dict[str, BestFrame])
    decisions: tuple[Decision, ...] = ()
    counted: tuple[BestFrame, ...] = ()
    best: Mapping[str, BestFrame] = field(default_factory=dict[str, BestFrame])
    snapshots: int = 0

    def best_of(self, plane: str, subplane: str | None) -> BestFrame | None:
        """Return the best frame of a view: the one accepted last, else the best by score, else a snapshot."""
        if subplane is None and plane in self.best:
            return self.best[plane]
        said = {each.keyframe: place for place, each in enumerate(_standing(self.decisions))}
        return max(
            self._fitting(plane, subplane),
            key=lambda each: (said.get(each.keyframe, -1) if each.accepted else -1, not each.by_operator, each.score),
            default=None,
        )

    def candidate(self, plane: str, subplane: str | None) -> BestFrame | None:
        """Return the newest other frame of a view, for the operator to compare with the best one."""
        best = self.best_of(plane, subplane)
        others = [each for each in self._fitting(plane, subplane) if best and each.keyframe != best.keyframe]
        return others[-1] if others else None

    def _fitting(self, plane: str, subplane: str | None) -> list[BestFrame]:
        return [each for each in self.counted if each.plane == plane and subplane in (None, each.subplane)]

    @property
    def undoable(self) -> bool:
        """True if there is a decision that could be taken back."""
        return bool(_standing(self.decisions))


def with_keyframe(review: KeyframeReview, keyframe: Keyframe) -> KeyframeReview:
    """Return the review after another frame was announced."""
    if keyframe.keyframe in review.frames:
        return review
    announced = BestFrame(
        keyframe=keyframe.keyframe,
        plane=keyframe.plane,
        subplane=keyframe.subplane,
        score=keyframe.score or 0.0,  # only a snapshot has none, and it is known by that
        published_ns=keyframe.published_ns,
        gestation=keyframe.gestation,
        parts=keyframe.parts,
        by_operator=keyframe.chosen_by == "operator",
        runner_up=bool(keyframe.rank),
    )
    frames = {**review.frames, announced.keyframe: announced}
    if len(frames) > MAX_FRAMES:
        # Frames that stand for nothing any more go first; an accepted one never does.
        used = {each.keyframe for each in review.counted if each.accepted} | {b.keyframe for b in review.best.values()}
        del frames[next(key for key in frames if key not in used)]
    return _resolved(replace(review, frames=frames, snapshots=review.snapshots + announced.by_operator))


def with_decision(review: KeyframeReview, event: Event) -> KeyframeReview:
    """Return the review after a decision; a decision that cannot be read changes nothing."""
    number, keyframe, verdict = (event.detail.get(key) for key in ("number", "keyframe", "verdict"))
    if not (isinstance(number, int) and isinstance(keyframe, str) and isinstance(verdict, str)):
        return review
    plane, subplane = (event.detail.get(key) for key in ("plane", "subplane"))
    made = Decision(
        number, keyframe, verdict, plane if isinstance(plane, str) else None,
        subplane if isinstance(subplane, str) else None,
    )  # fmt: skip
    if made in review.decisions:
        return review
    return _resolved(replace(review, decisions=(*review.decisions, made)))


def _standing(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the decisions that were not taken back."""
    stand: dict[int, Decision] = {}
    for decision in sorted(decisions, key=lambda each: (each.number, each.verdict == "undo")):
        if decision.verdict == "undo":
            stand.pop(decision.number, None)
        else:
            stand[decision.number] = decision
    return list(stand.values())


def _resolved(review: KeyframeReview) -> KeyframeReview:
    frames = dict(review.frames)
    accepted: dict[str, str] = {}  # plane -> the frame accepted last
    for decision in _standing(review.decisions):
        frame = frames.get(decision.keyframe)
        if frame is None:
            continue
        if decision.verdict == "reject":
            del frames[decision.keyframe]
            continue
        if decision.verdict == "relabel" and decision.plane is not None:
            frame = replace(frame, plane=decision.plane, subplane=decision.subplane)
        frames[decision.keyframe] = replace(frame, accepted=True)
        accepted[frame.plane] = decision.keyframe
    counted = tuple(sorted(frames.values(), key=lambda each: each.published_ns))
    best: dict[str, BestFrame] = {}
    for frame in counted:
        before = best.get(frame.plane)
        if (not frame.by_operator or frame.accepted) and (before is None or _replaces(frame, before)):
            best[frame.plane] = frame
    best |= {plane: frames[keyframe] for plane, keyframe in accepted.items() if keyframe in frames}
    return replace(review, counted=counted, best=best)


def _replaces(frame: BestFrame, before: BestFrame) -> bool:
    """Return whether ``frame`` replaces ``before``: one announced as best does, a runner-up only if it scores more."""
    if frame.runner_up:
        return frame.score > before.score * (1 if before.runner_up else LEAD)
    return not before.runner_up or before.score <= frame.score * LEAD
