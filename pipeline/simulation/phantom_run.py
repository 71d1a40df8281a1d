"""The pipeline reads whole phantom scans here, for `pipeline.simulation.phantom` to judge."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from fetalstream.pipeline import wire
from fetalstream.pipeline.evaluation.temporal_metrics import UNSCORED
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.simulation.demo import analyse
from fetalstream.pipeline.simulation.phantom import JudgedFrame
from fetalstream.streamer.phantom.source import PhantomSource

AVERAGED_SECONDS: Final = 0.4
"""Window of the plain moving average that decisions are compared with."""


def frames_of(
    seed: int, seconds: float, pipeline: LoadedPipeline, progress: Callable[[str], None] = lambda _: None
) -> list[JudgedFrame]:
    """Run the whole pipeline on a phantom scan, every frame, unpaced, and put each reading beside its truth.

    Args:
        seed: seed of the phantom; below 1,000,000, which no model was trained on.
        seconds: media time.
        pipeline: the model.
        progress: called with a line now and then.
    """
    found = analyse(seconds, seed, pipeline.encoder, pipeline.model_info, pipeline.banks.gestation, progress)
    best = {kept.plane: kept.frame.index for kept in found.keyframes if kept.rank == 0}
    best_of = {index: plane for plane, index in best.items()}
    truths = PhantomSource(seed)
    rows: list[JudgedFrame] = []
    for reading, averaged in zip(found.readings, _averaged(found.readings), strict=True):
        truth = truths.truth(reading.frame.index)
        raw = {label: score.raw for label, score in reading.planes.items()}
        age = reading.gestation
        ages = (age.days, age.low_days, age.high_days, age.frame_days) if age else (None,) * 4
        rows.append(JudgedFrame(
            seed, reading.frame.index, reading.frame.pts_seconds, truth.label or UNSCORED, truth.plane or "",
            truth.in_plane, reading.plane or wire.OTHER, _largest(raw), averaged,
            best_of.get(reading.frame.index, ""), truth.gestation_days, *ages,
        ))  # fmt: skip
    return rows


def _largest(probabilities: Mapping[str, float]) -> str:
    return max(probabilities, key=lambda label: probabilities[label]) if probabilities else wire.OTHER


def _averaged(readings: Sequence[wire.Reading]) -> Iterator[str]:
    """Yield the label of the largest mean probability over ``AVERAGED_SECONDS``, the plain moving average."""
    window: list[tuple[float, int, dict[str, float]]] = []
    for reading in readings:
        now, epoch = reading.frame.pts_seconds, reading.frame.epoch
        window = [kept for kept in window if kept[1] == epoch and now - kept[0] < AVERAGED_SECONDS]
        window.append((now, epoch, {label: score.raw for label, score in reading.planes.items()}))
        labels = window[-1][2]
        means = {label: math.fsum(kept[2].get(label, 0.0) for kept in window) / len(window) for label in labels}
        yield _largest(means)
