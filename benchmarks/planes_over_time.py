"""An ablation of the layers of the decision over time, on the phantom's evaluation seeds.

From single frames on, each row adds or exchanges one layer: the mean (of probabilities, as is usual, or of logits), the
thresholds to enter and leave a plane, and the forward filter of a hidden Markov model over planes and "other". The
constants come from the training seeds 1900010 to 1900021 (`pipeline.training.fit`); which layers there are was once
chosen with a look at seeds 7 to 11 and 100 to 116, under another `mini`. The other question is the frame rate: the same
constants at 5 to 30 frames a second, and with half of the frames dropped at random.

Run: ``python benchmarks/planes_over_time.py --kept-in scores``. One JSON line comes last.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from fetalstream.pipeline.evaluation.phantom_scores import phantom_scores_of
from fetalstream.pipeline.evaluation.temporal_metrics import temporal_outcome, total
from fetalstream.pipeline.loaded_pipeline import load_pipeline
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.readout.temporal import FLOOR, PlaneFilter, Temporal
from fetalstream.pipeline.training.fit import Scan, raw_probabilities
from fetalstream.pipeline.wire import OTHER

Row = np.ndarray
Layer = Callable[[float, Row], Row]
"""A function of seconds since the last frame and probabilities to probabilities; made again for each epoch."""

TAU_SECONDS = 0.2
MEAN_ENTER, MEAN_LEAVE = 0.8, 0.4


def mean_of_probabilities(window_seconds: float) -> Layer:
    """Make the plain moving average of probabilities."""
    kept: list[tuple[float, Row]] = []

    def step(seconds: float, row: Row) -> Row:
        kept[:] = [(age + seconds, old) for age, old in kept if age + seconds < window_seconds] + [(0.0, row)]
        return np.mean([old for _, old in kept], axis=0)

    return step


def mean_of_logits(tau_seconds: float) -> Layer:
    """Make the mean of logits that `pipeline.readout.temporal.PlaneFilter` uses."""
    total, weight = np.zeros(()), 0.0

    def step(seconds: float, row: Row) -> Row:
        nonlocal total, weight
        keep = math.exp(-seconds / tau_seconds)
        total, weight = total * keep + np.log(np.maximum(row, FLOOR)), weight * keep + 1
        mean = np.exp(total / weight)
        return mean / mean.sum()

    return step


def markov(labels: list[str], constants: Temporal, before: Layer | None = None) -> Layer:
    """Make the product's own filter, without its decision."""
    stage, now = PlaneFilter(labels, constants), 0.0

    def step(seconds: float, row: Row) -> Row:
        nonlocal now
        now += seconds
        belief = stage.update(now, Segment(), row if before is None else before(seconds, row)).probabilities
        assert belief is not None
        return belief

    return step


def decided(scan: Scan, layer: Callable[[], Layer], enter: float, leave: float, labels: list[str]) -> Iterator[str]:
    """Yield the decisions of one scan; with ``enter`` 0 the largest probability always decides."""
    scores = scan.scores
    step, epoch, last, plane = layer(), -1, 0.0, OTHER
    for now, of_epoch, row in zip(scores.pts_seconds.tolist(), scores.epoch.tolist(), scan.raw, strict=True):
        if of_epoch != epoch:
            step, epoch, last, plane = layer(), of_epoch, now, OTHER
        held = step(now - last, row)
        last = now
        if held.max() >= enter:
            plane = labels[int(held.argmax())]
        elif held[labels.index(plane)] < leave:
            plane = OTHER
        yield plane


def judged(scans: list[Scan], decisions: Callable[[Scan], Iterator[str]]) -> dict[str, float | None]:
    outcome = total(
        temporal_outcome(scan.scores.pts_seconds.tolist(), scan.scores.true_label.tolist(), list(decisions(scan)))
        for scan in scans
    )
    delays = outcome.delays_seconds
    never = sum(map(math.isinf, delays)) / max(1, len(delays))
    return {name: None if value is None else round(value, 4) for name, value in outcome.metrics().items()} | {
        "never_named": round(never, 4), "naming_delay_median_seconds": round(float(np.median(delays)), 3)
    }  # fmt: skip


def as_shipped(labels: list[str], constants: Temporal, keep: Callable[[int], bool] = lambda _: True):
    """Make the product's own stage; a frame that is left out repeats the last decision, as the screen does."""

    def decisions(scan: Scan) -> Iterator[str]:
        stage = PlaneFilter(labels, constants)
        last = OTHER
        scores = scan.scores
        for i, (now, epoch) in enumerate(zip(scores.pts_seconds.tolist(), scores.epoch.tolist(), strict=True)):
            if keep(i):
                last = stage.update(now, Segment(epoch=epoch), scan.raw[i]).plane or OTHER
            yield last

    return decisions


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs=2, default=(100, 119), help="first and last")
    parser.add_argument("--kept-in", type=Path, default=None)
    args = parser.parse_args()
    pipeline = load_pipeline()
    labels, constants = [*pipeline.model_info.planes, OTHER], pipeline.model_info.temporal
    seeds = range(args.seeds[0], args.seeds[1] + 1)
    scans = [
        raw_probabilities(phantom_scores_of(seed, 60.0, pipeline.encoder, args.kept_in), pipeline.model_info.rejector)
        for seed in seeds
    ]
    enter, leave = constants.enter, constants.leave
    filtered = lambda: markov(labels, constants)  # noqa: E731
    rows: dict[str, tuple[Callable[[], Layer], float, float]] = {
        "single frame": (lambda: lambda _, row: row, 0.0, 0.0),
        "mean of probabilities": (lambda: mean_of_probabilities(2 * TAU_SECONDS), 0.0, 0.0),
        "mean of logits": (lambda: mean_of_logits(TAU_SECONDS), 0.0, 0.0),
        "mean of probabilities, thresholds": (lambda: mean_of_probabilities(2 * TAU_SECONDS), MEAN_ENTER, MEAN_LEAVE),
        "mean of logits, thresholds": (lambda: mean_of_logits(TAU_SECONDS), MEAN_ENTER, MEAN_LEAVE),
        "Markov filter": (filtered, 0.0, 0.0),
        "mean of logits, Markov filter, thresholds": (
            lambda: markov(labels, constants, mean_of_logits(TAU_SECONDS)), enter, leave,
        ),
    }  # fmt: skip
    found = {name: judged(scans, lambda scan, row=row: decided(scan, *row, labels)) for name, row in rows.items()}
    found["Markov filter, thresholds (as shipped)"] = judged(scans, as_shipped(labels, constants))
    for rate in (15, 10, 5):
        found[f"as shipped, {rate} fps"] = judged(
            scans, as_shipped(labels, constants, lambda i, n=30 // rate: i % n == 0)
        )
    drops = np.random.default_rng(0).random(10_000) < 0.5
    found["as shipped, half dropped"] = judged(scans, as_shipped(labels, constants, lambda i: not drops[i]))
    names = list(next(iter(found.values())))
    print(f"{'':43}" + " ".join(f"{name:>28}" for name in names))
    for layers, values in found.items():
        print(f"{layers:43}" + " ".join(f"{values[name]!s:>28}" for name in names))
    print(
        json.dumps(
            {"benchmark": "planes_over_time", "model": pipeline.model_info.name, "seeds": list(args.seeds), **found}
        )
    )


if __name__ == "__main__":
    main()
