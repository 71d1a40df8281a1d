"""Reads millimetres per pixel off the depth ruler that a scanner draws beside its scan. Refuses rather than guesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.region.fan import FanKind

_THICKEST: Final = 7  # pixels: a tick is thinner
_BRIGHTER: Final = 50  # levels above what lies over and under it
_LEAST_TICKS: Final = 6
_ENOUGH_TICKS: Final = 9  # to tell without one of them
_COLUMNS_TRIED: Final = 48
_OFF_GRID_PX: Final = 1.3
_FILLED: Final = 0.85  # of the grid's steps between the first tick and the last
_LONGEST_PX: Final = 24
_CLOSEST_PX: Final = 6  # from tick to tick
_BEYOND_PX: Final = 6
_RATIOS: Final = (2, 5, 10)  # a longer tick every so many
# Depth that such probes show on the screen, mm; zoomed pictures included.
_DEPTHS_MM: Final[dict[FanKind, tuple[float, float]]] = {
    "convex": (30.0, 300.0), "phased": (30.0, 300.0), "linear": (15.0, 140.0), "trapezoid": (15.0, 140.0),
}  # fmt: skip
_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ruler:
    """A depth ruler that was read.

    Attributes:
        spacing_mm: millimetres per pixel of the frames that it was read from.
        confidence: 0 to 1.
        x: column at which its ticks begin, pixels.
        first_y, last_y: rows of its ends, pixels.
        tick_px, tick_mm: distance from one of the finest ticks to the next.
    """

    spacing_mm: float
    confidence: float
    x: int
    first_y: float
    last_y: float
    tick_px: float
    tick_mm: float


@dataclass(frozen=True)
class _Grid:
    x: int
    side: int  # 1: ticks run to the right
    first: float
    step: float
    indices: npt.NDArray[np.int64]  # of the marks, in steps from the first
    ys: _Numbers
    filled: float


def read_ruler(
    pictures: Sequence[Pixels], kind: FanKind, rows: tuple[int, int], tick_mm: float | None = None
) -> Ruler | None:
    """Read the depth ruler of screens of one layout; None if there is none, or if it may mean more than one scale.

    The meaning of its ticks follows from the longer ones among them: every second of the finest is 5 mm in 10 mm, every
    fifth 10 mm in 50 mm, both together 5, 10 and 50 mm. Ticks of one length only could stand for anything.

    Args:
        pictures: whole frames, uint8 ``(H, W)`` or ``(H, W, 3)``; what moves in them is no ruler.
        kind: of the scan region, for what depths are plausible.
        rows: where the scan region begins and ends; rulers reach no further, other words and marks do.
        tick_mm: from tick to tick on this scanner, if its profile says so: then ticks of one length will do.
    """
    # The darkest that a pixel has been: ticks stay, echoes move.
    top, bottom = max(0, rows[0] - _BEYOND_PX), rows[1] + _BEYOND_PX
    parts = [picture[top:bottom] for picture in pictures]
    still = np.min([part if part.ndim == 2 else part.max(axis=2) for part in parts], axis=0)
    upright = cv2.getStructuringElement(cv2.MORPH_RECT, (1, _THICKEST))
    ticks = cv2.morphologyEx(still, cv2.MORPH_TOPHAT, upright) > _BRIGHTER
    grids = [grid for x, side in _columns(ticks) if (grid := _grid(ticks, x, side)) is not None]
    readings = [reading for grid in grids if (reading := _reading(ticks, grid, kind, top, tick_mm)) is not None]
    if not readings:
        return None
    best = max(readings, key=lambda reading: (reading.confidence, reading.last_y - reading.first_y))
    # Two rulers that contradict each other cannot both be believed.
    if any(abs(other.spacing_mm / best.spacing_mm - 1) > 0.02 for other in readings):
        return None
    return best


def _columns(ticks: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Columns where many marks begin (side 1) or end (side -1), the most promising first."""
    before = np.pad(ticks, ((0, 0), (1, 0)))[:, :-1]
    after = np.pad(ticks, ((0, 0), (0, 1)))[:, 1:]
    found: list[tuple[int, int, int]] = []
    for side, edges in ((1, ticks & ~before), (-1, ticks & ~after)):
        for x in np.flatnonzero(edges.sum(axis=0) >= _LEAST_TICKS):
            gaps = np.diff(_middles(edges[:, x]))
            # The strokes of letters lie closer together than ticks.
            alone = int((gaps >= _CLOSEST_PX).sum())
            if alone >= _LEAST_TICKS - 1 and alone >= 0.6 * len(gaps):
                found.append((alone, int(x), side))
    return [(x, side) for _, x, side in sorted(found, reverse=True)[:_COLUMNS_TRIED]]


def _middles(column: npt.NDArray[np.bool_]) -> _Numbers:
    """The middles of the runs of a column, pixels."""
    edges = np.diff(np.pad(column.astype(np.int8), 1))
    return (np.flatnonzero(edges == 1) + np.flatnonzero(edges == -1) - 1) / 2


def _grid(ticks: npt.NDArray[np.bool_], x: int, side: int) -> _Grid | None:
    """The evenly spaced marks of a column; None if it has none."""
    behind = x - side
    begins = ticks[:, x] & ~ticks[:, behind] if 0 <= behind < ticks.shape[1] else ticks[:, x]
    ys = _middles(begins)
    if not _LEAST_TICKS <= len(ys) <= 120:
        return None
    best: _Grid | None = None
    gaps = np.diff(ys)
    for step in np.unique(np.round(gaps[gaps >= _CLOSEST_PX] * 2) / 2):
        for start in ys[: max(3, len(ys) // 3)]:
            grid = _aligned(ys, float(start), float(step), x, side)
            if grid is not None and (best is None or len(grid.ys) > len(best.ys)):
                best = grid
    if best is None or len(best.ys) < 0.6 * len(ys):
        return None
    return best


def _aligned(ys: _Numbers, start: float, step: float, x: int, side: int) -> _Grid | None:
    for slack in (0.18 * step, 0.1 * step, 2 * _OFF_GRID_PX, _OFF_GRID_PX):  # inliers and grid in turn
        indices = np.rint((ys - start) / step)
        near = np.abs(ys - start - indices * step) <= max(slack, _OFF_GRID_PX)
        if near.sum() < _LEAST_TICKS or indices[near].min() == indices[near].max():
            return None
        step, start = (float(value) for value in np.polyfit(indices[near], ys[near], 1))
        if step < _CLOSEST_PX:
            return None
    indices = np.rint((ys - start) / step)
    near = np.abs(ys - start - indices * step) <= _OFF_GRID_PX
    order = np.argsort(np.abs(ys - start - indices * step)[near], kind="stable")
    found, nearest = np.unique(indices[near][order].astype(np.int64), return_index=True)  # one mark an index
    filled = len(found) / (found.max() - found.min() + 1)
    if len(found) < _LEAST_TICKS or filled < _FILLED:
        return None
    return _Grid(x, side, start, step, found, ys[near][order][nearest], float(filled))


def _lengths(ticks: npt.NDArray[np.bool_], grid: _Grid) -> _Numbers:
    """How far each tick runs from the ruler's column, pixels."""
    height, width = ticks.shape
    lengths: list[float] = []
    for y in grid.ys:
        rows = np.max(ticks[max(0, int(y) - 1) : min(height, int(y) + 3)], axis=0)
        ray = rows[grid.x :: grid.side][: min(_LONGEST_PX, width)]
        stops = np.flatnonzero(~ray)
        lengths.append(float(stops[0]) if len(stops) else float(len(ray)))
    return np.array(lengths)


def _patterns(indices: npt.NDArray[np.int64], lengths: _Numbers) -> set[int]:
    """Every how many ticks a longer one comes: those of ``_RATIOS`` that all ticks bear out.

    If none is borne out by all, one tick may be left out, because something else touches it.
    """
    found = _borne_out_by_all(indices, lengths)
    if found or len(indices) < _ENOUGH_TICKS:
        return found
    others = [np.arange(len(indices)) != left_out for left_out in range(len(indices))]
    readings = {frozenset(each) for rest in others if (each := _borne_out_by_all(indices[rest], lengths[rest]))}
    return set(readings.pop()) if len(readings) == 1 else set()


def _borne_out_by_all(indices: npt.NDArray[np.int64], lengths: _Numbers) -> set[int]:
    found: set[int] = set()
    # Longer than any other: a word or a mark touches that tick.
    twice = [a for a in lengths if (np.abs(lengths - a) <= 1).sum() >= 2]
    clean = lengths <= max(twice, default=0.0) + 1
    indices, lengths = indices[clean], lengths[clean]
    for ratio in _RATIOS:
        for phase in range(ratio):
            longer = indices % ratio == phase
            if longer.sum() < 2 or (~longer).sum() < 3:
                continue
            low, high = float(lengths[longer].min()), float(np.percentile(lengths[~longer], 90))
            if low >= high + 1.5 and low >= 1.2 * high and (lengths[~longer] >= low).mean() <= 0.05:
                found.add(ratio)
    return found


def _reading(
    ticks: npt.NDArray[np.bool_], grid: _Grid, kind: FanKind, top: int, given_mm: float | None
) -> Ruler | None:
    patterns = _patterns(grid.indices, _lengths(ticks, grid))
    if 2 in patterns and (10 in patterns or 5 not in patterns):
        tick_mm, sure = 5.0, 0.98 if 10 in patterns else 0.85
    elif patterns == {5}:
        tick_mm, sure = 10.0, 0.95
    elif given_mm is not None and not patterns and len(grid.indices) > _LEAST_TICKS:
        tick_mm, sure = given_mm, 0.8
    else:
        return None
    if given_mm is not None and tick_mm != given_mm and sure < 0.9:
        return None  # the screen and the profile contradict each other
    depth_mm = (int(grid.indices.max()) - int(grid.indices.min())) * tick_mm
    least, most = _DEPTHS_MM[kind]
    if not least <= depth_mm <= most:
        return None
    misfit = float(np.abs(grid.ys - grid.first - grid.step * grid.indices).mean())
    confidence = sure * grid.filled * max(0.0, 1 - misfit / 2)
    first_y, last_y = top + float(grid.ys.min()), top + float(grid.ys.max())
    return Ruler(tick_mm / grid.step, confidence, grid.x, first_y, last_y, grid.step, tick_mm)
