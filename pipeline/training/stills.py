"""Training stills of ``mini`` come from phantom scans with their truth, and from the real heads of HC18."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.streamer.phantom.source import PhantomSource, Truth
from fetalstream.streamer.phantom.tour import FIRST_TRAINING_SEED, RATE_HZ

STILL_SIDE = 192  # stills are kept as zero-padded squares of this side
VALIDATION_SHARE = 0.2

StillPixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TrainingStill:
    """A square gray picture with its labels.

    Attributes:
        picture: uint8 ``(192, 192)``.
        label: plane or "other".
        subplane: subplane of the brain, or None.
        head_px: head circumference in pixels of the still; None without a measurable head.
        real: True if it comes from a scanner, False if from the phantom.
        in_plane: 0 to 1, how well ``body`` is hit; None if unknown.
        body: plane that is hit or missed; None without one in view.
    """

    picture: StillPixels
    label: str
    subplane: str | None
    head_px: float | None
    real: bool
    in_plane: float | None = None
    body: str | None = None


def square(pixels: StillPixels, side: int = STILL_SIDE) -> tuple[StillPixels, float]:
    """Pad with black to a square (the smaller half at the left and top) and resize; return it and the scale used."""
    height, width = pixels.shape
    edge = max(height, width)
    padded = np.zeros((edge, edge), np.uint8)
    top, left = (edge - height) // 2, (edge - width) // 2
    padded[top : top + height, left : left + width] = pixels
    return cv2.resize(padded, (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8), side / edge


def phantom_stills(seeds: range, per_seed: int, tour_seconds: float = 75.0) -> Iterator[TrainingStill]:
    """Yield frames of training scans: 40% on their plane, 40% "other", 20% between the two.

    Frames between a plane and "other" get the label that they are nearer to.

    Raises:
        ValueError: a seed is reserved for evaluation.
    """
    if seeds.start < FIRST_TRAINING_SEED:
        raise ValueError(f"seeds below {FIRST_TRAINING_SEED} are for evaluation only, got {seeds.start}")
    for seed in seeds:
        rng = np.random.default_rng(seed)
        source = PhantomSource(seed)
        wanted = {"plane": math.ceil(0.4 * per_seed), "other": math.ceil(0.4 * per_seed)}
        wanted["between"] = max(0, per_seed - sum(wanted.values()))
        for _ in range(50 * per_seed):
            truth = source.truth(int(rng.integers(round(tour_seconds * RATE_HZ))))
            kind = "between" if truth.label is None else "other" if truth.label == "other" else "plane"
            if wanted[kind]:
                wanted[kind] -= 1
                yield _still(source, truth)
            if not any(wanted.values()):
                break


def _still(source: PhantomSource, truth: Truth) -> TrainingStill:
    picture, scale = square(source.frame(truth.index).pixels)
    label = (truth.plane if truth.plane and truth.in_plane > 0.5 else "other") if truth.label is None else truth.label
    head_px = truth.hc_mm / truth.spacing_mm * scale if truth.label == "brain" else None
    subplane = truth.subplane if head_px else None
    return TrainingStill(
        picture, label, subplane, head_px, False, truth.in_plane, truth.plane if truth.in_plane > 0 else None
    )


def exam_of(file_name: str) -> str:
    """Return the exam of an HC18 picture from its name, ``<exam>_HC.png`` or ``<exam>_2HC.png``."""
    return file_name.split("_", 1)[0]


def is_validation_exam(exam: str) -> bool:
    """Return whether an exam is in the validation fifth, by a hash of its number: the same on every machine."""
    return int(hashlib.sha256(f"hc18:{exam}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF < VALIDATION_SHARE


@dataclass(frozen=True)
class Hc18Row:
    """One picture of HC18: its file, ``spacing_mm`` (mm a pixel of the file) and head circumference ``hc_mm``."""

    path: Path
    exam: str
    spacing_mm: float
    hc_mm: float


def hc18_rows(folder: Path, *, validation: bool) -> list[Hc18Row]:
    """Read the pictures of the training exams, or of the validation exams, in the order of ``labels.csv``.

    Raises:
        FileNotFoundError: the folder has no ``labels.csv``.
    """
    with (folder / "labels.csv").open(newline="") as lines:
        rows = [
            Hc18Row(folder / "images" / r["image"], exam_of(r["image"]), float(r["pixel_size_mm"]), float(r["hc_mm"]))
            for r in csv.DictReader(lines)
        ]
    return [row for row in rows if is_validation_exam(row.exam) == validation]


def hc18_still(row: Hc18Row) -> TrainingStill:
    """Read a real head as a still.

    Raises:
        FileNotFoundError: the picture cannot be read.
    """
    pixels = cv2.imread(str(row.path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise FileNotFoundError(f"cannot read {row.path.name}")
    picture, scale = square(pixels.astype(np.uint8))
    return TrainingStill(picture, "brain", None, row.hc_mm / row.spacing_mm * scale, real=True)


def hc18_background(row: Hc18Row, rng: np.random.Generator) -> TrainingStill:
    """Crop real tissue between or inside the structures, magnified so that it shows no plane.

    Raises:
        FileNotFoundError: the picture cannot be read.
    """
    pixels = cv2.imread(str(row.path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise FileNotFoundError(f"cannot read {row.path.name}")
    head_px = row.hc_mm / row.spacing_mm
    side = int(np.clip(head_px / math.pi * rng.uniform(0.28, 0.5), 40, min(pixels.shape)))
    best: StillPixels = pixels[:side, :side].astype(np.uint8)
    for _ in range(6):  # a lit crop, if one is found
        y, x = int(rng.integers(pixels.shape[0] - side + 1)), int(rng.integers(pixels.shape[1] - side + 1))
        crop = pixels[y : y + side, x : x + side].astype(np.uint8)
        if crop.mean() > best.mean() or rng.random() < 0.3:
            best = crop
    wide = cv2.resize(best, (STILL_SIDE, STILL_SIDE), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return TrainingStill(wide, "other", None, None, real=True)
