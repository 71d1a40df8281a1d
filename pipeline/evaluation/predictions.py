"""Predictions of planes are read and written here: the published JSON of labels, and our CSV with probabilities."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.metrics import (
    FloatArray,
    LabelArray,
    Mask,
    Metric,
    auroc,
    expected_calibration_error,
    fpr_at_tpr,
    in_top_k,
    label_codes,
    macro_f1,
    share_with_interval,
    with_interval,
)

OTHER: Final = "other"
SURE_PERCENT: Final = (50, 80, 95)
_FIXED: Final = ("file", "group", "truth", "prediction")


class _Published(msgspec.Struct):
    prediction: list[str]
    label: list[str]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predicted and true labels of N pictures.

    Attributes:
        truth: (N,) true labels.
        predicted: (N,) predicted labels.
        groups: N patients, for the intervals; the picture's own number if patients are not known.
        files: N names, "" if they are not known.
        labels: the L labels that could be predicted.
        probabilities: (N, L) in the order of ``labels``; None if only labels were saved.
        standard: (N,) probability of any standard plane, against "other"; None if it was not saved.
    """

    truth: LabelArray
    predicted: LabelArray
    groups: tuple[str, ...]
    files: tuple[str, ...]
    labels: tuple[str, ...] = ()
    probabilities: FloatArray | None = None
    standard: FloatArray | None = None


def plane_metrics(found: Predictions) -> dict[str, Metric]:
    """Compute the metrics of predicted planes, each with a 95% interval over patients.

    ``f1`` (macro, over the classes that occur) and ``accuracy`` are always there. With probabilities come
    ``top2_accuracy``, ``top3_accuracy``, and for each percentage of ``SURE_PERCENT`` ``coverage_at_80`` (the share of
    pictures whose likeliest label has at least that probability), ``accuracy_at_80`` (of these) and
    ``calibration_error``, the expected calibration error. With pictures of "other" and their ``standard`` probability
    come ``auroc_other`` and ``fpr95_other``; pictures of "other" count for these two and, as one more label, for the
    calibration error.
    """
    known = np.flatnonzero(found.truth != OTHER)
    groups = np.array(found.groups)
    truth, predicted = label_codes(found.truth[known], found.predicted[known])
    right = truth == predicted
    metrics = {
        "f1": with_interval(lambda rows: macro_f1(truth[rows], predicted[rows]), groups[known]),
        "accuracy": share_with_interval(right, groups[known]),
    }
    if (table := found.probabilities) is not None:
        for k in (2, 3):
            near = in_top_k(found.truth[known], table[known], found.labels, k)
            metrics[f"top{k}_accuracy"] = share_with_interval(near, groups[known])
        surest = table[known].max(axis=1)
        for percent in SURE_PERCENT:
            sure = surest >= percent / 100
            metrics[f"coverage_at_{percent}"] = share_with_interval(sure, groups[known])
            metrics[f"accuracy_at_{percent}"] = share_with_interval(right[sure], groups[known][sure])
        confidence, hits = _confidences(found)
        metrics["calibration_error"] = with_interval(
            lambda rows: expected_calibration_error(confidence[rows], hits[rows]), groups
        )
    if (standard := found.standard) is not None and len(known) < len(found.truth):
        is_standard = found.truth != OTHER
        for name, measure in (("auroc_other", auroc), ("fpr95_other", fpr_at_tpr)):
            metrics[name] = with_interval(
                lambda rows, measure=measure: measure(standard[rows], is_standard[rows]), groups
            )
    return metrics


def _confidences(found: Predictions) -> tuple[FloatArray, Mask]:
    """Return the probability (N,) of each picture's likeliest label, "other" among them if known, and if it is true."""
    assert found.probabilities is not None
    if found.standard is None:
        known = found.truth != OTHER
        return np.where(known, found.probabilities.max(axis=1), 0.0), (found.predicted == found.truth) & known
    best, other = found.probabilities.max(axis=1) * found.standard, 1 - found.standard
    told = np.where(best >= other, found.predicted, OTHER)
    return np.maximum(best, other), told == found.truth


def read_predictions(path: Path) -> Predictions:
    """Read a file of ``write_predictions``, or the published JSON ``{"prediction": [...], "label": [...]}``.

    Raises:
        ConfigError: the file is neither.
    """
    try:
        return _from_json(path) if path.suffix.lower() == ".json" else _from_csv(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: no file of predictions; wanted CSV with {', '.join(_FIXED)}, or JSON with prediction and label"
        ) from error


def write_predictions(path: Path, found: Predictions) -> None:
    """Write a CSV with one row a picture: file, group, truth, prediction, the labels' probabilities, any plane's."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        standard = found.standard
        last = [] if standard is None else ["standard"]
        writer.writerow([*_FIXED, *(f"p_{label}" for label in found.labels), *last])
        for row in range(len(found.truth)):
            numbers = [] if found.probabilities is None else [f"{value:.6f}" for value in found.probabilities[row]]
            numbers += [] if standard is None else [f"{standard[row]:.6f}"]
            writer.writerow([found.files[row], found.groups[row], found.truth[row], found.predicted[row], *numbers])


def _from_json(path: Path) -> Predictions:
    saved = msgspec.json.decode(path.read_bytes(), type=_Published)
    if len(saved.prediction) != len(saved.label):
        raise ValueError("as many predictions as labels")
    numbers = tuple(str(number) for number in range(len(saved.label)))
    return Predictions(np.array(saved.label), np.array(saved.prediction), numbers, ("",) * len(saved.label))


def _from_csv(path: Path) -> Predictions:
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    columns = rows[0].keys() if rows else ()
    labels = tuple(column.removeprefix("p_") for column in columns if column.startswith("p_"))
    table = np.array([[float(row[f"p_{label}"]) for label in labels] for row in rows]) if labels else None
    standard = np.array([float(row["standard"]) for row in rows]) if "standard" in columns else None
    truth, predicted = (np.array([row[column] for row in rows], dtype=np.str_) for column in ("truth", "prediction"))
    groups, files = (tuple(row[column] for row in rows) for column in ("group", "file"))
    return Predictions(truth, predicted, groups, files, labels, table, standard)
