"""Fit the constants of the age's interval on phantom examinations and real heads, and print them for the model file.

Run: ``python -m fetalstream.pipeline.training.fit_ages --model mini --seeds 1950000-1950239 --hc18 FOLDER``. Seeds for
evaluation are refused; HC18's validation exams, on which `mini` is judged, only gave the factor `UNSEEN`. A single
picture's half-width is the wider one of drawn and of real heads; the share of variance that zooms have in common is
then set so that nine in ten of the phantom examinations are covered.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from fetalstream.pipeline.evaluation.ages import readouts
from fetalstream.pipeline.evaluation.hc18 import age_rows, read_heads
from fetalstream.pipeline.evaluation.metrics import FloatArray
from fetalstream.pipeline.evaluation.vpr import COUNTED_HC_MM
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline, load_pipeline
from fetalstream.pipeline.readout.gestation import MAX_SPAN_DAYS, ExamGestation
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.simulation.exam_run import BrainFrame, brain_frames_of, replayed
from fetalstream.pipeline.training.fit import parse_seeds
from fetalstream.pipeline.training.folds import NEVER, fold_of
from fetalstream.streamer.growth import who_age_days

HalfWidths = tuple[tuple[float, float], ...]

FROM_DAYS: Final = (0.0, 133.0, 154.0, 180.0, 200.0, 225.0)
COVERED: Final = 0.9
UNSEEN: Final = 1.1
"""Factor by which errors are larger on heads that the model was not trained on, from HC18's validation exams."""

_FEWEST: Final = 20  # pictures that a half-width may rest on
_SHARES: Final = tuple(round(0.05 * step, 2) for step in range(21))


def fit_half_widths(
    days: FloatArray, errors: FloatArray, also: tuple[FloatArray, FloatArray] | None = None
) -> HalfWidths:
    """Fit rows of (from_day, half-width) that cover 90% of the errors at these predicted days.

    The half-width is the wider one of two data sets, times ``UNSEEN``, rounded up to half a day. A range of days with
    fewer than 20 pictures takes the half-width of the range before.

    Args:
        days: (N,) predicted days.
        errors: (N,) errors in days, signed or not.
        also: days and errors of another data set.
    """
    found: list[tuple[float, float]] = []
    for start, end in zip(FROM_DAYS, (*FROM_DAYS[1:], np.inf), strict=True):
        widths = [
            float(np.quantile(np.abs(off[inside]), COVERED, method="higher"))
            for predicted, off in ((days, errors), *(() if also is None else (also,)))
            if (inside := (predicted >= start) & (predicted < end)).sum() >= _FEWEST
        ]
        width = max(widths, default=found[-1][1] if found else float(np.quantile(np.abs(errors), COVERED)))
        found.append((start, width))
    return tuple((start, max(0.5, math.ceil(width * UNSEEN * 2) / 2)) for start, width in found)


def fit_shared(exams: Sequence[Sequence[BrainFrame]], table: HalfWidths) -> tuple[float, float]:
    """Choose the shared part of the variance whose coverage is nearest to 90%; return it with its coverage."""
    best = (1.0, 0.0)
    for share in _SHARES:
        reached = coverage(exams, table, share)
        if abs(reached - COVERED) < abs(best[1] - COVERED):
            best = (share, reached)
    return best


def coverage(exams: Sequence[Sequence[BrainFrame]], table: HalfWidths, share: float) -> float:
    """Return the share of examinations, of those with an age at the end, whose interval holds the true age."""
    inside: list[bool] = []
    for exam in exams:
        ages = [out.gestation for _, out in replayed(exam, ExamGestation(table, share)) if out.gestation is not None]
        if ages:
            inside.append(ages[-1].low_days <= exam[0].frame.true_days <= ages[-1].high_days)
    return float(np.mean(inside))


def counted_frames(exams: Sequence[Sequence[BrainFrame]]) -> tuple[FloatArray, FloatArray]:
    """Return days and errors (days) of the single frames that count for an examination's age."""
    days: list[float] = []
    errors: list[float] = []
    for exam in exams:
        for each in exam:
            alone = ExamGestation().update(each.row, Segment(), **each.arguments).gestation
            if alone is not None and alone.frame_days is not None:
                days.append(alone.frame_days)
                errors.append(alone.frame_days - each.frame.true_days)
    return np.array(days), np.array(errors)


def real_heads(pipeline: LoadedPipeline, folder: Path) -> tuple[FloatArray, FloatArray]:
    """Return days and errors (days, from the age that the head implies) of HC18's training exams that count."""
    heads = age_rows(pipeline, read_heads(folder, lambda exam: fold_of("hc18", exam) != NEVER))
    _, masked, spans = readouts(heads)
    low, high = COUNTED_HC_MM
    use = (heads.hc_mm >= low) & (heads.hc_mm <= high) & (spans <= MAX_SPAN_DAYS)
    implied = np.array([who_age_days(hc) for hc in heads.hc_mm])
    return masked[use], (masked - implied)[use]


def main() -> None:
    """Fit the constants and print them with the coverage reached."""
    parser = argparse.ArgumentParser(description="fit how far a model's ages may be off")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--seeds", type=parse_seeds, default=parse_seeds("1950000-1950239"))
    parser.add_argument("--hc18", type=Path, default=None, help="HC18's folder; without it, only drawn heads are used")
    args = parser.parse_args()
    pipeline = load_pipeline(args.model)
    exams = [exam for seed in args.seeds if (exam := brain_frames_of(seed, pipeline))]
    table = fit_half_widths(*counted_frames(exams), None if args.hc18 is None else real_heads(pipeline, args.hc18))
    share, reached = fit_shared(exams, table)
    print("[gestation]")
    print(f"half_widths = [{', '.join(f'[{start}, {width}]' for start, width in table)}]")
    print(f"shared = {share}")
    print(f"# {len(exams)} examinations, seeds {min(args.seeds)} to {max(args.seeds)}: {reached:.1%} covered")


if __name__ == "__main__":
    main()
