"""What the model said of one frame, in probabilities; it may be repeated for frames that show the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fetalstream.pipeline import wire
from fetalstream.pipeline.model.heads import HeadOutputs, label_probabilities
from fetalstream.pipeline.model.model_info import ModelInfo
from fetalstream.pipeline.readout.gestation import Row
from fetalstream.pipeline.readout.openset import LOGIT_SCALE
from fetalstream.pipeline.readout.temporal import Smoothed
from fetalstream.streamer.frame import Frame

BankLookup = Callable[[float], "npt.NDArray[np.floating] | None"]
"""From the spacing of the model's input (mm) to the (175, D) sentences for it; None while they are being prepared."""


@dataclass(eq=False, slots=True)
class FrameProbabilities:
    """Scores of one frame as probabilities.

    ``planes``: (P + 1,), sum 1, "other" last. ``subplanes``: (S,), sum 1. Cosines as in ``HeadOutputs``, those of
    "other" last in ``plane_cosines`` and None where the model has no words for it.
    """

    scores: HeadOutputs
    planes: npt.NDArray[np.floating]
    plane_cosines: list[float | None]
    subplanes: npt.NDArray[np.floating]
    subplane_cosines: list[float | None]
    quality: wire.Quality | None
    _row: Row | None = field(default=None)

    def row(self, bank: BankLookup, spacing_mm: float) -> Row | None:
        """The frame's GA scores (175,), asked for only where a brain is seen; None while the sentences are prepared."""
        if self._row is None:
            self._row = self.scores.gestation_row
        if self._row is None and (sentences := bank(spacing_mm)) is not None:
            self._row = LOGIT_SCALE * (sentences @ self.scores.embedding)
        return self._row


def probabilities_of(scores: HeadOutputs, model_info: ModelInfo, quality: wire.Quality | None) -> FrameProbabilities:
    """Probabilities from one frame's scores."""
    return FrameProbabilities(
        scores,
        model_info.rejector.probabilities(scores.plane_cosines, scores.other_cosine),
        [*scores.plane_cosines.tolist(), scores.other_cosine],
        label_probabilities(scores.subplane_cosines) if model_info.subplanes else np.empty(0),
        [*scores.subplane_cosines.tolist()],
        quality,
    )


def scored(
    labels: Sequence[str], cosines: Sequence[float | None], raw: npt.NDArray[np.floating], smoothed: Smoothed
) -> dict[str, wire.LabelScore]:
    """One `wire.LabelScore` a label."""
    mean = raw if smoothed.probabilities is None else smoothed.probabilities
    return {
        label: wire.LabelScore(cosine=cosine, raw=now, smoothed=held)
        for label, cosine, now, held in zip(labels, cosines, raw.tolist(), mean.tolist(), strict=True)
    }


def frame_info(frame: Frame) -> wire.FrameInfo:
    """What the wire says of a frame."""
    return wire.FrameInfo(
        index=frame.index,
        epoch=frame.epoch,
        pts_seconds=frame.pts_seconds,
        captured_ns=frame.captured_ns,
        spacing_mm=frame.spacing_mm,
        spacing_from=frame.spacing_from,
    )
