"""FETAL_PLANES_DB (Zenodo 3904280) is evaluated here by the published protocol: standard planes, brain subplanes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.pictures import read_picture
from fetalstream.pipeline.evaluation.predictions import OTHER, Predictions
from fetalstream.pipeline.inference.encoder import Item
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.model.heads import HeadOutputs, label_probabilities

Task = Literal["planes", "brain"]

TABLE: Final = "FETAL_PLANES_DB_data.csv"
COPY_TABLE: Final = "labels.csv"
"""Table of a smaller copy, whose pictures may be stored squeezed to a square."""

_SAME_PATIENT: Final = {791: 779, 793: 781, 799: 786, 830: 820}
_PLANES: Final = {
    "Fetal brain": "brain", "Fetal abdomen": "abdomen", "Fetal thorax": "heart", "Fetal femur": "femur",
    "Maternal cervix": "cervix", "Other": OTHER,
}  # fmt: skip
_SUBPLANES: Final = {
    "Trans-thalamic": "trans-thalamic", "Trans-cerebellum": "trans-cerebellum", "Trans-ventricular": "trans-ventricular"
}  # fmt: skip
_BATCH: Final = 8


@dataclass(frozen=True)
class LabelledPicture:
    """One picture of the data set.

    Attributes:
        path: its file.
        truth: true label.
        patient: see `patient_of`.
        size: width and height that the scanner drew, if the file is stored in another shape.
    """

    path: Path
    truth: str
    patient: str
    size: tuple[int, int] | None = None


def patient_of(number: str) -> str:
    """Return the number of the patient, with as many digits: four pairs of numbers show the same pictures."""
    same = _SAME_PATIENT.get(int(number)) if number.isdecimal() else None
    return number if same is None else str(same).zfill(len(number))


def read_pictures(folder: Path, task: Task) -> list[LabelledPicture]:
    """Read the rows of the published table that a task counts: all planes and "other", or the three subplanes.

    Args:
        folder: the published data set with its table, or a copy with a ``labels.csv`` that says each picture's ``file``
            and its original size.
        task: which rows are read.

    Raises:
        ConfigError: there is no such table, or it has other columns or labels.
    """
    if (folder / COPY_TABLE).is_file():
        return _read_copy(folder, task)
    names, column = (_PLANES, "Plane") if task == "planes" else (_SUBPLANES, "Brain_plane")
    try:
        with (folder / TABLE).open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines, delimiter=";"))
        found = [(row["Image_name"], row[column], row["Patient_num"]) for row in rows]
    except OSError as error:
        raise ConfigError(f"{folder}: no {TABLE} in it; name the folder of FETAL_PLANES_DB") from error
    except (KeyError, TypeError, csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"{folder / TABLE}: wanted the columns Image_name, {column} and Patient_num") from error
    if task == "planes" and (strange := {label for _, label, _ in found} - _PLANES.keys()):
        raise ConfigError(f"{folder / TABLE}: unknown plane {sorted(strange)[0]!r}")
    return [
        LabelledPicture(folder / "Images" / f"{name}.png", names[label], patient_of(patient))
        for name, label, patient in found
        if label in names
    ]


def _read_copy(folder: Path, task: Task) -> list[LabelledPicture]:
    names, column = (_PLANES, "plane") if task == "planes" else (_SUBPLANES, "brain_plane")
    try:
        with (folder / COPY_TABLE).open(newline="", encoding="utf-8-sig") as lines:
            return [
                LabelledPicture(
                    folder / row["file"],
                    names[row[column]],
                    patient_of(row["patient"]),
                    (int(row["orig_width"]), int(row["orig_height"])),
                )
                for row in csv.DictReader(lines)
                if row[column] in names
            ]
    except (KeyError, TypeError, ValueError, csv.Error, UnicodeDecodeError, OSError) as error:
        wanted = f"file, {column}, patient, orig_width and orig_height"
        raise ConfigError(f"{folder / COPY_TABLE}: wanted the columns {wanted}") from error


def head_outputs_of(
    pipeline: LoadedPipeline, pictures: Sequence[LabelledPicture], progress: Callable[[], object] = lambda: None
) -> list[HeadOutputs]:
    """Run the model on the pictures and return its outputs in their order.

    Raises:
        ConfigError: an image is missing or cannot be read, or the model's output is not finite.
    """
    found: list[HeadOutputs] = []
    for start in range(0, len(pictures), _BATCH):
        some = pictures[start : start + _BATCH]
        items = [Item(read_picture(picture.path, pipeline.model.image_size, picture.size).pixels) for picture in some]
        for scores in pipeline.encoder.submit(items).result():
            if scores is None:
                raise ConfigError(
                    f"{pipeline.model.config.name} gave numbers that are not finite; nothing can be judged"
                )
            found.append(scores)
            progress()
    return found


def predictions_of(
    pipeline: LoadedPipeline, pictures: Sequence[LabelledPicture], scores: Sequence[HeadOutputs], task: Task
) -> Predictions:
    """Predict the likeliest label of each picture by a softmax without "other", as published.

    The predictions also hold the probability of any standard plane, by the model's own rejection of "other".

    Args:
        pipeline: the model.
        pictures: at least one picture.
        scores: outputs of `head_outputs_of`.
        task: which labels are predicted.

    Raises:
        ConfigError: the prompts have no such labels, or there is no picture.
    """
    labels = pipeline.banks.plane_labels if task == "planes" else pipeline.banks.subplane_labels
    if not labels:
        raise ConfigError("these prompts have no subplanes.json: subplanes cannot be told with them")
    if not pictures:
        raise ConfigError(f"the table lists no picture for {task}")
    probabilities = np.stack([label_probabilities(_cosines(each, task)) for each in scores])
    rejector = pipeline.model_info.rejector
    other = [float(rejector.probabilities(each.plane_cosines, each.other_cosine)[-1]) for each in scores]
    return Predictions(
        truth=np.array([picture.truth for picture in pictures]),
        predicted=np.array(labels)[probabilities.argmax(axis=1)],
        groups=tuple(picture.patient for picture in pictures),
        files=tuple(picture.path.name for picture in pictures),
        labels=labels,
        probabilities=probabilities,
        standard=1 - np.array(other) if task == "planes" else None,
    )


def _cosines(scores: HeadOutputs, task: Task) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return scores.plane_cosines if task == "planes" else scores.subplane_cosines
