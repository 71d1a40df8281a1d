"""The pipeline reads short examinations of the phantom's brain here, for `pipeline.simulation.exams` to judge."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fetalstream.pipeline import wire
from fetalstream.pipeline.inference.encoder import Item
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.readout.gestation import BRAIN, GRID_DAYS, ExamGestation, Outcome, Row
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.simulation.exams import ExamFrame
from fetalstream.pipeline.stream.interpreter import Interpreter
from fetalstream.pipeline.stream.preparation import Preparation, PreparedFrame
from fetalstream.pipeline.stream.probabilities import FrameProbabilities, probabilities_of
from fetalstream.streamer.phantom.source import PhantomSource
from fetalstream.streamer.phantom.tour import RATE_HZ, Leg, Tour

VISITS: Final = 3
EVERY: Final = 12
"""One frame of twelve is used, since drawing them takes the time."""

_BATCH: Final = 8
_GOLDEN: Final = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, eq=False)
class BrainFrame:
    """One frame of decided brain: its row of truth and reading, and what `ExamGestation.update` is given for it."""

    frame: ExamFrame
    row: Row
    arguments: dict[str, Any]


def exam_days(seed: int) -> int:
    """Return the age of a seed's fetus in days; seeds are spread evenly over all days that a model is asked about."""
    return int(GRID_DAYS[int(GRID_DAYS.size * (seed * _GOLDEN % 1))])


def brain_frames_of(seed: int, pipeline: LoadedPipeline) -> list[BrainFrame]:
    """Read an examination: three visits to the brain, one for each subplane, at the scan's depth settings.

    Args:
        seed: seed of the phantom.
        pipeline: the model.
    """
    days = exam_days(seed)
    source = PhantomSource(seed, gestation_days=days)
    preparation, ages = Preparation(), _RecordingEstimator(pipeline.model_info.half_widths, pipeline.model_info.shared)
    interpreter = Interpreter(pipeline.model_info, pipeline.banks.gestation, ages)
    found: list[BrainFrame] = []
    newest: FrameProbabilities | None = None
    prepared = [preparation.prepare(source.frame(index)) for index in _brain_frames(Tour(seed, days))]
    probabilities = _probabilities(pipeline, prepared)
    for each in prepared:
        newest = next(probabilities) if each.action == "analyse" else newest
        reading = interpreter.read(each, newest, wire.Latency(), of_this_exam=True)
        if (recorded := ages.take()) is None:
            continue
        row, arguments = recorded
        truth, age = source.truth(each.frame.index), reading.gestation
        frame = ExamFrame(
            seed,
            each.frame.index,
            float(days),
            truth.label or "",
            arguments["spacing_mm"],
            None,
            None,
            None,
            None,
            None,
        )
        if age is not None:
            frame = frame._replace(
                days=age.days,
                low_days=age.low_days,
                high_days=age.high_days,
                frame_days=age.frame_days,
                zooms=age.zooms,
            )
        found.append(BrainFrame(frame, row, arguments))
    return found


def replayed(exam: Iterable[BrainFrame], ages: ExamGestation) -> Iterator[tuple[BrainFrame, Outcome]]:
    """Feed the same frames to another estimator and yield each frame with its outcome."""
    for each in exam:
        yield each, ages.update(each.row, Segment(), **each.arguments)


class _RecordingEstimator(ExamGestation):
    """An estimator that keeps the arguments of its last update, if it had scores of a sure plane."""

    _recorded: tuple[Row, dict[str, Any]] | None = None

    def update(self, row: Row | None, segment: Segment, **arguments: Any) -> Outcome:
        self._recorded = None if row is None or not arguments["plane_sure"] else (row.copy(), arguments)
        return super().update(row, segment, **arguments)

    def take(self) -> tuple[Row, dict[str, Any]] | None:
        """Return what was kept and forget it; None if nothing was."""
        recorded, self._recorded = self._recorded, None
        return recorded


def _brain_frames(tour: Tour) -> Iterator[int]:
    """Yield indices of frames of the first `VISITS` visits to the brain's plane, with arrival and departure."""
    visits, inside = 0, False
    end_seconds = 0.0
    while True:
        leg: Leg = tour.leg_at(end_seconds)
        end_seconds = leg.start_seconds + leg.seconds + 1e-9
        on_its_way_past = abs(leg.z_hold) > 0.5
        if leg.plane != BRAIN or on_its_way_past:
            inside = False
            continue
        if not inside or leg.z_start != leg.z_hold:  # an arrival is another visit, even right after one
            if visits == VISITS:
                return
            visits, inside = visits + 1, True
        yield from range(math.ceil(leg.start_seconds * RATE_HZ), math.ceil(end_seconds * RATE_HZ), EVERY)


def _probabilities(pipeline: LoadedPipeline, prepared: Iterable[PreparedFrame]) -> Iterator[FrameProbabilities | None]:
    waiting = [each for each in prepared if each.action == "analyse"]
    for start in range(0, len(waiting), _BATCH):
        some = waiting[start : start + _BATCH]
        scores = pipeline.encoder.submit([Item(each.frame.pixels) for each in some]).result()
        for each, score in zip(some, scores, strict=True):
            yield None if score is None else probabilities_of(score, pipeline.model_info, each.quality)
