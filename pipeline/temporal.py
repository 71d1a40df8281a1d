"""From one frame's probabilities to a decision that holds still: a mean of logits in media time, then two thresholds.

Both layers earn their place, and a hidden Markov model on top of them none: ``benchmarks/planes_over_time.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.wire import OTHER

Probabilities = npt.NDArray[np.floating]
_Positive = Annotated[float, msgspec.Meta(gt=0)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]

# A frame may speak against a label by a factor of a thousand and no more: one stray picture is no veto.
FLOOR: Final = 1e-3


class Temporal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Constants of decisions over time; as they stand, for a model that has none of its own.

    Attributes:
        tau_seconds: time constant of the mean. Its weight lies as far back as that of a plain mean over twice as long.
        enter: probability from which a plane is decided.
        leave: probability below which it is dropped, not above ``enter``.
        subplane_enter, subplane_leave: likewise for the brain's subplanes.
        subplane_close: two subplanes that are no further apart than this are both told.
    """

    tau_seconds: _Positive = 0.2
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
    """``probabilities`` (L,), sum 1, in the order of the labels, None before any frame came; ``plane`` as decided."""

    probabilities: Probabilities | None
    plane: str | None


class PlaneFilter:
    """An exponentially weighted mean of log-probabilities in media time, and a decision with hysteresis. Passive.

    A label is decided once its mean reaches ``enter`` and leads; it stands until its mean falls below ``leave`` or
    another label is decided. "other" is never decided: where it leads there is simply no plane.

    Args:
        labels: what the probabilities are of, (L,); may hold "other".
        tau_seconds: time constant; a frame's weight falls to 1/e in this time, whatever the frame rate.
        enter: threshold to decide a label.
        leave: threshold to drop it, not above ``enter``.

    Raises:
        ValueError: a constant is out of range.
    """

    def __init__(self, labels: Sequence[str], tau_seconds: float = 0.2, enter: float = 0.7, leave: float = 0.3) -> None:
        if not (tau_seconds > 0 and 0 <= leave <= enter <= 1):
            raise ValueError(
                f"wanted tau_seconds > 0 and 0 <= leave <= enter <= 1, got {tau_seconds}, {leave} and {enter}"
            )
        self._labels = tuple(labels)
        self._tau_seconds = tau_seconds
        self._enter = enter
        self._leave = leave
        self._epoch: int | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all frames and the decision."""
        self._sum = np.zeros(len(self._labels))
        self._weight = 0.0
        self._pts_seconds = -math.inf
        self._plane: str | None = None

    def update(self, pts_seconds: float, epoch: int, probabilities: Probabilities | None) -> Smoothed:
        """Take one frame in.

        Args:
            pts_seconds: its media time; time that stands still or runs back ages nothing.
            epoch: its epoch; another than the last one's resets the filter.
            probabilities: (L,), sum 1; None or not finite: the frame is skipped, and what was known stays.
        """
        if epoch != self._epoch:
            self.reset()
            self._epoch = epoch
        if probabilities is not None and np.isfinite(probabilities).all():
            self._take(pts_seconds, probabilities)
        if self._weight == 0:
            return Smoothed(None, None)
        mean = np.exp(self._sum / self._weight)
        mean /= mean.sum()
        self._decide(mean)
        return Smoothed(mean, self._plane)

    def _take(self, pts_seconds: float, probabilities: Probabilities) -> None:
        keep = math.exp(min(0.0, self._pts_seconds - pts_seconds) / self._tau_seconds)
        self._sum = self._sum * keep + np.log(np.maximum(probabilities, FLOOR))
        self._weight = self._weight * keep + 1
        self._pts_seconds = max(self._pts_seconds, pts_seconds)

    def _decide(self, mean: Probabilities) -> None:
        best = int(mean.argmax())
        if mean[best] >= self._enter:
            self._plane = None if self._labels[best] == OTHER else self._labels[best]
        elif self._plane is not None and mean[self._labels.index(self._plane)] < self._leave:
            self._plane = None
