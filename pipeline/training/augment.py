"""Augmentation changes stills in ways that keep their labels: zoom, rotation, shift, mirror, gain, blur, occlusion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.training.stills import TrainingStill

Picture = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """One sample of a training step; its labels are those of `TrainingStill`.

    Attributes:
        picture: float32 ``(side, side)``, 0 to 1.
        label: plane or "other".
        subplane: subplane of the brain, or None.
        head_px: head circumference in pixels of ``picture``; None without a measurable head.
        in_plane: 0 to 1, how well ``body`` is hit; None if unknown.
        body: plane that is hit or missed; None without one in view.
    """

    picture: Picture
    label: str
    subplane: str | None
    head_px: float | None
    in_plane: float | None = None
    body: str | None = None


def augment(still: TrainingStill, side: int, rng: np.random.Generator) -> Sample:
    """Make a random variant of a still; the head circumference follows the zoom."""
    zoom = float(np.exp(rng.uniform(np.log(0.70), np.log(1.30))))
    picture = warped(still.picture, side, zoom, _turn(still.real, rng), rng.normal(0, 0.045 * side, 2))
    picture = finished(_mirrored(picture, still.real, rng), rng)
    head_px = None if still.head_px is None else still.head_px * zoom * side / len(still.picture)
    return Sample(picture, still.label, still.subplane, head_px, still.in_plane, still.body)


def framed_head(still: TrainingStill, side: int, rng: np.random.Generator) -> Sample:
    """Show a real head at 0.35 to 1.2 of its size, in a fan of speckle, on black, or cut out of its surroundings.

    Args:
        still: a head with ``head_px``; it is cut out only if it has a ``head_mask``.
        side: pixels per side of the sample.
        rng: source of what is random.
    """
    zoom = float(np.exp(rng.uniform(np.log(0.33), np.log(1.22))))
    turn = _turn(True, rng)
    room = max(0.0, 0.5 - 0.45 * zoom) * side  # a small head may lie anywhere
    shift = rng.uniform(-room, room, 2) + rng.normal(0, 0.03 * side, 2)
    picture = warped(still.picture, side, zoom, turn, shift)
    if rng.random() < 0.75:
        if still.head_mask is not None and rng.random() < 0.6:  # the head alone, with a margin of what lies next to it
            margin = int(rng.uniform(0.02, 0.14) * len(still.picture)) * 2 + 1
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin))
            mask = cv2.dilate(still.head_mask, kernel)
        else:  # all that its scanner drew
            mask = (cv2.blur(still.picture, (9, 9)) > 2).astype(np.uint8) * 255
        shown = warped(mask.astype(np.uint8), side, zoom, turn, shift)
        shown = cv2.GaussianBlur(shown, (0, 0), float(rng.uniform(0.8, 4.0)))
        level = float(rng.uniform(0.3, 1.3)) * max(float(np.median(picture[picture > 0.02], axis=None)), 0.05)
        picture = picture * shown + speckle_fan(side, level, rng) * (1 - shown)
        picture = picture.astype(np.float32)
    picture = finished(_mirrored(picture, True, rng), rng)
    head_px = (still.head_px or 0.0) * zoom * side / len(still.picture)
    return Sample(picture, still.label, still.subplane, head_px)


def speckle_fan(side: int, level: float, rng: np.random.Generator) -> Picture:
    """Draw a sector of speckle with layers and shadows, and no anatomy; ``level`` is its mean gray, 0 to 1."""
    grain = rng.standard_normal((2, side, side)).astype(np.float32)
    size = float(rng.uniform(0.5, 1.6))
    noise = np.hypot(
        cv2.GaussianBlur(grain[0], (0, 0), size * 1.6, sigmaY=size), cv2.GaussianBlur(grain[1], (0, 0), size)
    )
    noise /= noise.mean()
    few = int(rng.integers(3, 9))
    patches = rng.uniform(0.1, 1.9, (few, few)).astype(np.float32)
    field = cv2.resize(patches, (side, side), interpolation=cv2.INTER_CUBIC).clip(0.05, None)
    columns = cv2.resize(rng.uniform(0.3, 1.3, (1, 7)).astype(np.float32), (side, 1), interpolation=cv2.INTER_CUBIC)
    fan = noise * field * (columns if rng.random() < 0.5 else 1.0) * level
    if rng.random() < 0.7:
        apex = np.array((side * rng.uniform(0.4, 0.6), -side * rng.uniform(0.02, 0.6)))
        half = float(rng.uniform(25, 55))
        shape = np.zeros((side, side), np.uint8)
        radius = int(side * rng.uniform(1.0, 1.7))
        cv2.ellipse(shape, (int(apex[0]), int(apex[1])), (radius, radius), 90, -half, half, (255,), -1)
        fan = fan * (shape / 255)
    return fan.clip(0, 1).astype(np.float32)


def plain(still: TrainingStill, side: int) -> Sample:
    """Resize a still without augmentation, for validation."""
    picture = cv2.resize(still.picture, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    head_px = None if still.head_px is None else still.head_px * side / len(still.picture)
    return Sample(picture, still.label, still.subplane, head_px, still.in_plane, still.body)


def warped(
    picture: npt.NDArray[np.uint8], side: int, zoom: float, turn: float, shift: npt.NDArray[np.float64]
) -> Picture:
    """Zoom and turn (degrees) about the middle, then shift (pixels of the result); return (side, side), 0 to 1."""
    middle = len(picture) / 2
    scale = zoom * side / len(picture)
    matrix = cv2.getRotationMatrix2D((middle, middle), turn, scale)
    matrix[:, 2] += side / 2 - middle + shift
    # A blur before the shrinking keeps it free of aliasing.
    soft = cv2.GaussianBlur(picture, (0, 0), 0.42 / scale) if scale < 0.95 else picture
    return cv2.warpAffine(soft, matrix, (side, side), flags=cv2.INTER_LINEAR).astype(np.float32) / np.float32(255)


def finished(picture: Picture, rng: np.random.Generator) -> Picture:
    """Change gain, contrast, sharpness and noise, and cover parts."""
    picture = _tone(picture, rng)
    _cover(picture, rng)
    return picture


def _turn(real: bool, rng: np.random.Generator) -> float:
    if not real:
        return float(rng.uniform(-10, 10))
    return float(rng.uniform(-180, 180) if rng.random() < 0.15 else rng.normal(0, 14))


def _mirrored(picture: Picture, real: bool, rng: np.random.Generator) -> Picture:
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    if real and rng.random() < 0.15:
        picture = picture[::-1]
    return picture


def _tone(picture: Picture, rng: np.random.Generator) -> Picture:
    bent = np.power(picture.clip(0, 1), np.float32(rng.uniform(0.65, 1.6))) * np.float32(rng.uniform(0.6, 1.4))
    out = bent.astype(np.float32)
    if rng.random() < 0.35:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.3, 1.3))).astype(np.float32)
    if rng.random() < 0.4:
        out = out + rng.normal(0, float(rng.uniform(0.005, 0.05)), out.shape).astype(np.float32)
    if rng.random() < 0.3:  # a window: what is dark becomes black
        floor = float(rng.uniform(0.0, 0.12))
        out = (out - floor) / (1 - floor)
    return np.clip(out, 0, 1).astype(np.float32)


def _cover(picture: Picture, rng: np.random.Generator) -> None:
    """Cover parts with black boxes, as in anonymised scans, and cut off edges, as in narrower sectors."""
    side = len(picture)
    if rng.random() < 0.35:
        height, width = (int(v) for v in rng.integers(side // 10, side // 4, 2))
        y = 0 if rng.random() < 0.3 else side - height - int(rng.integers(0, side // 5))
        x = int(rng.choice((0, side - width)))
        picture[y : y + height, x : x + width] = 0
    if rng.random() < 0.25:
        edge = int(rng.integers(1, side // 7))
        if rng.random() < 0.5:
            picture[:, :edge] = 0
        else:
            picture[:, -edge:] = 0
