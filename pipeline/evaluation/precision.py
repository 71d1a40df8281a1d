"""A precision is compared with float32 here: features, planes and ages on the same pictures, with trained weights.

Random weights give all pictures nearly the same feature and the same plane, so that nothing can be judged with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.inference.encoder import Item
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.model.heads import HeadOutputs
from fetalstream.pipeline.model.precision_cache import PrecisionResult
from fetalstream.pipeline.model.preprocess import input_spacing_mm
from fetalstream.pipeline.readout.gestation import reference_readout
from fetalstream.streamer.frame import Frame

MIN_CENTRED_COSINE: Final = 0.99
MIN_TOP1: Final = 0.995
MAX_MEDIAN_DAYS: Final = 0.5
_BATCH: Final = 8


@dataclass(frozen=True)
class Comparison:
    """The comparison of one precision with float32.

    Attributes:
        model: name of the model.
        device: "cpu" or "cuda".
        precision: name of the number format ("bfloat16").
        frames: number of pictures compared.
        centred_cosine: cosine of the features of all pictures, after each model's mean feature is subtracted.
        top1_agreement: share of pictures for which both predict the same plane ("other" is one of them).
        largest_probability_change: largest difference over all planes and pictures.
        median_age_change_days: median difference of the reference readout; None without ages.
        largest_age_change_days: largest difference of the reference readout; None without ages.
    """

    model: str
    device: str
    precision: str
    frames: int
    centred_cosine: float
    top1_agreement: float
    largest_probability_change: float
    median_age_change_days: float | None
    largest_age_change_days: float | None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Reasons not to use the precision; empty if it may be used."""
        checks = (
            (self.centred_cosine < MIN_CENTRED_COSINE, f"features agree to {self.centred_cosine:.4f} only"),
            (self.top1_agreement < MIN_TOP1, f"the same plane in {self.top1_agreement:.2%} of the pictures only"),
            (
                self.median_age_change_days is not None and self.median_age_change_days > MAX_MEDIAN_DAYS,
                f"ages differ by {self.median_age_change_days} days",
            ),
        )
        return tuple(reason for bad, reason in checks if bad)

    def to_dict(self) -> dict[str, Any]:
        """Return all fields with ``passed`` and ``reasons``, for JSON."""
        return {**asdict(self), "passed": not self.reasons, "reasons": list(self.reasons)}


def compare(reference: LoadedPipeline, candidate: LoadedPipeline, frames: Iterable[Frame]) -> Comparison:
    """Run both models on the same frames and compare their outputs.

    Args:
        reference: the model in float32.
        candidate: the same weights in another precision or on another device.
        frames: real or realistic frames; ages are compared if their spacing is known.

    Raises:
        ConfigError: the weights are random or differ, there are no frames, or an output is not finite.
    """
    if reference.model.weights_from == "random":
        raise ConfigError("random weights cannot judge a precision: name a model whose weights are here")
    if reference.model.weights_sha256 != candidate.model.weights_sha256:
        raise ConfigError("two different models: a precision is compared with float32 of the same weights")
    pictures = list(frames)
    if not pictures:
        raise ConfigError("no frames to compare on: give a video or a folder of images")
    banks = [_bank(reference, frame) for frame in pictures]
    candidates, references = (_scores(pipeline, pictures, banks) for pipeline in (candidate, reference))
    ages = _age_changes(candidates, references)
    probabilities = [np.stack([_planes(reference, scores) for scores in batch]) for batch in (candidates, references)]
    model = candidate.model
    return Comparison(
        model=model.config.name,
        device=model.device.type,
        precision=str(model.dtype).removeprefix("torch."),
        frames=len(pictures),
        centred_cosine=_centred_cosine(
            [each.embedding for each in candidates], [each.embedding for each in references]
        ),
        top1_agreement=float((probabilities[0].argmax(axis=1) == probabilities[1].argmax(axis=1)).mean()),
        largest_probability_change=float(np.abs(probabilities[0] - probabilities[1]).max()),
        median_age_change_days=float(np.median(ages)) if ages else None,
        largest_age_change_days=max(ages) if ages else None,
    )


def precision_result_of(comparison: Comparison, weights_sha256: str) -> PrecisionResult:
    """Make the record that ``--precision auto`` reads."""
    return PrecisionResult(weights_sha256, comparison.device, comparison.precision, comparison.reasons)


def _bank(pipeline: LoadedPipeline, frame: Frame) -> npt.NDArray[np.float32] | None:
    if frame.spacing_mm is None or not pipeline.model_info.knows_gestation:
        return None
    return pipeline.banks.gestation(
        input_spacing_mm(frame.height, frame.width, frame.spacing_mm, pipeline.model.image_size)
    )


def _scores(
    pipeline: LoadedPipeline, frames: Sequence[Frame], banks: Sequence[npt.NDArray[np.float32] | None]
) -> list[HeadOutputs]:
    found: list[HeadOutputs] = []
    for start in range(0, len(frames), _BATCH):
        batch = zip(frames[start : start + _BATCH], banks[start : start + _BATCH], strict=True)
        results = pipeline.encoder.submit([Item(frame.pixels, bank) for frame, bank in batch]).result()
        if None in results:
            raise ConfigError(
                f"{pipeline.model.config.name} gave numbers that are not finite: it cannot be used like this"
            )
        found += [scores for scores in results if scores is not None]
    return found


def _planes(pipeline: LoadedPipeline, scores: HeadOutputs) -> npt.NDArray[np.float64]:
    return pipeline.model_info.rejector.probabilities(scores.plane_cosines, scores.other_cosine)


def _centred_cosine(
    candidates: Sequence[npt.NDArray[np.float32]], references: Sequence[npt.NDArray[np.float32]]
) -> float:
    left, right = np.stack(candidates).astype(np.float64), np.stack(references).astype(np.float64)
    left, right = left - left.mean(axis=0), right - right.mean(axis=0)
    return float((left * right).sum() / (np.linalg.norm(left) * np.linalg.norm(right)))


def _age_changes(candidates: Sequence[HeadOutputs], references: Sequence[HeadOutputs]) -> list[float]:
    return [
        abs(reference_readout(one.gestation_row) - reference_readout(other.gestation_row))
        for one, other in zip(candidates, references, strict=True)
        if one.gestation_row is not None and other.gestation_row is not None
    ]
