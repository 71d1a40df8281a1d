"""The age of an examination is measured when every fifth frame shows another fetus.

The pipeline reads each phantom examination, then once more with frames of another one, at least a month older or
younger, put between its own. The figure is how far the age at the end moves. An examination most of whose own frames
are refused (its fetus is at an end of the range) is left out, since the other one would be more than a third of it.

Run: ``python -m benchmarks.mixed_exams``. One JSON line comes last.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

import numpy as np

from fetalstream.pipeline import wire
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline, load_pipeline
from fetalstream.pipeline.readout.gestation import ExamGestation
from fetalstream.pipeline.simulation.exam_run import BrainFrame, brain_frames_of, replayed

OTHERS = 4
"""Frames of the fetus itself before each frame of the other: a fifth of all are the other's."""
APART_DAYS = 30.0


def mixed(own: Sequence[BrainFrame], other: Sequence[BrainFrame]) -> list[BrainFrame]:
    """Mix a frame of ``other`` into every four of ``own``; its frames start again when they run out."""
    found: list[BrainFrame] = []
    for n, each in enumerate(own):
        found.append(each)
        if n % OTHERS == OTHERS - 1:
            found.append(other[(n // OTHERS) % len(other)])
    return found


def last_age(exam: Sequence[BrainFrame], pipeline: LoadedPipeline) -> wire.Gestation | None:
    """Return the age at the end; None if there is none."""
    ages = [
        out.gestation
        for _, out in replayed(exam, ExamGestation(pipeline.model_info.half_widths, pipeline.model_info.shared))
    ]
    return next((age for age in reversed(ages) if age is not None), None)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs=2, default=(2000, 2099), help="first and last")
    args = parser.parse_args()
    pipeline = load_pipeline()
    exams = [exam for seed in range(args.seeds[0], args.seeds[1] + 1) if (exam := brain_frames_of(seed, pipeline))]
    moved: list[float] = []
    for n, own in enumerate(exams):
        alone = last_age(own, pipeline)
        following = exams[n + 1 :] + exams[:n]
        other = next(x for x in following if abs(x[0].frame.true_days - own[0].frame.true_days) >= APART_DAYS)
        both = last_age(mixed(own, other), pipeline)
        if alone is not None and both is not None and both.frames - alone.frames <= alone.frames / 2:
            moved.append(abs(both.days - alone.days))
    print(json.dumps({
        "benchmark": "mixed_exams", "model": pipeline.model_info.name, "seeds": list(args.seeds), "exams": len(moved),
        "median_moved_days": float(np.median(moved)), "p95_moved_days": float(np.quantile(moved, 0.95)),
        "max_moved_days": max(moved), "within_3_days": float(np.mean(np.array(moved) <= 3.0)),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
