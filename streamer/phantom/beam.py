"""Beams that make a B-mode picture of echo levels: attenuation and shadow, speckle, gain, and the convex sector."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 640, 480
CANVAS_WIDTH, CANVAS_HEIGHT = WIDTH // 2, HEIGHT // 2
_LINES, _SAMPLES = 176, 336  # beams across, samples along
Levels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """The convex sector on the 640x480 picture, in its pixels.

    Attributes:
        apex_x, apex_y: the point where the beams meet, above the picture's visible arc.
        near, far: distances from the apex between which the beams run.
        half_angle: of the beams to straight down, radians.
    """

    apex_x: float
    apex_y: float
    near: float
    far: float
    half_angle: float

    @property
    def polygon(self) -> tuple[tuple[float, float], ...]:
        """The sector's outline, picture pixels, clockwise from the upper left; may reach past the edges."""
        angles = np.linspace(-self.half_angle, self.half_angle, 24)
        arc = [(self.apex_x + self.near * math.sin(a), self.apex_y + self.near * math.cos(a)) for a in angles]
        arc += [(self.apex_x + self.far * math.sin(a), self.apex_y + self.far * math.cos(a)) for a in angles[::-1]]
        return tuple(arc)


@dataclass(frozen=True)
class BeamSettings:
    """Settings of a scanner, and how well the patient conducts sound.

    Attributes:
        grain: strength of speckle, gray levels.
        fade: loss from near to far, gray levels.
        gain, gamma: of the finished picture.
        blur: beam width, lines.
    """

    grain: float
    fade: float
    gain: float
    gamma: float
    blur: float


@functools.lru_cache(maxsize=16)
def _maps(layout: Layout) -> tuple[Levels, Levels, Levels, Levels, npt.NDArray[np.uint8]]:
    line, sample = np.meshgrid(np.arange(_LINES), np.arange(_SAMPLES))
    angle = (line / (_LINES - 1) * 2 - 1) * layout.half_angle
    radius = layout.near + sample / (_SAMPLES - 1) * (layout.far - layout.near)
    to_x = (layout.apex_x + radius * np.sin(angle)) / 2
    to_y = (layout.apex_y + radius * np.cos(angle)) / 2
    x, y = np.meshgrid(np.arange(WIDTH) - layout.apex_x, np.arange(HEIGHT) - layout.apex_y)
    r, a = np.hypot(x, y), np.arctan2(x, y)
    from_line = (a / layout.half_angle + 1) / 2 * (_LINES - 1)
    from_sample = (r - layout.near) / (layout.far - layout.near) * (_SAMPLES - 1)
    inside = (np.abs(a) <= layout.half_angle) & (r >= layout.near) & (r <= layout.far)
    maps = [m.astype(np.float32) for m in (to_x, to_y, from_line, from_sample)]
    return maps[0], maps[1], maps[2], maps[3], (inside * 255).astype(np.uint8)


@functools.lru_cache(maxsize=1)
def _speckle() -> Levels:
    """Fully developed speckle after log compression, zero mean, unit deviation: ``(1024, 512)``, samples by lines."""
    rng = np.random.default_rng(20)
    re, im = (cv2.GaussianBlur(rng.standard_normal((1024, 512)), (0, 0), sigmaX=1.5, sigmaY=1.0) for _ in range(2))
    decibel = 20 * np.log10(np.hypot(re, im) + 1e-3)
    grain = np.clip((decibel - decibel.mean()) / decibel.std(), -2.2, 2.2)
    return grain.astype(np.float32)


@functools.lru_cache(maxsize=1)
def _aberration() -> tuple[Levels, Levels]:
    """How far uneven sound speed bends the beams, canvas pixels, sideways and in depth: ``(1024, 512)`` each."""
    rng = np.random.default_rng(22)
    fields: list[Levels] = []
    for pixels in (1.3, 0.9):
        fine = cv2.GaussianBlur(rng.standard_normal((1024, 512)).astype(np.float32), (0, 0), 7)
        slow = cv2.GaussianBlur(rng.standard_normal((1024, 512)).astype(np.float32), (0, 0), 26)
        fields.append((pixels * (0.45 * fine / fine.std() + 0.8 * slow / slow.std())).astype(np.float32))
    return fields[0], fields[1]


@functools.lru_cache(maxsize=1)
def tissue_texture() -> Levels:
    """Return slow unevenness of tissue, fixed to the body: zero mean, unit deviation, ``(1024, 1024)``."""
    rng = np.random.default_rng(21)
    total = np.zeros((1024, 1024), np.float32)
    for sigma, weight in ((3.0, 0.6), (9.0, 1.0), (28.0, 0.9)):
        noise = cv2.GaussianBlur(rng.standard_normal((1024, 1024)).astype(np.float32), (0, 0), sigma)
        total += weight * noise / noise.std()
    return (total / total.std()).astype(np.float32)


def scan(
    level: npt.NDArray[np.uint8],
    bone: npt.NDArray[np.uint8],
    layout: Layout,
    look: BeamSettings,
    grain_offset: tuple[int, int],
    noise_offset: tuple[int, int],
) -> npt.NDArray[np.uint8]:
    """Return the picture, uint8 ``(480, 640)``, black outside the sector.

    Args:
        level, bone: the canvas, uint8 ``(240, 320)``.
        grain_offset: where in the speckle field this tissue lies (samples, lines): moves with the probe.
        noise_offset: the same for the electronic noise: new in every frame.
    """
    to_x, to_y, from_line, from_sample, inside = _maps(layout)
    bend_x, bend_y = (_window(field, grain_offset) for field in _aberration())
    to_x, to_y = to_x + bend_x, to_y + bend_y
    beams = cv2.remap(level, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    shade = cv2.remap(bone, to_x, to_y, cv2.INTER_LINEAR).astype(np.float32)
    beams = cv2.GaussianBlur(beams, (0, 0), sigmaX=look.blur, sigmaY=0.8)
    depth = np.linspace(0, 1, _SAMPLES, dtype=np.float32)[:, None]
    # Behind bone little sound is left: attenuation adds up along the beam and saturates.
    shadow = cv2.GaussianBlur(np.cumsum(shade, axis=0), (0, 0), 2.5) / 255
    beams *= np.exp(-0.16 * np.minimum(shadow, 12)) * 0.92 + 0.08
    grain = _window(_speckle(), grain_offset)
    noise = _window(_speckle(), noise_offset)
    beams += grain * (0.10 * look.grain + look.grain / 110 * beams)
    beams += noise * (1.5 + 3.0 * depth) - look.fade * depth
    np.clip(beams, 0, 255, out=beams)
    picture = cv2.remap(beams, from_line, from_sample, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # The display's gray map: compresses fluid and tissue, lets bone saturate.
    table = np.clip(255 * look.gain * (np.arange(256) / 255) ** look.gamma, 0, 255).astype(np.uint8)
    return np.bitwise_and(table[picture.astype(np.uint8)], inside)


def _window(field: Levels, offset: tuple[int, int]) -> Levels:
    top = offset[0] % (field.shape[0] - _SAMPLES)
    left = offset[1] % (field.shape[1] - _LINES)
    return field[top : top + _SAMPLES, left : left + _LINES]
