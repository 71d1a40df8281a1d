"""Metrics of predictions with 95% intervals, by a bootstrap over whole groups (patients or exams).

Pictures of one patient resemble one another: resampling single pictures would make the intervals too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
LabelArray = npt.NDArray[np.str_]
Mask = npt.NDArray[np.bool_]
RowIndices = npt.NDArray[np.intp]

DRAWS: Final = 1_000
_SEED: Final = 20_260_101
_FEW_GROUPS: Final = 0.05
_TAIL: Final = 0.025


class Metric(NamedTuple):
    """A value with its 95% interval; None if nothing could be counted."""

    value: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return the three numbers rounded to six decimals, for JSON."""
        return {name: None if number is None else round(number, 6) for name, number in self._asdict().items()}


def with_interval(
    statistic: Callable[[RowIndices], float | None], groups: Sequence[str] | LabelArray, draws: int = DRAWS
) -> Metric:
    """Compute a statistic over all rows and its 95% bootstrap interval over groups drawn with replacement.

    Args:
        statistic: function of row indices, (N,) with repeats; returns None if it is undefined.
        groups: (N,) group of each row.
        draws: number of resamples; the seed is fixed, so that the same predictions give the same interval.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    by_group, sizes = np.argsort(member, kind="stable"), np.bincount(member, minlength=len(names))
    starts = np.cumsum(sizes) - sizes
    value = statistic(np.arange(len(member)))
    rng = np.random.default_rng(_SEED)
    drawn: list[float] = []
    for _ in range(draws):
        chosen = rng.integers(0, len(names), len(names)) if len(names) else np.empty(0, np.intp)
        # The rows of all drawn groups: where each group starts, plus the position within it.
        taken = sizes[chosen]
        within = np.arange(taken.sum()) - np.repeat(np.cumsum(taken) - taken, taken)
        if (found := statistic(by_group[np.repeat(starts[chosen], taken) + within])) is not None:
            drawn.append(found)
    if value is None or not drawn:
        return Metric(value, None, None)
    low, high = np.percentile(drawn, (2.5, 97.5)).tolist()
    return Metric(value, low, high)


def share_with_interval(true: Mask | FloatArray, groups: Sequence[str] | LabelArray) -> Metric:
    """Compute the share of rows that are true with its 95% interval over groups.

    If few groups differ from the rest, resampling misses them and would say "100% (100% to 100%)": up to one group in
    twenty, the interval is the exact one (Clopper and Pearson, Biometrika 1934;26:404-413) of the share of groups that
    differ.

    Args:
        true: (N,) booleans, or zeros and ones.
        groups: (N,) group of each row.
    """
    rows, members = np.asarray(true, dtype=bool), np.asarray(groups)
    found = with_interval(lambda drawn: share(rows[drawn]), groups)
    count = len(np.unique(members))
    for outcome in (False, True):
        differing = len(np.unique(members[rows == outcome]))
        if count and differing <= _FEW_GROUPS * count:
            low, high = exact_interval(differing, count)
            low, high = (low, high) if outcome else (1 - high, 1 - low)
            if found.value is not None and low <= found.value <= high:  # not if the few groups hold many of the rows
                return Metric(found.value, low, high)
    return found


def exact_interval(hits: int, trials: int) -> tuple[float, float]:
    """Return the exact 95% interval of a proportion (Clopper and Pearson), to 1e-9.

    Args:
        hits: number of successes, 0 to ``trials``.
        trials: at least 1.
    """
    low = 0.0 if hits == 0 else _solve(lambda p: 1 - _binomial_cdf(hits - 1, trials, p) - _TAIL)
    high = 1.0 if hits == trials else _solve(lambda p: _TAIL - _binomial_cdf(hits, trials, p))
    return low, high


def _binomial_cdf(hits: int, trials: int, p: float) -> float:
    log_ways = [math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) for k in range(hits + 1)]
    return sum(math.exp(w + k * math.log(p) + (trials - k) * math.log1p(-p)) for k, w in enumerate(log_ways))


def _solve(rising: Callable[[float], float]) -> float:
    """Return where a rising function on 0 to 1 crosses zero, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(32):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2


def label_codes(*columns: LabelArray) -> tuple[RowIndices, ...]:
    """Encode labels as integers that are shared by all columns: they are compared much faster than strings."""
    codes = np.unique(np.concatenate(columns), return_inverse=True)[1]
    return tuple(np.split(codes, np.cumsum([len(column) for column in columns])[:-1]))


def share(true: Mask | FloatArray) -> float | None:
    """Return the mean of booleans or of zeros and ones; None if there are none."""
    return float(true.mean()) if len(true) else None


def macro_f1(truth: LabelArray | RowIndices, predicted: LabelArray | RowIndices) -> float | None:
    """Compute the mean F1 of the classes that occur in the truth; one that is never predicted counts 0."""
    scores: list[float] = []
    for label in np.unique(truth):
        hits = int(((truth == label) & (predicted == label)).sum())
        wanted, named = int((truth == label).sum()), int((predicted == label).sum())
        scores.append(2 * hits / (wanted + named))
    return float(np.mean(scores)) if scores else None


def in_top_k(truth: LabelArray, probabilities: FloatArray, labels: Sequence[str], k: int) -> Mask:
    """Return (N,) whether the true label is among the ``k`` likeliest; ``probabilities`` is (N, L), as ``labels``."""
    place = {label: index for index, label in enumerate(labels)}
    wanted = np.array([place.get(str(label), -1) for label in truth], dtype=np.intp)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return (best == wanted[:, None]).any(axis=1)


def confusion(truth: LabelArray, predicted: LabelArray) -> dict[str, dict[str, int]]:
    """Count pictures by true label, then by predicted label; zeros are left out."""
    table: dict[str, dict[str, int]] = {}
    for wanted, named in zip(truth.tolist(), predicted.tolist(), strict=True):
        row = table.setdefault(wanted, {})
        row[named] = row.get(named, 0) + 1
    return table


def auroc(scores: FloatArray, positive: Mask) -> float | None:
    """Compute the area under the ROC curve: how often a positive outranks a negative, a tie counting half."""
    wanted, rest = scores[positive], np.sort(scores[~positive])
    if not len(wanted) or not len(rest):
        return None
    below = np.searchsorted(rest, wanted, side="left")
    not_above = np.searchsorted(rest, wanted, side="right")
    return float((below + not_above).mean() / 2 / len(rest))


def expected_calibration_error(confidence: FloatArray, right: Mask, bins: int = 10) -> float | None:
    """Compute the mean distance between confidence and accuracy (Naeini et al., AAAI 2015), in bins of equal width.

    Args:
        confidence: (N,) probability of the predicted label, 0 to 1.
        right: (N,) whether it is the true one.
        bins: number of bins.
    """
    if not len(right):
        return None
    place = np.minimum((confidence * bins).astype(np.intp), bins - 1)
    counts = np.bincount(place, minlength=bins)
    gaps = np.bincount(place, confidence, bins) - np.bincount(place, right.astype(np.float64), bins)
    return float(np.abs(gaps[counts > 0]).sum() / len(right))


def fpr_at_tpr(scores: FloatArray, positive: Mask, tpr: float = 0.95) -> float | None:
    """Return the share of negatives that pass the highest threshold which ``tpr`` of the positives pass."""
    wanted, rest = np.sort(scores[positive])[::-1], scores[~positive]
    if not len(wanted) or not len(rest):
        return None
    threshold = wanted[int(np.ceil(tpr * len(wanted))) - 1]
    return float((rest >= threshold).mean())
