"""Decisions over time against the truth: segments, flicker, the delay to name a plane, and "other".

Everything is computed from three columns, a row a frame: media time, what is true ("" where the truth lies between
and is not scored) and what was decided ("other" where no plane was named).
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
    """Consecutive frames, ``first`` up to but not including ``end``, that have one label."""

    label: str
    first: int
    end: int


@dataclass(frozen=True, eq=False)
class TemporalOutcome:
    """One scan's, or, added up, several scans' outcome.

    Attributes:
        matched, decided, true: numbers of segments (stretches of one plane): found, told and really there.
        flickers: changes of the decision beyond one in each stretch of constant truth, unscored stretches included.
        seconds: media time.
        delays_seconds: from a plane's first scored frame to the first frame that names it, for every true segment;
            infinite where nothing did.
        other_right, other_frames: settled frames of "other" that were named no plane, and all of them.
        right, frames: settled frames of any label that were named right, and all of them.
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
        """``segment_f1`` at half overlap, ``flicker_per_minute``, ``naming_delay_seconds`` (95th percentile),
        ``other_recall`` and ``plane_accuracy`` (of all settled frames).

        None where there was nothing to judge or, for the delay, one plane in twenty was never named.
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
    """All scans together; of none, nothing."""
    return sum(scans, start=TemporalOutcome(0, 0, 0, 0, 0.0, (), 0, 0))


def temporal_outcome(pts_seconds: Sequence[float], true: Sequence[str], decided: Sequence[str]) -> TemporalOutcome:
    """The outcome of one scan; the three are equally long, in the order of the frames."""
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
    """Maximal runs of one label."""
    found: list[LabelRun] = []
    for label, group in itertools.groupby(labels):
        first = found[-1].end if found else 0
        found.append(LabelRun(label, first, first + sum(1 for _ in group)))
    return found


_NO_PLANE: Final = (UNSCORED, OTHER)


def _segments(true: Sequence[str], decided: Sequence[str]) -> tuple[int, int, int]:
    """(matched, decided, true) segments. Frames that are not scored are left out first, on both sides alike; a
    decided segment is matched with at most one true segment of its plane, where at least half of their union is
    common to both."""
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
    """How often the decision changes on a frame of the run."""
    return sum(decided[i] != decided[i - 1] for i in range(max(1, run.first), run.end))


def _delay(pts_seconds: Sequence[float], decided: Sequence[str], run: LabelRun) -> float:
    named = next((i for i in range(run.first, run.end) if decided[i] == run.label), None)
    return float("inf") if named is None else pts_seconds[named] - pts_seconds[run.first]


def _settled(pts_seconds: Sequence[float], stretches: Sequence[LabelRun]) -> list[int]:
    """Scored frames from ``SETTLING_SECONDS`` after the truth has changed."""
    return [
        i
        for run in stretches
        if run.label != UNSCORED
        for i in range(run.first, run.end)
        if run.first == 0 or pts_seconds[i] - pts_seconds[run.first] >= SETTLING_SECONDS
    ]


def _seconds(pts_seconds: Sequence[float]) -> float:
    return (pts_seconds[-1] - pts_seconds[0]) * len(pts_seconds) / (len(pts_seconds) - 1) if len(pts_seconds) > 1 else 0
