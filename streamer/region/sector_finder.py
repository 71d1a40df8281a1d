"""Finds the scan region on a scanner's screen from a few frames: a fan is fitted to what moves or has texture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.region.fan import Fan, FanKind, Point, clipped

_COARSE_WIDTH: Final = 240
_FINE_WIDTH: Final = 960  # a larger width costs time and adds nothing
_OUTSIDE_COSTS: Final = 3.0  # a pixel of the scan left out weighs as much as this many empty ones taken in
_DRAWN_COSTS: Final = 4.0  # and a pixel of the user interface taken in as much as this many
_LEVELS: Final = (0, 2, 5)  # above the background: compressed screens carry faint noise round everything
_FLAT_LEVEL: Final = 9  # flat and brighter: drawn by the user interface
_BORNE_OUT: Final = 0.75  # of an edge, to believe it
_IN_SHADOW: Final = 0.55  # of an edge, and less: it may lie elsewhere
_LEANS: Final = 0.06  # sideways for every pixel down
_DRAWN_SHARE: Final = 0.002
_SURE: Final = 0.97
_MOVED_LEVELS: Final = 4
_LEAST_SHARE: Final = 0.06  # of the screen
_MOVING_AREA: Final = 0.0005  # of the screen: what moves and is larger than a clock is scan
_LETTERS: Final = 8  # small bright marks outside the region make up a user interface
_Array = npt.NDArray[np.float32]
_Window = tuple[float, float, float, float]


@dataclass(frozen=True)
class FoundSector:
    """A scan region that was found.

    Attributes:
        polygon: its outline ``(x, y)``, pixels of the frames, as edges between pixels.
        confidence: 0 to 1: how much of the outline is borne out by the picture.
        kind: what kind of probe draws such a region.
        interface: whether a user interface is drawn outside it.
    """

    polygon: tuple[tuple[float, float], ...]
    confidence: float
    kind: FanKind
    interface: bool


def find_sector(pictures: Sequence[Pixels]) -> FoundSector | None:
    """Find the scan region of frames of one layout; None if none is to be seen.

    Args:
        pictures: one or more, uint8 ``(H, W)`` or ``(H, W, 3)``, all of one size; best some tenths of a second apart.
    """
    grays = np.stack([_gray(picture) for picture in pictures])
    best: tuple[float, Fan] | None = None
    for level in _LEVELS:
        scan, drawn = _scan_and_interface(grays, level)
        if cv2.countNonZero(scan) < _LEAST_SHARE / 2 * scan.size:
            continue
        fan = _fit(scan, drawn)
        confidence = _confidence(scan, fan)
        if best is None or confidence > best[0] + 0.02:
            best = (confidence, fan)
        if confidence >= _SURE:
            break
    if best is None:
        return None
    confidence, fan = best
    height, width = grays.shape[1:]
    within = clipped(fan.polygon(), (0.0, 0.0, float(width), float(height)))
    polygon = tuple((min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height))) for x, y in within)
    if len(polygon) < 3:
        return None
    return FoundSector(polygon, confidence, fan.kind(), _interface(grays[-1], polygon))


def _gray(picture: Pixels) -> Pixels:
    """Gray; coloured pixels are black, because B-mode has no colour and user interfaces have."""
    if picture.ndim == 2:
        return picture
    red, green, blue = cv2.split(picture)
    spread = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    gray[spread > 60] = 0
    return np.asarray(gray, np.uint8)


def _scan_and_interface(grays: Pixels, level: int) -> tuple[Pixels, Pixels]:
    """Two masks ``(H, W)``, 255 at pixels of the scan and of the user interface. ``grays``: ``(N, H, W)``."""
    brightest, darkest = grays.max(axis=0), grays.min(axis=0)
    moved = (brightest - darkest) >= _MOVED_LEVELS
    newest = grays[-1]
    background = int(np.bincount(newest.ravel(), minlength=256)[:64].argmax())
    background = background if background <= 2 else 0
    lit = newest > background + level
    # Bars and panels are even along their rows; echoes never are for long.
    rows = np.ones((1, newest.shape[1] // 40), np.uint8)
    even = cv2.dilate(newest, rows).astype(np.int16) - cv2.erode(newest, rows) <= 1
    drawn = cv2.dilate((even & (newest >= _FLAT_LEVEL) & ~moved).astype(np.uint8), rows)
    seen = ((lit & (drawn == 0)) | moved).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(seen, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    moving = np.bincount(labels[moved], minlength=len(areas) + 1)[1:]
    # Letters and thumbnails are small beside the scan; parts of it that shadows cut off are not.
    large = areas >= max(0.08 * areas.max(initial=0), 0.004 * seen.size)
    large |= (areas >= _MOVING_AREA * seen.size) & (moving >= 0.5 * areas)
    table = np.zeros(len(areas) + 1, np.uint8)
    table[1:][large] = 255
    scan = table[labels]
    return scan, np.where((newest > max(_FLAT_LEVEL, background + level)) & (scan == 0), 255, 0).astype(np.uint8)


def _fit(scan: Pixels, drawn: Pixels) -> Fan:
    """The fan that bears out best what is seen; coarse to fine."""
    height, width = scan.shape
    scale = min(1.0, _COARSE_WIDTH / width)
    weights = _weights(scan, drawn)

    def at(scale: float) -> _Array:
        size = (round(width * scale), round(height * scale))
        return (
            weights if scale == 1.0 else np.asarray(cv2.resize(weights, size, interpolation=cv2.INTER_AREA), np.float32)
        )

    coarse = at(scale)
    starts = _starts(np.where(coarse < -0.5 * _OUTSIDE_COSTS, np.uint8(255), np.uint8(0)).astype(np.uint8))
    rough = min((_search(coarse, start, (16.0, 8.0, 4.0, 2.0, 1.0)) for start in starts), key=lambda found: found[0])
    fan = rough[1]
    for finer in (min(1.0, 2 * scale), min(1.0, _FINE_WIDTH / width)):
        fan = _search(at(finer), _scaled(fan, finer / scale), (2.0, 1.0, 0.5))[1]
        scale = finer
    return _evened(scan, weights, _scaled(fan, 1 / scale))


def _evened(scan: Pixels, weights: _Array, fan: Fan) -> Fan:
    """The fan with a side that nothing bears out made like the other one: half of it may lie in a shadow.

    Left as it is if the new side would take in parts of a user interface.
    """
    borne_out = [_borne_out(scan, fan, sign) for sign in (-1, 1)]
    if max(borne_out) < _BORNE_OUT or min(borne_out) > _IN_SHADOW:
        return fan
    (left, left_low), (right, right_low), (x0, top, x1, bottom) = fan.left, fan.right, fan.window
    believed = fan.left if borne_out[0] > borne_out[1] else fan.right
    lean = abs(believed[1] - believed[0]) / max(bottom - top, 1.0)
    if lean < _LEANS or not x0 < sum(believed) / 2 < x1:
        return fan  # upright, or cut off by the window: it says nothing of the other one
    axis_twice = left + right
    if borne_out[0] > borne_out[1]:
        other = Fan(
            fan.left, (right, axis_twice - left_low), fan.near, fan.far, (x0, top, max(x1, axis_twice - x0), bottom)
        )
    else:
        other = Fan(
            (left, axis_twice - right_low), fan.right, fan.near, fan.far, (min(x0, axis_twice - x1), top, x1, bottom)
        )
    added = _filled(other, scan.shape) & ~_filled(fan, scan.shape)
    drawn = int(((weights > 1) & (added > 0)).sum())
    area = cv2.countNonZero(added)
    return other if area and drawn <= _DRAWN_SHARE * area else fan


def _borne_out(scan: Pixels, fan: Fan, sign: int) -> float:
    """Which share of the left (-1) or right (1) edge has scan right inside it, as far as it lies in the window."""
    x0, top, x1, bottom = fan.window
    edge = fan.left if sign < 0 else fan.right
    ys = np.linspace(top + 2, bottom - 2, 160)
    xs = edge[0] + (edge[1] - edge[0]) * (ys - top) / max(bottom - top, 1.0)
    corners = np.array(fan.polygon())
    if len(corners) < 3:
        return 0.5  # the window leaves nothing of the fan
    low = corners[corners[:, 0].argmin() if sign < 0 else corners[:, 0].argmax(), 1]
    # Where the window cuts the fan off, its own edge counts: down to the corner, and no further.
    ys, xs = ys[ys <= low], np.clip(xs[ys <= low], x0, x1)
    if len(ys) < 20:
        return 0.5
    columns = np.clip(np.rint(xs - sign * 4), 0, scan.shape[1] - 1).astype(np.intp)
    rows = np.clip(np.rint(ys), 0, scan.shape[0] - 1).astype(np.intp)
    return float((scan[rows, columns] > 0).mean())


def _filled(fan: Fan, shape: tuple[int, ...]) -> Pixels:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.rint((np.array(fan.polygon()) - 0.5) * 16).astype(np.int32)], (255,), shift=4)
    return mask


def _weights(scan: Pixels, drawn: Pixels) -> _Array:
    """The cost of taking a pixel in: far below 0 for scan, above 0 for black and for what is drawn."""
    weights = np.ones(scan.shape, np.float32)
    weights[scan > 0] = -_OUTSIDE_COSTS
    weights[drawn > 0] = _DRAWN_COSTS
    return weights


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
    hull = cv2.convexHull(np.stack((xs, ys), axis=1).astype(np.int32))[:, 0, :].astype(np.float64)
    if len(hull) > 3:
        sides = [_side(hull, sign, window) for sign in (-1, 1)]
        starts.append(Fan(sides[0] or plain.left, sides[1] or plain.right, near, far + 1, window))
    return starts


def _side(hull: npt.NDArray[np.float64], sign: int, window: _Window) -> Point | None:
    """x at the window's top and bottom of the longest edge of the hull that faces left (-1) or right (1)."""
    best: tuple[float, Point] | None = None
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
    inside = _filled(fan, scan.shape)
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
    wide, high, area = (stats[1:, k] for k in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    letters = (wide <= gray.shape[1] // 20) & (high <= gray.shape[0] // 20) & (area >= 4)
    return int(letters.sum()) >= _LETTERS
