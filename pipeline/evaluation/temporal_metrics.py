"""Decisions over time are compared with the truth: segments, flicker, the delay to name a plane, "other".

Everything is computed from three columns with a row a frame: media time, the true label ("" if the truth lies between
labels and is not scored) and the decided label ("other" if no plane was named).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from fetalstream.pipeline.wire import OTHER

UNSCORED: Final = ""
OVERLAP: Final = 0.5
SETTLING_SECONDS: Final = 0.5
"""After the truth has changed, the decision has this long to follow before "other" is judged."""


class LabelRun(NamedTuple):
    """Consecutive frames of one label, from ``first`` up to but not including ``end``."""

    label: str
    first: int
    end: int


@dataclass(frozen=True, eq=False)
class TemporalOutcome:
    """Counts of one scan, or of several scans added up. A segment is a run of frames of one plane.

    Attributes:
        matched: number of true segments that a decided segment matches.
        decided: number of decided segments.
        true: number of true segments.
        flickers: changes of the decision beyond one in each run of constant truth, unscored runs included.
        seconds: media time.
        delays_seconds: for each true segment the time from its first frame to the first frame that names its plane;
            infinite if none does.
        other_right: settled frames of "other" for which no plane was named.
        other_frames: all settled frames of "other".
        right: settled frames of any label that were named correctly.
        frames: all settled frames.
    """

    matched: int
    decided: int
    true: int
    flickers: int
    seconds: float
    delays_seconds: tuple[float, ...]
    other_right: int
    other_frames: int
    right: int = 0
    frames: int = 0

    def __add__(self, more: TemporalOutcome) -> TemporalOutcome:
        return TemporalOutcome(
            self.matched + more.matched, self.decided + more.decided, self.true + more.true,
            self.flickers + more.flickers, self.seconds + more.seconds, self.delays_seconds + more.delays_seconds,
            self.other_right + more.other_right, self.other_frames + more.other_frames,
            self.right + more.right, self.frames + more.frames,
        )  # fmt: skip

    def metrics(self) -> dict[str, float | None]:
        """Compute ``segment_f1`` (at half overlap), ``flicker_per_minute``, ``naming_delay_seconds`` (95th percentile),
        ``other_recall`` and ``plane_accuracy`` (of all settled frames).

        A value is None if there was nothing to judge or, for the delay, if one plane in twenty was never named.
        """
        delay = float(np.percentile(self.delays_seconds, 95, method="higher")) if self.delays_seconds else np.inf
        return {
            "segment_f1": 2 * self.matched / (self.decided + self.true) if self.decided + self.true else None,
            "flicker_per_minute": 60 * self.flickers / self.seconds if self.seconds else None,
            "naming_delay_seconds": delay if np.isfinite(delay) else None,
            "other_recall": self.other_right / self.other_frames if self.other_frames else None,
            "plane_accuracy": self.right / self.frames if self.frames else None,
        }


def total(scans: Iterable[TemporalOutcome]) -> TemporalOutcome:
    """Add up the counts of all scans; without scans all counts are 0."""
    return sum(scans, start=TemporalOutcome(0, 0, 0, 0, 0.0, (), 0, 0))


def temporal_outcome(pts_seconds: Sequence[float], true: Sequence[str], decided: Sequence[str]) -> TemporalOutcome:
    """Count the outcome of one scan; the three sequences are equally long, in the order of the frames."""
    stretches = runs(true)
    settled = _settled(pts_seconds, stretches)
    of_other = [i for i in settled if true[i] == OTHER]
    matched, decided_runs, true_runs = _segments(true, decided)
    return TemporalOutcome(
        matched=matched, decided=decided_runs, true=true_runs,
        flickers=sum(max(0, _changes(decided, run) - 1) for run in stretches),
        seconds=_seconds(pts_seconds),
        delays_seconds=tuple(_delay(pts_seconds, decided, run) for run in stretches if run.label not in _NO_PLANE),
        other_right=sum(decided[i] == OTHER for i in of_other), other_frames=len(of_other),
        right=sum(decided[i] == true[i] for i in settled), frames=len(settled),
    )  # fmt: skip


def runs(labels: Sequence[str]) -> list[LabelRun]:
    """Split labels into maximal runs of one label."""
    found: list[LabelRun] = []
    for label, group in itertools.groupby(labels):
        first = found[-1].end if found else 0
        found.append(LabelRun(label, first, first + sum(1 for _ in group)))
    return found


_NO_PLANE: Final = (UNSCORED, OTHER)


def _segments(true: Sequence[str], decided: Sequence[str]) -> tuple[int, int, int]:
    """Count matched, decided and true segments, after frames that are not scored are left out.

    A decided segment matches a true segment of its plane if at least half of their union is common to both, which at
    most one true segment can satisfy.
    """
    scored = [i for i, label in enumerate(true) if label != UNSCORED]
    true_runs = [run for run in runs([true[i] for i in scored]) if run.label != OTHER]
    decided_runs = [run for run in runs([decided[i] for i in scored]) if run.label != OTHER]
    matched = sum(
        any(_overlap(one, run) >= OVERLAP for run in decided_runs if run.label == one.label) for one in true_runs
    )
    return matched, len(decided_runs), len(true_runs)


def _overlap(one: LabelRun, other: LabelRun) -> float:
    common = min(one.end, other.end) - max(one.first, other.first)
    return max(0, common) / (max(one.end, other.end) - min(one.first, other.first))


def _changes(decided: Sequence[str], run: LabelRun) -> int:
    """Count the frames of a run on which the decision changes."""
    return sum(decided[i] != decided[i - 1] for i in range(max(1, run.first), run.end))


def _delay(pts_seconds: Sequence[float], decided: Sequence[str], run: LabelRun) -> float:
    named = next((i for i in range(run.first, run.end) if decided[i] == run.label), None)
    return float("inf") if named is None else pts_seconds[named] - pts_seconds[run.first]


def _settled(pts_seconds: Sequence[float], stretches: Sequence[LabelRun]) -> list[int]:
    """Return the scored frames from ``SETTLING_SECONDS`` after each change of the truth."""
    return [
        i
        for run in stretches
        if run.label != UNSCORED
        for i in range(run.first, run.end)
        if run.first == 0 or pts_seconds[i] - pts_seconds[run.first] >= SETTLING_SECONDS
    ]


def _seconds(pts_seconds: Sequence[float]) -> float:
    return (pts_seconds[-1] - pts_seconds[0]) * len(pts_seconds) / (len(pts_seconds) - 1) if len(pts_seconds) > 1 else 0
