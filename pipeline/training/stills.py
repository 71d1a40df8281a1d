"""Training stills are square gray pictures with labels: frames of phantom scans with their truth, and real pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.training.real_pictures import RealPicture
from fetalstream.streamer.phantom.source import PhantomSource, Truth
from fetalstream.streamer.phantom.tour import FIRST_TRAINING_SEED, RATE_HZ

STILL_SIDE: Final = 192
"""Side of phantom stills, pixels."""

REAL_SIDE: Final = 288
"""Side of real stills, pixels: half as large again as the model's input, so that they may be magnified."""

StillPixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TrainingStill:
    """A square gray picture with its labels.

    Attributes:
        picture: uint8 ``(side, side)``, padded with black.
        label: plane or "other".
        subplane: subplane of the brain, or None.
        head_px: head circumference in pixels of the still; None without a measurable head.
        real: True if it comes from a scanner, False if from the phantom.
        in_plane: 0 to 1, how well ``body`` is hit; None if unknown.
        body: plane that is hit or missed; None without one in view.
        head_mask: uint8 ``(side, side)``, not 0 within the skull; None if unknown.
    """

    picture: StillPixels
    label: str
    subplane: str | None
    head_px: float | None
    real: bool
    in_plane: float | None = None
    body: str | None = None
    head_mask: StillPixels | None = None


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


def real_still(picture: RealPicture) -> TrainingStill:
    """Pad a real picture to a square of ``REAL_SIDE`` pixels."""
    pixels, scale = square(picture.pixels, REAL_SIDE)
    head_px = None if picture.head_px is None else picture.head_px * scale
    mask = None if picture.head_mask is None else square(picture.head_mask, REAL_SIDE)[0]
    return TrainingStill(pixels, picture.label, picture.subplane, head_px, real=True, head_mask=mask)
