"""HC18 (Zenodo 1322001) is evaluated here by the published protocol: ages of real heads."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.ages import AgeRows
from fetalstream.pipeline.evaluation.pictures import read_picture
from fetalstream.pipeline.inference.encoder import Item
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.model.preprocess import input_spacing_mm

_LAYOUTS: Final = (
    ("training_set_pixel_size_and_HC.csv", "training_set", "filename", "pixel size(mm)", "head circumference (mm)"),
    ("labels.csv", "images", "image", "pixel_size_mm", "hc_mm"),
)
_BATCH: Final = 8


@dataclass(frozen=True)
class Head:
    """One picture of a head: its file, mm per pixel of the file, and head circumference in mm."""

    path: Path
    spacing_mm: float
    hc_mm: float


def read_heads(folder: Path, keep: Callable[[str], bool] = lambda _: True) -> list[Head]:
    """Read the table of the published data set (or of a smaller copy with ``labels.csv``), in its order.

    Args:
        folder: the folder of the table and the images.
        keep: returns whether an exam (the number before ``_`` in a file's name) is kept.

    Raises:
        ConfigError: there is no such table, or it has other columns.
    """
    for table, images, name, spacing, hc in _LAYOUTS:
        if not (folder / table).is_file():
            continue
        try:
            with (folder / table).open(newline="", encoding="utf-8-sig") as lines:
                rows = [Head(folder / images / r[name], float(r[spacing]), float(r[hc])) for r in csv.DictReader(lines)]
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise ConfigError(f"{folder / table}: wanted the columns {name}, {spacing} and {hc}") from error
        return [head for head in rows if keep(head.path.name.split("_", 1)[0])]
    raise ConfigError(f"{folder}: no {_LAYOUTS[0][0]} in it; name the folder of the HC18 data set")


def age_rows(pipeline: LoadedPipeline, heads: Sequence[Head], progress: Callable[[], object] = lambda: None) -> AgeRows:
    """Score every head with the sentences of the picture's own spacing.

    Raises:
        ConfigError: an image is missing or cannot be read, or the model's output is not finite.
    """
    rows: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
    shapes: list[tuple[int, int]] = []
    for start in range(0, len(heads), _BATCH):
        items: list[Item] = []
        for head in heads[start : start + _BATCH]:
            picture = read_picture(head.path, pipeline.model.image_size)
            shapes.append((picture.height, picture.width))
            spacing_mm = input_spacing_mm(picture.height, picture.width, head.spacing_mm, pipeline.model.image_size)
            items.append(Item(picture.pixels, pipeline.banks.gestation(spacing_mm)))
        for scores in pipeline.encoder.submit(items).result():
            if scores is None or scores.gestation_row is None:
                raise ConfigError(
                    f"{pipeline.model.config.name} gave numbers that are not finite; nothing can be judged"
                )
            rows.append(scores.gestation_row)
            progress()
    return AgeRows(
        np.stack(rows),
        tuple(head.path.name for head in heads),
        np.array([head.hc_mm for head in heads]),
        np.array([width * head.spacing_mm for (_, width), head in zip(shapes, heads, strict=True)]),
        np.array([height / width for height, width in shapes]),
    )
