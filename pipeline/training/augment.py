"""Augmentation changes stills in ways that keep their labels: zoom, rotation, shift, mirror, gain, blur, occlusion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.training.stills import STILL_SIDE, StillPixels, TrainingStill


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

    picture: npt.NDArray[np.float32]
    label: str
    subplane: str | None
    head_px: float | None
    in_plane: float | None = None
    body: str | None = None


def augment(still: TrainingStill, side: int, rng: np.random.Generator) -> Sample:
    """Make a random variant of a still; the head circumference follows the zoom."""
    zoom = float(np.exp(rng.uniform(np.log(0.72), np.log(1.25))))
    turn = float(rng.uniform(-28, 28) if still.real else rng.uniform(-10, 10))
    picture = _warp(still.picture, side, zoom, turn, rng.normal(0, 0.03 * side, 2))
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    if rng.random() < 0.5 and still.real:
        picture = picture[::-1]
    picture = _tone(picture, rng)
    _cover(picture, rng)
    head_px = None if still.head_px is None else still.head_px * zoom * side / STILL_SIDE
    return Sample(picture, still.label, still.subplane, head_px, still.in_plane, still.body)


def plain(still: TrainingStill, side: int) -> Sample:
    """Resize a still without augmentation, for validation."""
    picture = cv2.resize(still.picture, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    head_px = None if still.head_px is None else still.head_px * side / STILL_SIDE
    return Sample(picture, still.label, still.subplane, head_px, still.in_plane, still.body)


def clutter(side: int, rng: np.random.Generator) -> Sample:
    """Draw a picture of no anatomy, speckled shapes and bands, so that bright outlines alone do not make a plane."""
    canvas = np.full((side, side), float(rng.uniform(0, 110)), np.float32)
    for _ in range(int(rng.integers(1, 9))):
        centre = tuple(int(v) for v in rng.integers(0, side, 2))
        axes = tuple(int(v) for v in rng.integers(2, side // 2, 2))
        shade, turn = (float(rng.uniform(0, 255)),), float(rng.uniform(0, 360))
        start = float(rng.uniform(0, 360))
        stop = start + float(rng.uniform(40, 400))
        width = -1 if rng.random() < 0.35 else int(rng.integers(1, 5))
        match int(rng.integers(3)):
            case 0:
                cv2.ellipse(canvas, centre, axes, turn, start, stop, shade, width, cv2.LINE_AA)
            case 1:
                far = tuple(int(v) for v in rng.integers(0, side, 2))
                cv2.line(canvas, centre, far, shade, abs(width), cv2.LINE_AA)
            case _:
                points = rng.integers(0, side, (int(rng.integers(3, 7)), 2)).astype(np.int32)
                cv2.polylines(canvas, [points], False, shade, abs(width), cv2.LINE_AA)
    noise = cv2.GaussianBlur(rng.standard_normal((side, side)).astype(np.float32), (0, 0), float(rng.uniform(0.5, 3)))
    canvas = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.4, 2.5))).astype(np.float32)
    canvas *= 1 + noise / noise.std() * float(rng.uniform(0.05, 0.4))
    canvas[: int(rng.uniform(0, 0.3) * side)] = 0
    canvas[int(rng.uniform(0.7, 1.0) * side) :] = 0
    picture = np.clip(canvas / 255, 0, 1).astype(np.float32)
    if rng.random() < 0.5:
        picture = picture.T.copy()
    return Sample(picture, "other", None, None)


def _warp(
    picture: StillPixels, side: int, zoom: float, turn: float, shift: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    middle = STILL_SIDE / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), turn, zoom * side / STILL_SIDE)
    matrix[:, 2] += side / 2 - middle + shift
    # The shrink from 192 to 128 is below 2, and a slight blur first keeps it free of aliasing.
    soft = cv2.GaussianBlur(picture, (0, 0), 0.55)
    return cv2.warpAffine(soft, matrix, (side, side), flags=cv2.INTER_LINEAR).astype(np.float32) / np.float32(255)


def _tone(picture: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    bent = np.power(picture, np.float32(rng.uniform(0.7, 1.5))) * np.float32(rng.uniform(0.65, 1.35))
    out = bent.astype(np.float32)
    if rng.random() < 0.4:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.3, 1.1))).astype(np.float32)
    if rng.random() < 0.4:
        out = out + rng.normal(0, float(rng.uniform(0.005, 0.05)), out.shape).astype(np.float32)
    return np.clip(out, 0, 1).astype(np.float32)


def _cover(picture: npt.NDArray[np.float32], rng: np.random.Generator) -> None:
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
