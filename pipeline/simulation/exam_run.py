"""Short examinations of the phantom's brain, read by the product, for `pipeline.simulation.exams` to judge."""

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
"""A frame of twelve is looked at: drawing them is what takes the time."""

_AT_ONCE: Final = 8
_GOLDEN: Final = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, eq=False)
class BrainFrame:
    """One frame of decided brain: its row of truth and reading, and what `ExamGestation.update` is given for it."""

    frame: ExamFrame
    row: Row
    arguments: dict[str, Any]


def exam_days(seed: int) -> int:
    """The age of a seed's fetus: neighbouring seeds are spread evenly over all days that a model is asked about."""
    return int(GRID_DAYS[int(GRID_DAYS.size * (seed * _GOLDEN % 1))])


def looks_of(seed: int, ready: LoadedPipeline) -> list[BrainFrame]:
    """An examination: three visits to the brain, one for each subplane, at the depths that the scan comes to there.

    Args:
        seed: of the phantom.
        ready: the model.
    """
    days = exam_days(seed)
    source = PhantomSource(seed, gestation_days=days)
    preparation, ages = Preparation(), _Noted(ready.model_info.half_widths, ready.model_info.shared)
    interpreter = Interpreter(ready.model_info, ready.banks.gestation, ages)
    found: list[BrainFrame] = []
    answer: FrameProbabilities | None = None
    prepared = [preparation.prepare(source.frame(index)) for index in _brain_frames(Tour(seed, days))]
    answers = _answers(ready, prepared)
    for each in prepared:
        answer = next(answers) if each.action == "analyse" else answer
        reading = interpreter.read(each, answer, wire.Latency(), of_this_exam=True)
        if (noted := ages.taken()) is None:
            continue
        row, arguments = noted
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


def replayed(looks: Iterable[BrainFrame], ages: ExamGestation) -> Iterator[tuple[BrainFrame, Outcome]]:
    """The same frames through another estimator."""
    for look in looks:
        yield look, ages.update(look.row, Segment(), **look.arguments)


class _Noted(ExamGestation):
    """Keeps what it was given of the last frame, where there were scores."""

    _noted: tuple[Row, dict[str, Any]] | None = None

    def update(self, row: Row | None, segment: Segment, **arguments: Any) -> Outcome:
        self._noted = None if row is None or not arguments["plane_sure"] else (row.copy(), arguments)
        return super().update(row, segment, **arguments)

    def taken(self) -> tuple[Row, dict[str, Any]] | None:
        """What was kept, once."""
        noted, self._noted = self._noted, None
        return noted


def _brain_frames(tour: Tour) -> Iterator[int]:
    """Frames of the first visits to the brain's plane, arriving and leaving included."""
    visits, inside = 0, False
    end_seconds = 0.0
    while True:
        leg: Leg = tour.leg_at(end_seconds)
        end_seconds = leg.start_seconds + leg.seconds + 1e-9
        on_its_way_past = abs(leg.z_hold) > 0.5
        if leg.plane != BRAIN or on_its_way_past:
            inside = False
            continue
        if not inside or leg.z_start != leg.z_hold:  # it arrives: another visit, even right after one
            if visits == VISITS:
                return
            visits, inside = visits + 1, True
        yield from range(math.ceil(leg.start_seconds * RATE_HZ), math.ceil(end_seconds * RATE_HZ), EVERY)


def _answers(ready: LoadedPipeline, prepared: Iterable[PreparedFrame]) -> Iterator[FrameProbabilities | None]:
    waiting = [each for each in prepared if each.action == "analyse"]
    for start in range(0, len(waiting), _AT_ONCE):
        some = waiting[start : start + _AT_ONCE]
        scores = ready.encoder.submit([Item(each.frame.pixels) for each in some]).result()
        for each, score in zip(some, scores, strict=True):
            yield None if score is None else probabilities_of(score, ready.model_info, each.quality)
