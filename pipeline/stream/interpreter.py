"""Makes a reading of a frame's probabilities: planes and subplanes over time, the examination's age. Passive."""

from __future__ import annotations

from typing import Final

import numpy as np

from fetalstream.pipeline import wire
from fetalstream.pipeline.model.model_info import ModelInfo
from fetalstream.pipeline.model.preprocess import input_spacing_mm
from fetalstream.pipeline.readout.gestation import BRAIN, ExamGestation, Outcome
from fetalstream.pipeline.readout.temporal import PlaneFilter, Smoothed
from fetalstream.pipeline.stream.preparation import PreparedFrame
from fetalstream.pipeline.stream.probabilities import BankLookup, FrameProbabilities, frame_info, scored
from fetalstream.pipeline.stream.questions import AskMeter, Question

# A brain is named from 0.6 on; heads off their plane are smaller than the truth and often score between, so an age
# wants more.
BRAIN_SURE: Final = 0.8


class Interpreter:
    """Reads the frames of one stream in order.

    Args:
        model_info: labels and constants of the model; kept as an attribute.
        bank: gives the sentences about age for the spacing of decided brain frames.
        gestation: of the examination; by default a new one with the model's constants.
        stream: the stream's name on the wire.
    """

    def __init__(
        self, model_info: ModelInfo, bank: BankLookup, gestation: ExamGestation | None = None, stream: str = ""
    ) -> None:
        self._stream = stream
        self.model_info = model_info
        self._bank = bank
        self._labels = (*model_info.planes, wire.OTHER)
        over_time = model_info.temporal
        self._planes = PlaneFilter(self._labels, over_time)
        self._subplanes = PlaneFilter(
            model_info.subplanes, over_time, enter=over_time.subplane_enter, leave=over_time.subplane_leave
        )
        self._ask: AskMeter | None = None
        self._gestation = gestation or ExamGestation(model_info.half_widths, model_info.shared)

    def ask(self, asked: Question | None) -> None:
        """Score frames against a sentence from now on; None ends it."""
        self._ask = None if asked is None else AskMeter(asked)

    def read(
        self, prepared: PreparedFrame, answer: FrameProbabilities | None, latency: wire.Latency, *, of_this_exam: bool
    ) -> wire.Reading:
        """Return the reading of the next frame.

        Args:
            prepared: the frame.
            answer: its own probabilities or the repeated ones; None if the frame is blank.
            latency: for the reading.
            of_this_exam: False for a stray frame of the examination before: it counts for no age.
        """
        frame, segment = prepared.frame, prepared.segment
        if answer is None:  # what was seen before the dark says nothing of what comes after it
            self._planes.reset()
        seen = None if answer is None else self._planes.update(frame.pts_seconds, segment, answer.planes)
        plane = None if seen is None else seen.plane
        subplanes = self._subplanes_of(prepared, answer, plane)
        # Over time and at this very frame: a decision outlasts the moment when the probe has left the head.
        sure = seen is not None and answer is not None and self._brain_share(seen, answer) >= BRAIN_SURE
        age = self._age(prepared, answer, plane, sure=sure) if of_this_exam else Outcome(None, "uncertain")
        return wire.Reading(
            exam=segment.exam,
            stream=self._stream,
            frame=frame_info(frame),
            state=prepared.state,
            reused=prepared.action == "reuse",
            planes={}
            if answer is None or seen is None
            else scored(self._labels, answer.plane_cosines, answer.planes, seen),
            plane=plane,
            subplanes=None
            if answer is None or subplanes is None
            else scored(self.model_info.subplanes, answer.subplane_cosines, answer.subplanes, subplanes),
            subplane=None if subplanes is None else subplanes.plane,
            subplane_close=self._rival_of(subplanes),
            gestation=age.gestation,
            gestation_missing=age.missing,
            quality=None if answer is None else answer.quality,
            ask=None
            if answer is None or self._ask is None
            else self._ask.update(frame.pts_seconds, segment, answer.scores.embedding),
            latency_ms=latency,
            model=self.model_info.name,
            calibrated=self.model_info.calibrated,
            dropped=prepared.dropped,
        )

    def input_spacing_mm(self, prepared: PreparedFrame) -> float | None:
        """Millimetres per pixel of the model's input for this frame; None if the model or the frame knows none."""
        frame = prepared.frame
        if frame.spacing_mm is None or not self.model_info.knows_gestation:
            return None
        return input_spacing_mm(frame.height, frame.width, frame.spacing_mm, self.model_info.image_size)

    def _subplanes_of(
        self, prepared: PreparedFrame, answer: FrameProbabilities | None, plane: str | None
    ) -> Smoothed | None:
        if answer is None or plane != BRAIN or not self.model_info.subplanes:
            self._subplanes.reset()
            return None
        return self._subplanes.update(prepared.frame.pts_seconds, prepared.segment, answer.subplanes)

    def _rival_of(self, subplanes: Smoothed | None) -> str | None:
        """Return the second subplane if it is close to the first."""
        if subplanes is None or subplanes.probabilities is None or len(self.model_info.subplanes) < 2:
            return None
        second, first = np.argsort(subplanes.probabilities)[-2:].tolist()
        lead = subplanes.probabilities[first] - subplanes.probabilities[second]
        return self.model_info.subplanes[second] if lead <= self.model_info.temporal.subplane_close else None

    def _brain_share(self, seen: Smoothed, answer: FrameProbabilities) -> float:
        """Return the brain's probability over time or in this frame, whichever is lower."""
        if seen.probabilities is None or BRAIN not in self._labels:
            return 0.0
        column = self._labels.index(BRAIN)
        return float(min(seen.probabilities[column], answer.planes[column]))

    def _age(
        self, prepared: PreparedFrame, answer: FrameProbabilities | None, plane: str | None, *, sure: bool
    ) -> Outcome:
        if not self.model_info.knows_gestation:
            return Outcome(None, "model_has_none")
        frame = prepared.frame
        spacing_mm = self.input_spacing_mm(prepared)
        row = None
        if answer is not None and plane == BRAIN and spacing_mm is not None:
            row = answer.row(self._bank, spacing_mm)
        return self._gestation.update(
            row,
            prepared.segment,
            plane_sure=plane == BRAIN,
            spacing_mm=spacing_mm,
            frame_width_mm=None if frame.spacing_mm is None else frame.width * frame.spacing_mm,
            aspect=frame.height / frame.width,
            repeated=prepared.still or prepared.action == "reuse",
            unsure=not sure,
        )
