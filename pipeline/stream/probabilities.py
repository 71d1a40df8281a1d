"""Probabilities of one frame's labels; they may be repeated for frames that show the same."""

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
    """Outputs of one frame as probabilities.

    Attributes:
        scores: what the model gave.
        planes: (P + 1,), sum 1, "other" last.
        plane_cosines: as in ``HeadOutputs``, that of "other" last, None if the model has no words for it.
        subplanes: (S,), sum 1; empty if the model has none.
        subplane_cosines: as in ``HeadOutputs``.
        quality: of the frame's picture.
        spacing_mm: spacing of the model's input that ``scores.gestation_row`` was made for; None if there is no row.
    """

    scores: HeadOutputs
    planes: npt.NDArray[np.floating]
    plane_cosines: list[float | None]
    subplanes: npt.NDArray[np.floating]
    subplane_cosines: list[float | None]
    quality: wire.Quality | None
    spacing_mm: float | None = None
    _row: tuple[float, Row] | None = field(default=None)  # with the spacing that it is for

    def row(self, bank: BankLookup, spacing_mm: float) -> Row | None:
        """Return the frame's GA scores (175,) for a spacing, or None while the sentences are prepared.

        The scores are made when they are asked for, since only brains have an age, and made again for another
        spacing: a frame that repeats this one may have another scale.
        """
        if self._row is None or self._row[0] != spacing_mm:
            made = self.scores.gestation_row if self.spacing_mm == spacing_mm else None
            if made is None and (sentences := bank(spacing_mm)) is not None:
                made = LOGIT_SCALE * (sentences @ self.scores.embedding)
            if made is None:
                return None
            self._row = spacing_mm, made
        return self._row[1]


def probabilities_of(
    scores: HeadOutputs, model_info: ModelInfo, quality: wire.Quality | None, spacing_mm: float | None = None
) -> FrameProbabilities:
    """Return the probabilities of one frame's outputs; the arguments are the fields of `FrameProbabilities`."""
    return FrameProbabilities(
        scores,
        model_info.rejector.probabilities(scores.plane_cosines, scores.other_cosine),
        [*scores.plane_cosines.tolist(), scores.other_cosine],
        label_probabilities(scores.subplane_cosines) if model_info.subplanes else np.empty(0),
        [*scores.subplane_cosines.tolist()],
        quality,
        spacing_mm,
    )


def scored(
    labels: Sequence[str], cosines: Sequence[float | None], raw: npt.NDArray[np.floating], smoothed: Smoothed
) -> dict[str, wire.LabelScore]:
    """Return one `wire.LabelScore` a label."""
    mean = raw if smoothed.probabilities is None else smoothed.probabilities
    return {
        label: wire.LabelScore(cosine=cosine, raw=now, smoothed=held)
        for label, cosine, now, held in zip(labels, cosines, raw.tolist(), mean.tolist(), strict=True)
    }


def frame_info(frame: Frame) -> wire.FrameInfo:
    """Return the fields of a frame that go on the wire."""
    return wire.FrameInfo(
        index=frame.index,
        epoch=frame.epoch,
        pts_seconds=frame.pts_seconds,
        captured_ns=frame.captured_ns,
        spacing_mm=frame.spacing_mm,
        spacing_from=frame.spacing_from,
    )
