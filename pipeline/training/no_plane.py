"""Pictures without a standard plane are made of real ones: pieces, halves, shuffled tiles, blur, shadow, bare speckle.

Real pictures without a plane are few, and most of them are of blood vessels. What is made here has the texture of real
tissue and no plane that could be named, so that texture and bright outlines alone do not make a plane.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from fetalstream.pipeline.training.augment import Picture, Sample, finished, speckle_fan, warped
from fetalstream.pipeline.training.stills import TrainingStill
from fetalstream.pipeline.wire import OTHER


def no_plane(stills: Sequence[TrainingStill], side: int, rng: np.random.Generator) -> Sample:
    """Make one picture without a plane of real stills, which may show planes."""
    still = stills[int(rng.integers(len(stills)))]
    picture = _MAKERS[int(rng.choice(len(_MAKERS), p=_SHARES))](still, stills, side, rng)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    return Sample(finished(picture, rng), OTHER, None, None)


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
    return Sample(picture, OTHER, None, None)


def _piece(still: TrainingStill, _: Sequence[TrainingStill], side: int, rng: np.random.Generator) -> Picture:
    """Magnify a lit piece; a heart is small, so pieces of hearts are smaller."""
    share = rng.uniform(0.10, 0.17) if still.label == "heart" else rng.uniform(0.13, 0.28)
    edge = int(share * len(still.picture))
    best = still.picture[:edge, :edge]
    for _try in range(6):
        y, x = (int(v) for v in rng.integers(0, len(still.picture) - edge, 2))
        crop = still.picture[y : y + edge, x : x + edge]
        if crop.mean() > best.mean() or rng.random() < 0.3:
            best = crop
    wide = cv2.resize(best, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32) / np.float32(255)
    if rng.random() < 0.5:
        wide = wide * (speckle_fan(side, 1.0, rng) > 0)
    return wide.astype(np.float32)


def _tiles(still: TrainingStill, stills: Sequence[TrainingStill], side: int, rng: np.random.Generator) -> Picture:
    """Shuffle the tiles of two pictures, and hide the seams."""
    count = int(rng.integers(3, 6))
    edge = side // count + 1
    other = stills[int(rng.integers(len(stills)))]
    zoom = float(rng.uniform(0.9, 1.4))
    both = [warped(each.picture, edge * count, zoom, float(rng.normal(0, 20)), np.zeros(2)) for each in (still, other)]
    places = rng.permutation(count * count)
    out = np.zeros_like(both[0])
    weight = np.zeros((edge * count, edge * count), np.float32)
    for at, taken in enumerate(places):
        (row, column), (y, x) = divmod(at, count), divmod(int(taken), count)
        tile = both[int(rng.integers(2))][y * edge : (y + 1) * edge, x * edge : (x + 1) * edge]
        out[row * edge : (row + 1) * edge, column * edge : (column + 1) * edge] = tile
    weight[::edge], weight[:, ::edge] = 1, 1
    seam = cv2.GaussianBlur(weight, (0, 0), 2.0)
    seam /= seam.max()
    soft = cv2.GaussianBlur(out, (0, 0), 4.0)
    return (out * (1 - seam) + soft * seam)[:side, :side].astype(np.float32)


def _edge_of_it(still: TrainingStill, _: Sequence[TrainingStill], side: int, rng: np.random.Generator) -> Picture:
    """Move the picture until most of what was in its middle lies outside."""
    zoom, turn = float(rng.uniform(1.0, 1.6)), float(rng.normal(0, 20))
    angle = float(rng.uniform(0, 2 * np.pi))
    far = float(rng.uniform(0.52, 0.75)) * side * zoom**0.5
    return warped(still.picture, side, zoom, turn, far * np.array((np.cos(angle), np.sin(angle))))


def _blurred(still: TrainingStill, _: Sequence[TrainingStill], side: int, rng: np.random.Generator) -> Picture:
    """Blur until nothing can be recognised."""
    picture = warped(still.picture, side, float(rng.uniform(0.8, 1.3)), float(rng.normal(0, 15)), np.zeros(2))
    soft = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(7, 14)), sigmaY=float(rng.uniform(4, 12)))
    noise = rng.standard_normal((side, side)).astype(np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), float(rng.uniform(0.6, 1.5)))
    return (soft * (1 + float(rng.uniform(0.0, 0.5)) * grain / grain.std())).clip(0, 1).astype(np.float32)


def _shadowed(still: TrainingStill, _: Sequence[TrainingStill], side: int, rng: np.random.Generator) -> Picture:
    """Leave a strip near the probe, or a column, and hide the rest in shadow."""
    picture = warped(still.picture, side, float(rng.uniform(0.9, 1.3)), float(rng.normal(0, 10)), np.zeros(2))
    kept, soft = np.zeros((side, side), np.float32), float(rng.uniform(2, 10))
    if rng.random() < 0.5:
        kept[: int(side * rng.uniform(0.12, 0.36))] = 1
    else:
        start = int(side * rng.uniform(0.0, 0.8))
        kept[:, start : start + int(side * rng.uniform(0.1, 0.24))] = 1
    return (picture * (0.06 + 0.94 * cv2.GaussianBlur(kept, (0, 0), soft))).astype(np.float32)


def _flattened(still: TrainingStill, _: Sequence[TrainingStill], side: int, rng: np.random.Generator) -> Picture:
    """Squeeze along one direction to less than half, so that outlines have no shape of a body."""
    picture = warped(still.picture, side, float(rng.uniform(1.6, 2.4)), float(rng.uniform(-90, 90)), np.zeros(2))
    height = int(side * rng.uniform(0.3, 0.45))
    flat = cv2.resize(picture, (side, height), interpolation=cv2.INTER_AREA)
    rows = np.clip(np.arange(side) - int(rng.integers(0, side - height)), -1, height)
    tall = np.vstack([flat[::-1], flat, flat[::-1]])
    return tall[np.clip(rows + height, 0, 3 * height - 1)].astype(np.float32)


def _speckle(_still: TrainingStill, _: Sequence[TrainingStill], side: int, rng: np.random.Generator) -> Picture:
    """Draw speckle alone."""
    return speckle_fan(side, float(rng.uniform(0.05, 0.4)), rng)


_MAKERS = (_piece, _tiles, _edge_of_it, _blurred, _shadowed, _flattened, _speckle)
_SHARES = (0.26, 0.2, 0.2, 0.07, 0.1, 0.08, 0.09)
