"""`ModelInfo` carries a model's labels and constants to the stages after the encoder, without the model itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from fetalstream.pipeline.model.loading import LoadedModel
from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.pipeline.readout.openset import Rejector
from fetalstream.pipeline.readout.temporal import Temporal


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """Labels and constants of a model.

    Attributes:
        name: name of the model, as readings carry it.
        calibrated: whether the constants were fitted on data that the model file names.
        image_size: side of the model's square input, pixels.
        planes: plane labels in the order of ``HeadOutputs.plane_cosines``, without "other".
        subplanes: labels of the brain's subplanes, in the order of ``HeadOutputs.subplane_cosines``.
        rejector: separates standard planes from "other".
        temporal: constants of the decisions over time.
        knows_gestation: whether the model was trained on ages and the prompts have sentences about them.
        half_widths: 90% half-widths of one frame's age, (from_day, half_width); None for FetalCLIP's.
        shared: share of the variance that averaging over zooms does not reduce; None for FetalCLIP's.
    """

    name: str
    calibrated: bool
    image_size: int
    planes: tuple[str, ...]
    subplanes: tuple[str, ...]
    rejector: Rejector = field(default_factory=Rejector)
    temporal: Temporal = field(default_factory=Temporal)
    knows_gestation: bool = True
    half_widths: tuple[tuple[float, float], ...] | None = None
    shared: float | None = None


def model_info_of(model: LoadedModel, banks: TextBanks) -> ModelInfo:
    """Collect the labels and constants of a loaded model; defaults stand in for what its file does not say."""
    config = model.config
    return ModelInfo(
        name=config.name,
        calibrated=config.calibrated,
        image_size=model.image_size,
        planes=banks.plane_labels,
        subplanes=banks.subplane_labels,
        rejector=Rejector.of(config.open_set, banks.plane_labels),
        temporal=config.temporal or Temporal(),
        knows_gestation=config.knows_gestation and banks.has_gestation,
        half_widths=None if config.gestation is None else config.gestation.half_widths,
        shared=None if config.gestation is None else config.gestation.shared,
    )
