"""Open-set constants are fitted on the labelled stills of half of the patients, and judged on the other half.

Stills hold no time, so the constants of decisions over time are not changed.
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
    """Labels and cosines of N pictures.

    Attributes:
        labels: (N,) true labels, "other" among them.
        patients: (N,) patient of each picture.
        planes: the P planes that the model knows.
        cosines: (N, P) with ``planes``.
        other: (N,) cosines with "other"; None if the prompts have no sentences about it.
    """

    labels: LabelArray
    patients: LabelArray
    planes: tuple[str, ...]
    cosines: FloatArray
    other: FloatArray | None

    def select(self, rows: Mask) -> LabelledStills:
        """Return some of the pictures."""
        other = None if self.other is None else self.other[rows]
        return LabelledStills(self.labels[rows], self.patients[rows], self.planes, self.cosines[rows], other)

    def summary(self) -> str:
        """Return the numbers of pictures and patients in words."""
        return f"{len(self.labels):,} pictures of {len(np.unique(self.patients)):,} patients"


@dataclass(frozen=True, eq=False)
class FittedOpenSet:
    """``open_set`` with its operating point, and which pictures it was ``fitted_on`` and ``judged_on`` (N,)."""

    open_set: OpenSet
    fitted_on: Mask
    judged_on: Mask


def fit_open_set(stills: LabelledStills) -> FittedOpenSet:
    """Fit weights and threshold on every second patient, and measure the operating point on the others.

    The weights of `evidence` come from a logistic regression of "shows a standard plane" in which planes and "other"
    have the same total weight. A part that would get a negative weight is left out, and so is similarity if the
    pictures lack a plane, whose typical cosine is then unknown. The threshold maximises the true positive rate less the
    false positive rate (Youden, Cancer 1950;3:32-35).

    Raises:
        ConfigError: a half has no standard planes or no pictures of "other", or the scores do not separate them.
    """
    first = np.isin(stills.patients, np.unique(stills.patients)[::2])
    for half in (first, ~first):
        if len(set((stills.labels[half] == OTHER).tolist())) < 2:
            raise ConfigError("fitting needs pictures of standard planes and of 'Other' in both halves of the patients")
    weights = _weights(stills.select(first))
    threshold = _threshold(_scores(weights, stills.select(first)), stills.labels[first] != OTHER)
    called = _scores(weights, stills.select(~first)) > threshold
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
    """Make a model file with these constants; its paths are absolute, so that it may be put into any folder.

    Args:
        config: model file of the model that was judged.
        fitted: the constants.
        stills: the pictures that they were fitted and judged on.
        source: name of the data set.
        prompts: prompts folder that replaced the model file's; the constants hold with it alone.
        weights: weights file that replaced the configured one; the constants hold with it alone.
    """
    own, rest = stills.select(fitted.fitted_on).summary(), stills.select(fitted.judged_on).summary()
    before = config.calibrated_on or "not fitted"
    calibrated_on = f"open set: {source}, {own}, operating point on {rest}; all else: {before}"
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
        calibrated_on=calibrated_on,
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
    row_weights = np.where(inside, 0.5 / inside.mean(), 0.5 / (~inside).mean())
    use = np.array([stills.other is not None, True, complete])
    while (weights := logistic(parts * use, inside, row_weights) * use).min() < 0:
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
    """Return the middle between the lowest score called a standard plane and the next one below."""
    order = np.sort(np.unique(scores))
    reached = [float((scores[inside] >= at).mean() - (scores[~inside] >= at).mean()) for at in order]
    best = int(np.argmax(reached))
    below = order[best - 1] if best else order[best] - 1.0
    return round(float((order[best] + below) / 2), 4)
