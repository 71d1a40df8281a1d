"""Open-set rejection: how likely a frame shows any standard plane at all. Most frames of a live scan show none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Self

import msgspec
import numpy as np
import numpy.typing as npt

LOGIT_SCALE: Final = 100.0
"""What cosines are multiplied with before a softmax: a constant, not the scale that training ended with."""

Numbers = npt.NDArray[np.floating]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class OperatingPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of frames called a standard plane at the threshold.

    Attributes:
        true_positive_rate: of frames that show one.
        false_positive_rate: of frames that do not.
    """

    true_positive_rate: _Share
    false_positive_rate: _Share


class OpenSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Constants of a model file: weights of the three parts of `evidence`, and where "other" begins.

    Attributes:
        background: weight of the lead of all planes over the sentences about "other".
        margin: weight of the lead of the best plane over the next.
        similarity: weight of the best plane's logit against what is typical of it.
        threshold: a frame whose weighted evidence lies above it is more likely a standard plane than not.
        typical: by plane, the median of 100 · cosine that the model finds in standard planes of its kind.
        well_hit: log odds of "shows a standard plane" in frames that hit theirs well; None for a model whose odds say
            nothing of that.
        operating_point: of the threshold, on the data that ``calibrated_on`` names.
    """

    background: float = 1.0
    margin: float = 0.0
    similarity: float = 0.0
    threshold: float = 0.0
    typical: dict[str, float] = {}
    well_hit: Annotated[float, msgspec.Meta(gt=0)] | None = None
    operating_point: OperatingPoint | None = None

    def __post_init__(self) -> None:
        if self.similarity and not self.typical:
            raise ValueError("similarity needs typical, what the model finds in standard planes")


def evidence(plane_cosines: Numbers, other_cosine: Numbers | float | None, typical: Numbers | None) -> Numbers:
    """Three parts of the evidence for a standard plane, on the logit scale (100 · cosine): (..., 3).

    Background: by how much all planes together (log of summed exponentials) beat the sentences about "other". Margin:
    the lead of the best plane over the next. Similarity: the best plane's logit against what this model typically
    finds in that plane. A part that cannot be had is 0.

    Args:
        plane_cosines: (..., P).
        other_cosine: (...), None if the prompts have no sentences about "other".
        typical: (P,) logits; None if they were not fitted.
    """
    logits = LOGIT_SCALE * np.asarray(plane_cosines, dtype=np.float64)
    best = logits.argmax(axis=-1)
    top = logits.max(axis=-1)
    parts = np.zeros((*logits.shape[:-1], 3))
    if other_cosine is not None:
        together = top + np.log(np.exp(logits - top[..., None]).sum(axis=-1))
        parts[..., 0] = together - LOGIT_SCALE * np.asarray(other_cosine, dtype=np.float64)
    if logits.shape[-1] > 1:
        parts[..., 1] = top - np.partition(logits, -2, axis=-1)[..., -2]
    if typical is not None:
        parts[..., 2] = top - typical[best]
    return parts


@dataclass(frozen=True, eq=False)
class Rejector:
    """Probabilities of planes and "other" by a model's constants; as it stands, for a model without any, a softmax
    in which "other" competes by its own sentences alone.

    ``weights``: (3,) of `evidence`; ``typical``: (P,) logits in the order of the planes, or None.
    ``well_hit``: as the constants say.
    """

    weights: tuple[float, float, float] = (1.0, 0.0, 0.0)
    threshold: float = 0.0
    typical: Numbers | None = None
    well_hit: float | None = None

    @classmethod
    def of(cls, constants: OpenSet | None, planes: Sequence[str]) -> Self:
        """Make a rejector of a model file's constants; planes they do not know have no typical similarity."""
        if constants is None:
            return cls()
        weights = (constants.background, constants.margin, constants.similarity)
        known = all(plane in constants.typical for plane in planes)
        typical = np.array([constants.typical[plane] for plane in planes]) if known and constants.typical else None
        return cls(weights, constants.threshold, typical, constants.well_hit)

    def probabilities(self, plane_cosines: Numbers, other_cosine: float | None) -> npt.NDArray[np.float64]:
        """Return the probabilities of the planes and, last, "other": (P + 1,), sum 1.

        "other" gets 0 if nothing speaks for or against it.
        """
        logits = LOGIT_SCALE * np.asarray(plane_cosines, dtype=np.float64)
        planes = np.exp(logits - logits.max())
        planes /= planes.sum()
        if other_cosine is None and self.weights[1:] == (0.0, 0.0):
            return np.append(planes, 0.0)
        score = float(evidence(plane_cosines, other_cosine, self.typical) @ self.weights) - self.threshold
        inside = 1 / (1 + np.exp(-np.clip(score, -60, 60)))
        return np.append(planes * inside, 1 - inside)


def log_odds(probability: Numbers | float) -> Numbers:
    """Natural logarithm of the odds; finite for certainty too."""
    inside = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.log(inside / (1 - inside))
