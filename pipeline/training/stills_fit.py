"""Open-set constants from labelled stills: fitted on half of the patients, their operating point taken from the rest.

A still says nothing of time, so the constants of decisions over time stay what they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.metrics import FloatArray, LabelArray, Mask, auroc
from fetalstream.pipeline.model.config import ModelConfig
from fetalstream.pipeline.model.weights_file import configured_path
from fetalstream.pipeline.readout.openset import OpenSet, OperatingPoint, evidence
from fetalstream.pipeline.training.fit import logistic
from fetalstream.pipeline.wire import OTHER


@dataclass(frozen=True, eq=False)
class LabelledStills:
    """(N,) true ``labels`` ("other" among them) and ``patients`` of pictures, with what the model said of each.

    ``cosines``: (N, P) with ``planes``. ``other``: (N,), None where the prompts have no sentences about it.
    """

    labels: LabelArray
    patients: LabelArray
    planes: tuple[str, ...]
    cosines: FloatArray
    other: FloatArray | None

    def of(self, rows: Mask) -> LabelledStills:
        """Some of the pictures."""
        other = None if self.other is None else self.other[rows]
        return LabelledStills(self.labels[rows], self.patients[rows], self.planes, self.cosines[rows], other)

    def said(self) -> str:
        """How many pictures of how many patients."""
        return f"{len(self.labels):,} pictures of {len(np.unique(self.patients)):,} patients"


@dataclass(frozen=True, eq=False)
class FittedOpenSet:
    """``open_set`` with its operating point, and the pictures it was ``fitted_on`` and ``judged_on``."""

    open_set: OpenSet
    fitted_on: Mask
    judged_on: Mask


def fit_open_set(stills: LabelledStills) -> FittedOpenSet:
    """Weights and threshold from every other patient; the operating point is what becomes of the others at it.

    The weights of `evidence` come from a logistic regression of "shows a standard plane" in which planes and "other"
    count alike; a part that would count against its own sense is left out, and similarity is left out where planes
    are missing from the pictures (what is typical of them is then not known). The threshold is where the true positive
    rate exceeds the false one most (Youden, Cancer 1950;3:32-35).

    Raises:
        ConfigError: a half has no standard planes or no pictures of "other", or nothing tells them apart.
    """
    first = np.isin(stills.patients, np.unique(stills.patients)[::2])
    for half in (first, ~first):
        if len(set((stills.labels[half] == OTHER).tolist())) < 2:
            raise ConfigError("fitting needs pictures of standard planes and of 'Other' in both halves of the patients")
    weights = _weights(stills.of(first))
    threshold = _threshold(_scores(weights, stills.of(first)), stills.labels[first] != OTHER)
    called = _scores(weights, stills.of(~first)) > threshold
    inside = stills.labels[~first] != OTHER
    found, mistaken = (round(float(called[which].mean()), 4) for which in (inside, ~inside))
    point = OperatingPoint(true_positive_rate=found, false_positive_rate=mistaken)
    open_set = msgspec.structs.replace(weights, threshold=threshold, operating_point=point)
    return FittedOpenSet(open_set, first, ~first)


def calibrated_config(
    config: ModelConfig,
    fitted: FittedOpenSet,
    stills: LabelledStills,
    source: str,
    *,
    prompts: str | None,
    weights: Path | None,
) -> ModelConfig:
    """The model file with these constants; it finds weights and sentences wherever it lies.

    Args:
        config: of the model that was judged.
        fitted: its constants.
        stills: that they are from.
        source: what the data set is called.
        prompts: a folder that was given instead of the model file's, with which alone the constants hold.
        weights: a file that was given instead of the configured one, likewise.
    """
    own, rest = stills.of(fitted.fitted_on).said(), stills.of(fitted.judged_on).said()
    before = config.calibrated_on or "not fitted"
    said = f"open set: {source}, {own}, operating point on {rest}; all else: {before}"
    sentences = config.prompts_folder if prompts is None else prompts
    where = config.weights
    if weights is not None:
        where = msgspec.structs.replace(
            where, path=str(weights.resolve()), repo=None, file=None, bundled=None, sha256=None
        )
    elif where.path is not None:
        where = msgspec.structs.replace(where, path=str(configured_path(config).resolve()))
    return msgspec.structs.replace(
        config,
        prompts=str(Path(sentences).resolve()) if Path(sentences).is_dir() else sentences,
        weights=where,
        open_set=fitted.open_set,
        calibrated_on=said,
        folder="",
    )


def _weights(stills: LabelledStills) -> OpenSet:
    inside = stills.labels != OTHER
    typical = {
        plane: round(100 * float(np.median(stills.cosines[stills.labels == plane, column])), 2)
        for column, plane in enumerate(stills.planes)
        if (stills.labels == plane).any()
    }
    complete = len(typical) == len(stills.planes)
    parts = evidence(stills.cosines, stills.other, np.array(list(typical.values())) if complete else None)
    alike = np.where(inside, 0.5 / inside.mean(), 0.5 / (~inside).mean())
    use = np.array([stills.other is not None, True, complete])
    while (weights := logistic(parts * use, inside, alike) * use).min() < 0:
        use &= weights >= 0
    background, margin, similarity = (round(float(weight), 4) for weight in weights)
    found = OpenSet(background=background, margin=margin, similarity=similarity, typical=typical if similarity else {})
    if (auroc(_scores(found, stills), inside) or 0.0) <= 0.5:
        raise ConfigError("nothing that this model says tells standard planes from 'Other': no constants were fitted")
    return found


def _scores(open_set: OpenSet, stills: LabelledStills) -> FloatArray:
    typical = np.array([open_set.typical[plane] for plane in stills.planes]) if open_set.typical else None
    parts = evidence(stills.cosines, stills.other, typical)
    return parts @ np.array((open_set.background, open_set.margin, open_set.similarity))


def _threshold(scores: FloatArray, inside: Mask) -> float:
    """Half-way between the score from which pictures are called standard planes and the next one below."""
    order = np.sort(np.unique(scores))
    reached = [float((scores[inside] >= at).mean() - (scores[~inside] >= at).mean()) for at in order]
    best = int(np.argmax(reached))
    below = order[best - 1] if best else order[best] - 1.0
    return round(float((order[best] + below) / 2), 4)
