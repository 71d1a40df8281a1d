"""Finds the scan region on a scanner's screen from a few frames: where it moves or has texture, fitted by a fan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from streamer.fan import Fan, Kind
from streamer.frame import Pixels

_COARSE_WIDTH: Final = 240
_OUTSIDE_COSTS: Final = 3.0  # a pixel of the scan left out weighs as much as this many empty ones taken in
_LEVELS: Final = (0, 2, 5)  # above the background: compressed screens carry faint noise round everything
_FLAT_LEVEL: Final = 9  # flat and brighter: drawn by the user interface
_MOVED_LEVELS: Final = 4
_LEAST_SHARE: Final = 0.06  # of the screen
_Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """A scan region that was found.

    Attributes:
        polygon: its outline ``(x, y)``, pixels of the frames, as edges between pixels.
        confidence: 0 to 1: how much of the outline is borne out by the picture.
        kind: what kind of probe draws such a region.
        interface: whether a user interface is drawn outside it.
    """

    polygon: tuple[tuple[float, float], ...]
    confidence: float
    kind: Kind
    interface: bool


def find_sector(pictures: Sequence[Pixels]) -> Found | None:
    """The scan region of frames of one layout, None where there is none to be seen.

    Args:
        pictures: one or more, uint8 ``(H, W)`` or ``(H, W, 3)``, all of one size; some tenths of a second apart is best.
    """
    grays = np.stack([_gray(picture) for picture in pictures])
    best: tuple[float, Fan, Pixels] | None = None
    for level in _LEVELS:
        scan = _scan_pixels(grays, level)
        if scan is None:
            continue
        fan = _fit(scan)
        confidence = _confidence(scan, fan)
        if best is None or confidence > best[0] + 0.02:
            best = (confidence, fan, scan)
    if best is None:
        return None
    confidence, fan, _ = best
    polygon = tuple(fan.polygon())
    if len(polygon) < 3:
        return None
    return Found(polygon, confidence, fan.kind(), _interface(grays[-1], polygon))


def _gray(picture: Pixels) -> Pixels:
    """Gray; coloured pixels are black, because B-mode has no colour and user interfaces have."""
    if picture.ndim == 2:
        return picture
    high, low = picture.max(axis=2), picture.min(axis=2)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.where(high.astype(np.int16) - low > 60, 0, gray).astype(np.uint8)


def _scan_pixels(grays: Pixels, level: int) -> Pixels | None:
    """255 where scan is seen, ``(H, W)``; None where there is too little to be one. ``grays``: ``(N, H, W)``."""
    brightest, darkest = grays.max(axis=0), grays.min(axis=0)
    moved = (brightest - darkest) >= _MOVED_LEVELS
    newest = grays[-1]
    background = int(np.bincount(newest.ravel(), minlength=256)[:64].argmax())
    background = background if background <= 2 else 0
    lit = newest > background + level
    # Drawn areas are even along their rows; echoes never are.
    rows = np.ones((1, 9), np.uint8)
    even = cv2.dilate(newest, rows).astype(np.int16) - cv2.erode(newest, rows) <= 1
    drawn = cv2.dilate((even & (newest >= _FLAT_LEVEL) & ~moved).astype(np.uint8), np.ones((3, 9), np.uint8))
    seen = ((lit & (drawn == 0)) | moved).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(seen, connectivity=4)
    if count < 2:
        return None
    areas = stats[1:, cv2.CC_STAT_AREA]
    # Letters and thumbnails are small beside the scan; parts of it that shadows cut off are not.
    large = np.flatnonzero(areas >= max(0.08 * areas.max(), 0.004 * seen.size)) + 1
    kept = np.isin(labels, large)
    return (kept * np.uint8(255)).astype(np.uint8) if kept.mean() >= _LEAST_SHARE / 2 else None


def _fit(scan: Pixels) -> Fan:
    """The fan that bears out best what is seen; coarse to fine."""
    height, width = scan.shape
    scale = min(1.0, _COARSE_WIDTH / width)
    coarse = cv2.resize(scan, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    starts = _starts(coarse)
    rough = min((_search(_weights(coarse), start, (16.0, 8.0, 4.0, 2.0, 1.0)) for start in starts), key=lambda r: r[0])
    half = min(1.0, 2 * scale) if width * scale * 2 < width else 1.0
    fan = rough[1]
    for finer, steps in ((half, (2.0, 1.0, 0.5)), (1.0, (2.0, 1.0, 0.5))):
        fan = _scaled(fan, finer / scale)
        scale = finer
        size = (round(width * scale), round(height * scale))
        picture = scan if scale == 1.0 else cv2.resize(scan, size, interpolation=cv2.INTER_AREA)
        fan = _search(_weights(np.asarray(picture, np.uint8)), fan, steps)[1]
    return fan


def _weights(scan: Pixels) -> _Array:
    """What taking a pixel in costs: above 0 where nothing is seen, far below where there is."""
    share = scan.astype(np.float32) / 255
    return 1.0 - (1.0 + _OUTSIDE_COSTS) * share


def _cost(weights: _Array, fan: Fan) -> float:
    polygon = fan.polygon()
    if len(polygon) < 3:
        return 0.0
    mask = np.zeros(weights.shape, np.uint8)
    corners = np.rint((np.array(polygon) - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(mask, [corners], (1,), shift=4)
    return cv2.mean(weights, mask)[0] * cv2.countNonZero(mask)


def _search(weights: _Array, fan: Fan, steps: Sequence[float]) -> tuple[float, Fan]:
    """Compass search: each number of the fan up and down by a step, then by smaller ones."""
    values = _values(fan)
    best = _cost(weights, fan)
    for step in steps:
        for _ in range(12):
            before = best
            for move in _MOVES:
                for sign in (step, -step):
                    tried = values + sign * move
                    cost = _cost(weights, _of_values(tried))
                    if cost < best - 1e-6:
                        best, values = cost, tried
                        break
            if best > before - 0.5:
                break
    return best, _of_values(values)


def _values(fan: Fan) -> npt.NDArray[np.float64]:
    return np.array([*fan.left, *fan.right, fan.near, fan.far, *fan.window], np.float64)


def _of_values(values: npt.NDArray[np.float64]) -> Fan:
    v: list[float] = values.tolist()
    return Fan((v[0], v[1]), (v[2], v[3]), v[4], v[5], (v[6], v[7], v[8], v[9]))


def _moves() -> list[npt.NDArray[np.float64]]:
    single = list(np.eye(10))
    names = ("lt", "lb", "rt", "rb", "near", "far", "l", "t", "r", "b")
    pairs = ({"lt": 1, "lb": 1}, {"rt": 1, "rb": 1}, {"lb": -1, "rb": 1}, {"lt": -1, "rt": 1}, {"lt": 1, "lb": -1},
             {"rt": 1, "rb": -1}, {"near": 1, "far": 1}, {"lt": -1, "lb": -1, "rt": 1, "rb": 1})  # fmt: skip
    return single + [np.array([float(pair.get(name, 0)) for name in names]) for pair in pairs]


_MOVES: Final = _moves()


def _scaled(fan: Fan, factor: float) -> Fan:
    return _of_values(_values(fan) * factor)


def _starts(scan: Pixels) -> list[Fan]:
    """Where the search begins: an upright box, edges as the hull has them, and a plain fan."""
    ys, xs = np.nonzero(scan > 127)
    left, right = (float(v) for v in np.percentile(xs, (0.3, 99.7)))
    top, bottom = (float(v) for v in np.percentile(ys, (0.3, 99.7)))
    window = (left, top, right + 1, bottom + 1)
    middle = np.abs(xs - (left + right) / 2) < 0.08 * (right - left) + 1
    near, far = (float(v) for v in np.percentile(ys[middle], (1, 99))) if middle.any() else (top, bottom)
    box = Fan((left, left), (right, right), top, bottom, window)
    centre, spread = (left + right) / 2, (right - left) / 2
    plain = Fan((centre - 0.25 * spread, left), (centre + 0.25 * spread, right), near, far + 1, window)
    starts = [box, plain]
    points = cv2.findNonZero((scan > 127).astype(np.uint8))
    hull = None if points is None else cv2.convexHull(points)[:, 0, :].astype(float)
    if hull is not None and len(hull) > 3:
        sides = [_side(hull, sign, window) for sign in (-1, 1)]
        starts.append(Fan(sides[0] or plain.left, sides[1] or plain.right, near, far + 1, window))
    return starts


def _side(hull: npt.NDArray[np.float64], sign: int, window: tuple[float, float, float, float]) -> tuple[float, float] | None:
    """x at the window's top and bottom of the longest edge of the hull that faces left (-1) or right (1)."""
    best: tuple[float, tuple[float, float]] | None = None
    for a, b in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        dx, dy = b - a
        length = math.hypot(dx, dy)
        # Along a side that widens downwards, x runs outwards as y grows.
        if abs(dy) < 0.35 * length or length < 5:
            continue
        slope = dx / dy
        outwards = slope * sign >= -0.02
        middle_x = (a[0] + b[0]) / 2
        beyond = (middle_x - (window[0] + window[2]) / 2) * sign > 0
        # The window's own edge is no edge of the fan, unless there is no other.
        weight = length * (0.5 if abs(slope) < 0.03 else 1.0)
        if outwards and beyond and (best is None or weight > best[0]):
            best = (weight, (float(a[0] + slope * (window[1] - a[1])), float(a[0] + slope * (window[3] - a[1]))))
    return None if best is None else best[1]


def _confidence(scan: Pixels, fan: Fan) -> float:
    """How much of the scan lies inside, how much of the inside is scan, and how much of the outline is borne out."""
    polygon = fan.polygon()
    if len(polygon) < 3:
        return 0.0
    inside = np.zeros(scan.shape, np.uint8)
    cv2.fillPoly(inside, [np.rint((np.array(polygon) - 0.5) * 16).astype(np.int32)], (255,), shift=4)
    area = cv2.countNonZero(inside)
    if area < _LEAST_SHARE * scan.size:
        return 0.0
    both = cv2.countNonZero(cv2.bitwise_and(scan, inside))
    caught = both / max(1, cv2.countNonZero(scan))
    return float(caught**2 * min(1.0, both / area * 1.4))


def _interface(gray: Pixels, polygon: Sequence[tuple[float, float]]) -> bool:
    """Whether letters and the like are drawn outside the region."""
    outside = np.full(gray.shape, 255, np.uint8)
    cv2.fillPoly(outside, [np.rint(np.array(polygon)).astype(np.int32)], (0,))
    outside = cv2.erode(outside, np.ones((7, 7), np.uint8))
    drawn = ((gray > 100) & (outside > 0)).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(drawn)
    small = (stats[1:, cv2.CC_STAT_WIDTH] <= gray.shape[1] // 20) & (stats[1:, cv2.CC_STAT_HEIGHT] <= gray.shape[0] // 20)
    return int((small & (stats[1:, cv2.CC_STAT_AREA] >= 4)).sum()) >= 8
