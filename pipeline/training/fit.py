"""Fit a model's open-set and temporal constants on phantom scans, and print them as lines of its model file.

Run: ``python -m fetalstream.pipeline.training.fit --model mini --seeds 1900010-1900021``. The seeds are from the range
of training; seeds for evaluation are refused. ``--kept-in DIR`` caches the scores of each scan, which take the time.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.evaluation.metrics import FloatArray, LabelArray, Mask
from fetalstream.pipeline.evaluation.phantom_scores import PhantomScores, phantom_scores_of
from fetalstream.pipeline.evaluation.temporal_metrics import TemporalOutcome, temporal_outcome, total
from fetalstream.pipeline.model.model_file import toml_of
from fetalstream.pipeline.readout.openset import OpenSet, OperatingPoint, Rejector, evidence, log_odds
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.readout.temporal import PlaneFilter, Temporal
from fetalstream.pipeline.wire import OTHER
from fetalstream.streamer.phantom.tour import FIRST_TRAINING_SEED

SECONDS: Final = 60.0
_RIDGE: Final = 30.0  # strength, in frames, of the prior: the plain softmax with weights (1, 0, 0)
_DWELL: Final = (1.0, 3.0, 10.0)
_EVIDENCE: Final = (0.05, 0.1, 0.2)
_ENTER_LEAVE: Final = ((0.5, 0.5), (0.6, 0.4), (0.7, 0.3), (0.9, 0.1))
_THRESHOLDS: Final = (-1.0, -0.5, 0.0, 0.5)
_LATE_SECONDS: Final = 0.6
_WELL_HIT: Final = 0.99


class Scan(NamedTuple):
    """One phantom scan with its scores and the frames' probabilities ``raw`` (N, P + 1)."""

    scores: PhantomScores
    raw: npt.NDArray[np.float64]


def fit_weights(scans: Sequence[PhantomScores], planes: Sequence[str]) -> OpenSet:
    """Fit the weights of `evidence` by logistic regression of "shows a standard plane", scaled to background 1.

    A part that would get a negative weight is left out. The threshold is not set yet.

    Args:
        scans: at least one scan, with frames of every plane and of "other".
        planes: in the order of the scores' columns.
    """
    labels, cosines, other = _scored(scans)
    typical = {plane: round(100 * float(np.median(cosines[labels == plane, i])), 2) for i, plane in enumerate(planes)}
    parts = evidence(cosines, other, np.array(list(typical.values())))
    use = np.array([True, True, True])
    while (weights := logistic(parts * use, labels != OTHER))[1:].min() < 0:
        use &= weights >= 0
    _, margin, similarity = (round(float(weight), 3) for weight in weights / weights[0])
    return OpenSet(margin=margin, similarity=similarity, typical=typical)


def with_threshold(open_set: OpenSet, threshold: float, scans: Sequence[PhantomScores]) -> OpenSet:
    """Set the threshold, and measure the operating point of single frames at it."""
    labels, cosines, other = _scored(scans)
    parts = evidence(cosines, other, np.array(list(open_set.typical.values())))
    called = parts @ (open_set.background, open_set.margin, open_set.similarity) > threshold
    found, mistaken = (round(float(called[which].mean()), 4) for which in (labels != OTHER, labels == OTHER))
    point = OperatingPoint(true_positive_rate=found, false_positive_rate=mistaken)
    return msgspec.structs.replace(open_set, threshold=threshold, operating_point=point)


def fit_constants(scores: Sequence[PhantomScores], planes: Sequence[str]) -> tuple[OpenSet, Temporal, TemporalOutcome]:
    """Return the constants with the least loss on the scans, and their outcome."""
    weights = fit_weights(scores, planes)
    best: tuple[float, float, Temporal, TemporalOutcome] | None = None
    for threshold in _THRESHOLDS:
        rejector = Rejector.of(msgspec.structs.replace(weights, threshold=threshold), planes)
        scans = [raw_probabilities(each, rejector) for each in scores]
        for dwell, evidence_s, (enter, leave) in itertools.product(_DWELL, _EVIDENCE, _ENTER_LEAVE):
            constants = Temporal(dwell_seconds=dwell, evidence_seconds=evidence_s, enter=enter, leave=leave)
            outcome = decision_outcome(scans, (*planes, OTHER), constants)
            loss = _loss(outcome)
            if best is None or loss < best[0]:
                best = (loss, threshold, constants, outcome)
    assert best is not None
    open_set = with_threshold(weights, best[1], scores)
    return msgspec.structs.replace(open_set, well_hit=well_hit(open_set, scores, planes)), best[2], best[3]


def well_hit(open_set: OpenSet, scans: Sequence[PhantomScores], planes: Sequence[str]) -> float:
    """Return the 99th percentile of the log odds of "shows a standard plane" over frames that show one."""
    rejector = Rejector.of(open_set, planes)
    other = np.concatenate(
        [raw_probabilities(each, rejector).raw[~np.isin(each.true_label, ("", OTHER)), -1] for each in scans]
    )
    return round(-float(np.quantile(log_odds(other), 1 - _WELL_HIT)), 2)


def decision_outcome(scans: Iterable[Scan], labels: Sequence[str], constants: Temporal) -> TemporalOutcome:
    """Decide over time with these constants, and compare the decisions with the truth."""
    outcomes: list[TemporalOutcome] = []
    for scores, raw in scans:
        stage = PlaneFilter(labels, constants)
        rows = zip(scores.pts_seconds.tolist(), scores.epoch.tolist(), raw, strict=True)
        decided = [stage.update(pts, Segment(epoch=epoch), row).plane or OTHER for pts, epoch, row in rows]
        outcomes.append(temporal_outcome(scores.pts_seconds.tolist(), scores.true_label.tolist(), decided))
    return total(outcomes)


def raw_probabilities(scores: PhantomScores, rejector: Rejector) -> Scan:
    """Compute the probabilities of every frame of a scan."""
    frames = zip(scores.planes, scores.other.tolist(), strict=True)
    return Scan(scores, np.stack([rejector.probabilities(cosines, other) for cosines, other in frames]))


def _loss(outcome: TemporalOutcome) -> float:
    """Add up what counts against an outcome.

    These are the loss of segment F1 and of the recall of "other", twice the share of frames named wrongly, half of the
    share of planes named late or never, and flicker, one change a minute counting 0.05.
    """
    found = {name: value or 0.0 for name, value in outcome.metrics().items()}
    late = float(np.mean(np.array(outcome.delays_seconds) > _LATE_SECONDS))
    wrong = (1 - found["segment_f1"]) + (1 - found["other_recall"]) + 2 * (1 - found["plane_accuracy"])
    return wrong + 0.5 * late + 0.05 * found["flicker_per_minute"]


def _scored(scans: Sequence[PhantomScores]) -> tuple[LabelArray, FloatArray, FloatArray]:
    """Return true labels (N,), cosines of planes (N, P) and of "other" (N,), of all frames that are scored."""
    keep = [scan.true_label != "" for scan in scans]
    columns = ("true_label", "planes", "other")
    labels, cosines, other = (
        np.concatenate([getattr(scan, name)[which] for scan, which in zip(scans, keep, strict=True)])
        for name in columns
    )
    return labels, cosines, other


def logistic(parts: FloatArray, inside: Mask, counts: FloatArray | None = None) -> FloatArray:
    """Fit logistic regression by Newton's method, with a ridge towards (1, 0, 0); return the weights (3,).

    The threshold is fitted too, and not returned.

    Args:
        parts: (N, 3) parts of `evidence`.
        inside: (N,) whether a standard plane is shown.
        counts: (N,) weight of each row; None for 1.
    """
    design = np.column_stack([parts, -np.ones(len(parts))])
    each = np.ones(len(parts)) if counts is None else counts
    prior = np.array([1.0, 0.0, 0.0, 0.0])
    weights: FloatArray = prior
    for _ in range(25):
        probability = 1 / (1 + np.exp(-np.clip(design @ weights, -60, 60)))
        slope = design.T @ (each * (probability - inside)) + _RIDGE * (weights - prior)
        curve = (design * (each * probability * (1 - probability))[:, None]).T @ design + _RIDGE * np.eye(4)
        weights = weights - np.linalg.solve(curve, slope)
    return weights[:3]


def as_toml(open_set: OpenSet, temporal: Temporal, calibrated_on: str) -> str:
    """Return the lines that go into the model file."""
    constants = {"temporal": temporal, "open_set": open_set}
    return toml_of({"calibrated_on": calibrated_on, **msgspec.to_builtins(constants)})


def parse_seeds(text: str) -> list[int]:
    """Parse seeds such as ``"1900010-1900015"`` or ``"1900010,1900020"``.

    Raises:
        ValueError: the text holds no seeds, or a seed is reserved for evaluation.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    if any(seed < FIRST_TRAINING_SEED for seed in seeds):
        raise ValueError(f"seeds below {FIRST_TRAINING_SEED} are for evaluation: nothing is fitted on them")
    return seeds


def main() -> None:
    """Fit the constants and print them with their outcome."""
    from fetalstream.pipeline.loaded_pipeline import load_pipeline

    parser = argparse.ArgumentParser(description="fit a model's constants on phantom scans")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--seeds", type=parse_seeds, default=parse_seeds("1900010-1900021"))
    parser.add_argument("--kept-in", type=Path, default=None)
    args = parser.parse_args()
    pipeline = load_pipeline(args.model)
    scores = [phantom_scores_of(seed, SECONDS, pipeline.encoder, args.kept_in) for seed in args.seeds]
    open_set, temporal, outcome = fit_constants(scores, pipeline.model_info.planes)
    print(as_toml(open_set, temporal, f"phantom seeds {min(args.seeds)} to {max(args.seeds)}, {SECONDS:.0f} s each"))
    print("#", {name: None if value is None else round(value, 4) for name, value in outcome.metrics().items()})


if __name__ == "__main__":
    main()
