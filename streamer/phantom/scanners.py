"""Whole scanner screens made up by seed: geometries, rulers and user interfaces of many kinds, with their truth.

The tissue is the phantom's; how large it is has nothing to do with the ruler here, which is true to ``spacing_mm``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.phantom.beam import HEIGHT, WIDTH, Layout
from fetalstream.streamer.phantom.interface import RulerStyle, draw_interface, draw_ruler
from fetalstream.streamer.phantom.tour import RATE_HZ, Tour
from fetalstream.streamer.phantom.view import render

ScannerKind = Literal["convex", "phased", "linear", "trapezoid"]
KINDS: Final[tuple[ScannerKind, ...]] = ("convex", "phased", "linear", "trapezoid")
SIZES: Final = ((800, 600), (1024, 768), (1280, 720), (640, 480), (975, 735))

# Beams so long and so narrow that they fill the whole picture: the screen cuts its own sector out of it.
_FILLED: Final = Layout(WIDTH / 2, -4000.0, 4000.0, 4000.0 + HEIGHT, 0.0805)
_Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """The layout of one screen.

    Attributes:
        width, height: of the screen, pixels.
        kind: of the probe.
        window: the part of the screen where scans are drawn: left, top, right, bottom.
        polygon: the true scan region, screen pixels, as edges between pixels.
        skin_y: the row where depth is 0.
        spacing_mm: millimetres per pixel, which the ruler shows.
        ruler: how depth is drawn.
        colour: whether frames are RGB, not gray.
        jpeg_quality: of the compression that frames went through; None for none.
        shade: gain lost with depth, gain lost to one side, and the darkest level of the scan.
    """

    width: int
    height: int
    kind: ScannerKind
    window: tuple[int, int, int, int]
    polygon: tuple[tuple[float, float], ...]
    skin_y: float
    spacing_mm: float
    ruler: RulerStyle
    colour: bool
    jpeg_quality: int | None
    shade: tuple[float, float, float]


class ScannerScreen:
    """A made-up scanner, the same for the same seed: ``frame`` draws it, ``design`` is the truth.

    Args:
        seed: which scanner.
        deeper: how many times as deep it is set.
    """

    def __init__(self, seed: int, *, deeper: float = 1.0) -> None:
        self.seed = seed
        design = _design(np.random.default_rng((seed, 4)), KINDS[seed % len(KINDS)])
        self.design = replace(design, spacing_mm=design.spacing_mm * deeper)
        self._tour = Tour(seed)
        mask = np.zeros((self.design.height, self.design.width), np.uint8)
        corners = np.rint((np.array(self.design.polygon) - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(mask, [corners], (255,), shift=4)
        self._mask = mask
        self._dress: Pixels = draw_interface(self.design.width, self.design.height, self.design.window, seed)
        draw_ruler(self._dress, self.design.ruler, self.design.skin_y, self.design.window[3], self.design.spacing_mm)
        self._drawn: Pixels = self._dress.max(axis=2)

    def frame(self, index: int) -> Frame:
        """Draw frame ``index`` of 30 a second; gray or RGB."""
        design = self.design
        view = self._tour.view_at(index)
        picture = render(replace(view, setting=replace(view.setting, layout=_FILLED)))
        left, top, right, bottom = (round(v) for v in _bounds(np.array(design.polygon)))
        size = (max(8, right - left), max(8, bottom - top))
        part = _shaded(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), design.shade)
        screen = np.zeros((design.height, design.width), np.uint8)
        screen[top : top + size[1], left : left + size[0]] = part[: design.height - top, : design.width - left]
        screen &= self._mask
        pixels: npt.NDArray[Any] = np.where(self._drawn[:, :, None] > 0, self._dress, screen[:, :, None])
        cv2.putText(
            pixels, f"{10 + index // 1800 % 12}:{index // 30 % 60:02d}", (design.width - 90, 14),
            cv2.FONT_HERSHEY_SIMPLEX, 0.42, (210, 210, 210), 1, cv2.LINE_AA,
        )  # fmt: skip
        if design.jpeg_quality is not None:
            pixels = _compressed(pixels, design.jpeg_quality)
        out = np.ascontiguousarray(pixels if design.colour else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        return Frame(np.asarray(out, np.uint8), index, index / RATE_HZ, round(index / RATE_HZ * 1e9))


def _compressed(pixels: npt.NDArray[Any], quality: int) -> npt.NDArray[Any]:
    decoded = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return pixels if decoded is None else decoded  # pyright: ignore[reportUnnecessaryComparison]


def _shaded(part: npt.NDArray[Any], shade: tuple[float, float, float]) -> npt.NDArray[np.uint8]:
    """Darker towards one side and the depth, as poor contact and attenuation make it; never quite black."""
    height, width = part.shape
    x, y = np.linspace(-1, 1, width)[None, :], np.linspace(0, 1, height)[:, None]
    gain = np.clip(1 - shade[0] * y, 0, 1) * np.clip(1 + shade[1] * x, 0, 1)
    lifted = part * gain + shade[2]
    return np.clip(lifted, 0, 255).astype(np.uint8)


def _design(rng: np.random.Generator, kind: ScannerKind) -> Design:
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    window = (
        round(width * rng.uniform(0.0, 0.16)), round(height * rng.uniform(0.09, 0.16)),
        round(width * rng.uniform(0.84, 0.98)), round(height * rng.uniform(0.90, 0.99)),
    )  # fmt: skip
    polygon, skin_y = _sector(rng, kind, window)
    top, bottom = skin_y, max(y for _, y in polygon)
    low, high = {"convex": (75, 200), "phased": (100, 190), "linear": (30, 70), "trapezoid": (35, 80)}[kind]
    spacing_mm = rng.uniform(low, high) / (bottom - top)
    left_side = rng.random() < 0.6
    # Beside the region where there is room, else over it, as some scanners do.
    x = window[0] + 14 if left_side else window[2] - 22
    if kind in ("linear", "trapezoid"):
        edge = min(x for x, _ in polygon) if left_side else max(x for x, _ in polygon)
        x = round(edge - 34) if left_side else round(edge + 16)
    return Design(
        width, height, kind, window, polygon, skin_y, spacing_mm,
        _ruler_style(rng, x, left_side, spacing_mm, bottom - top), bool(rng.random() < 0.6),
        int(rng.integers(88, 96)) if rng.random() < 0.3 else None,
        (float(rng.uniform(0, 0.6)), float(rng.uniform(-0.7, 0.7)), float(rng.uniform(2, 6))),
    )  # fmt: skip


def _ruler_style(rng: np.random.Generator, x: int, left_side: bool, spacing_mm: float, depth_px: float) -> RulerStyle:
    """Ticks that do not run into each other; three or two lengths, or (seldom) one, which no one can read."""
    depth_mm, cm_px = depth_px * spacing_mm, 10 / spacing_mm
    steps: tuple[float, ...]
    if rng.random() < 0.02:
        steps = (10.0,)
    elif depth_mm < 55:
        steps = (5.0, 10.0) if rng.random() < 0.5 else (5.0, 10.0, 50.0)
    elif cm_px >= 24 and rng.random() < 0.4:
        steps = (5.0, 10.0, 50.0)
    else:
        steps = (10.0, 50.0)
    lengths = (int(rng.integers(1, 4)), int(rng.integers(6, 9)), int(rng.integers(11, 16)))
    level = int(rng.integers(150, 256))
    return RulerStyle(
        x, 1 if left_side else -1, steps, lengths[-len(steps) :], (level, level, round(level * rng.uniform(0.5, 1))),
        line=bool(rng.random() < 0.3), digits=bool(rng.random() < 0.5),
    )  # fmt: skip


def _sector(
    rng: np.random.Generator, kind: ScannerKind, window: tuple[int, int, int, int]
) -> tuple[tuple[tuple[float, float], ...], float]:
    """The outline clipped by the window, and where the skin is."""
    left, top, right, bottom = window
    wide, high = right - left, bottom - top
    middle = (left + right) / 2 + rng.uniform(-0.04, 0.04) * wide
    skin = top + rng.uniform(0.0, 0.05) * high
    deep = top + rng.uniform(0.85, 1.0) * high
    if kind == "linear":
        half = rng.uniform(0.22, 0.40) * wide
        points = np.array([(middle - half, skin), (middle + half, skin), (middle + half, deep), (middle - half, deep)])
    elif kind == "trapezoid":
        half, lean = rng.uniform(0.16, 0.28) * wide, math.tan(rng.uniform(0.12, 0.3)) * (deep - skin)
        points = np.array([
            (middle - half, skin), (middle + half, skin), (middle + half + lean, deep), (middle - half - lean, deep)
        ])  # fmt: skip
    else:
        angle = rng.uniform(0.45, 0.68) if kind == "convex" else rng.uniform(0.6, 0.78)
        depth = deep - skin
        near = depth * (rng.uniform(0.25, 0.7) if kind == "convex" else rng.uniform(0.01, 0.03))
        if kind == "convex" and rng.random() < 0.35:  # zoomed: the window cuts off the sides and the bottom
            depth *= rng.uniform(1.1, 1.5)
        points = _fan(middle, skin - near, near, near + depth, angle)
    return _clipped(points, window), skin


def _fan(apex_x: float, apex_y: float, near: float, far: float, half_angle: float) -> _Points:
    angles = np.linspace(-half_angle, half_angle, 64)
    arcs = [apex + r * np.stack((np.sin(a), np.cos(a)), axis=1)
            for r, a in ((near, angles), (far, angles[::-1])) for apex in [np.array((apex_x, apex_y))]]  # fmt: skip
    return np.vstack(arcs)


def _clipped(points: _Points, window: tuple[int, int, int, int]) -> tuple[tuple[float, float], ...]:
    """Sutherland and Hodgman's clipping (Communications of the ACM 17, 1974) against the window's four sides."""
    left, top, right, bottom = window
    for axis, edge, sign in ((0, left, 1), (0, right, -1), (1, top, 1), (1, bottom, -1)):
        kept: list[_Points] = []
        for a, b in zip(points, np.roll(points, -1, axis=0), strict=True):
            da, db = sign * (a[axis] - edge), sign * (b[axis] - edge)
            if da >= 0:
                kept.append(a)
            if (da >= 0) != (db >= 0):
                kept.append(a + (b - a) * da / (da - db))
        points = np.array(kept)
    return tuple((float(x), float(y)) for x, y in points)


def _bounds(points: _Points) -> tuple[float, float, float, float]:
    return (*points.min(axis=0), *points.max(axis=0))  # pyright: ignore[reportReturnType]
