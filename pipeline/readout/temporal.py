"""Decisions over time: a forward filter of each frame's probabilities in media time, then two thresholds.

Both layers earn their place, and a mean of logits before them none: ``benchmarks/planes_over_time.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.wire import OTHER

Probabilities = npt.NDArray[np.floating]
_Positive = Annotated[float, msgspec.Meta(gt=0)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]

# A frame may speak against a label by a factor of a thousand and no more: one stray picture is no veto.
FLOOR: Final = 1e-3
DIRECT: Final = 0.05  # share of changes that lead from plane to plane, with nothing between them


class Temporal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Constants of decisions over time; as they stand, for a model that has none of its own.

    Attributes:
        dwell_seconds: how long a plane, or the search between two, is typically looked at.
        evidence_seconds: frames within this time say the same; together they count as one.
        enter: probability from which a plane is decided.
        leave: probability below which it is dropped, not above ``enter``.
        subplane_enter, subplane_leave: likewise for the brain's subplanes.
        subplane_close: two subplanes that are no further apart than this are both told.
    """

    dwell_seconds: _Positive = 3.0
    evidence_seconds: _Positive = 0.1
    enter: _Share = 0.7
    leave: _Share = 0.3
    subplane_enter: _Share = 0.5
    subplane_leave: _Share = 0.4
    subplane_close: _Share = 0.2

    def __post_init__(self) -> None:
        for enter, leave in ((self.enter, self.leave), (self.subplane_enter, self.subplane_leave)):
            if leave > enter:
                raise ValueError(f"leave ({leave}) must not be above enter ({enter})")


class Smoothed(NamedTuple):
    """Filtered ``probabilities`` (L,), sum 1, by label, None before any frame; ``plane`` as decided."""

    probabilities: Probabilities | None
    plane: str | None


class PlaneFilter:
    """Forward filter of a hidden Markov model in media time, and a decision with hysteresis on top of it. Passive.

    What is looked at changes at a rate of one in ``dwell_seconds``, from a plane mostly to "other". A frame's
    probabilities count as evidence by the time that has passed since the one before, so that the same scan at another
    frame rate, or with frames dropped, comes to the same belief (forward algorithm: Rabiner, Proc. IEEE 77, 1989).

    A label is decided once its probability reaches ``enter`` and leads; it stands until its own falls below ``leave``
    or another label is decided. "other" is never decided: if it leads there is simply no plane.

    Args:
        labels: what the probabilities are of, (L,); "other" may be among them.
        constants: of these planes.
        enter, leave: instead of the constants' own.

    Raises:
        ValueError: ``leave`` is above ``enter``.
    """

    def __init__(
        self, labels: Sequence[str], constants: Temporal, *, enter: float | None = None, leave: float | None = None
    ) -> None:
        self._labels = tuple(labels)
        self._constants = constants
        self._enter = constants.enter if enter is None else enter
        self._leave = constants.leave if leave is None else leave
        if self._leave > self._enter:
            raise ValueError(f"wanted leave <= enter, got {self._leave} and {self._enter}")
        self._next = _destinations(self._labels)
        self._segment: Segment | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all frames and the decision."""
        self._belief: Probabilities | None = None
        self._pts_seconds = -math.inf
        self._plane: str | None = None

    def update(self, pts_seconds: float, segment: Segment, probabilities: Probabilities | None) -> Smoothed:
        """Take one frame in.

        Args:
            pts_seconds: its media time; a frame from no later than the last one says nothing new.
            segment: the frame's; the filter starts afresh if its picture is another one than the last frame's.
            probabilities: (L,), sum 1; None or not finite: the frame is skipped, and what was known stays.
        """
        if self._segment is None or segment.picture != self._segment.picture:
            self.reset()
        self._segment = segment
        if probabilities is not None and np.isfinite(probabilities).all():
            self._take(pts_seconds, np.maximum(probabilities, FLOOR))
        if self._belief is not None:
            self._decide(self._belief)
        return Smoothed(self._belief, self._plane)

    def _take(self, pts_seconds: float, seen: Probabilities) -> None:
        if self._belief is None:
            belief = seen
        else:
            seconds = max(0.0, pts_seconds - self._pts_seconds)
            leaving = self._belief * -math.expm1(-seconds / self._constants.dwell_seconds)
            ahead = self._belief - leaving + leaving @ self._next
            belief = ahead * seen ** min(1.0, seconds / self._constants.evidence_seconds)
        self._belief = belief / belief.sum()
        self._pts_seconds = max(self._pts_seconds, pts_seconds)

    def _decide(self, belief: Probabilities) -> None:
        best = int(belief.argmax())
        if belief[best] >= self._enter:
            self._plane = None if self._labels[best] == OTHER else self._labels[best]
        elif self._plane is not None and belief[self._labels.index(self._plane)] < self._leave:
            self._plane = None


def _destinations(labels: Sequence[str]) -> npt.NDArray[np.float64]:
    """What follows each label, (L, L), rows of sum 1: a plane is left for "other" but for one time in twenty."""
    count = len(labels)
    if count < 2:
        return np.eye(count)
    even = (1 - np.eye(count)) / (count - 1)
    if OTHER not in labels:
        return even
    to_other = np.eye(count)[[labels.index(OTHER)] * count]
    mixed = DIRECT * even + (1 - DIRECT) * to_other
    mixed[labels.index(OTHER)] = even[labels.index(OTHER)]
    return mixed
