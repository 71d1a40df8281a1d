"""Text search is evaluated on phantom scans: frames are ranked by each plane's sentence, as ask and search do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.evaluation.metrics import Metric, with_interval
from fetalstream.pipeline.evaluation.phantom_scores import PhantomScores
from fetalstream.pipeline.evaluation.temporal_metrics import UNSCORED
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.stream.questions import AskMeter, Question

SENTENCES: Final = {
    "abdomen": "fetal abdomen", "brain": "fetal brain", "femur": "fetal femur", "heart": "four-chamber view",
    "kidney": "fetal kidneys", "lips_nose": "lips and nose", "profile_patient": "fetal profile", "spine": "fetal spine",
    "cervix": "maternal cervix",
}  # fmt: skip
"""Sentence that a person would type to find each plane."""


def search_metrics(
    scans: Mapping[int, PhantomScores], ask: Callable[[str], Question], sentences: Mapping[str, str] = SENTENCES
) -> dict[str, Metric]:
    """Compute how well sentences rank the frames of scans, with 95% intervals over scans.

    ``mean_average_precision`` is the mean over all planes and the scans that show them; ``first_right`` is the share of
    them in which the best-ranked frame shows the plane.
    """
    found = {
        seed: [each for plane, text in sentences.items() if (each := _ranked(scan, plane, ask(text))) is not None]
        for seed, scan in scans.items()
    }
    rows, seeds = list(found.values()), [str(seed) for seed in found]

    def over(part: int) -> Callable[[npt.NDArray[np.int_]], float | None]:
        return lambda which: _mean([each[part] for row in which.tolist() for each in rows[row]])

    return {
        "mean_average_precision": with_interval(over(0), seeds),
        "first_right": with_interval(over(1), seeds),
    }


def average_precision(scores: Sequence[float], relevant: Sequence[bool]) -> float:
    """Compute the mean precision at the rank of each relevant item."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    hits = np.asarray(relevant)[order]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def _ranked(scan: PhantomScores, plane: str, asked: Question) -> tuple[float, float] | None:
    """Return average precision and whether the first frame is right (0 or 1); None if the plane is not shown."""
    meter = AskMeter(asked)
    frames = zip(scan.pts_seconds.tolist(), scan.epoch.tolist(), scan.embedding, strict=True)
    scores = np.array([meter.update(pts, Segment(epoch=epoch), vector).score for pts, epoch, vector in frames])
    scored = scan.true_label != UNSCORED
    relevant = scan.true_label[scored] == plane
    if not relevant.any():
        return None
    return average_precision(scores[scored].tolist(), relevant.tolist()), float(relevant[scores[scored].argmax()])


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
