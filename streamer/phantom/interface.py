"""User interfaces of made-up scanners, drawn round the scan: names, settings, logo, bars, thumbnails, depth ruler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from fetalstream.streamer.frame import Pixels

NAMES: Final = ("TESTPATIENT ADA", "SAMPLE ROSALIND", "EXAMPLE DOROTHY", "PHANTOM MARIE")
_SETTINGS: Final = ("Gn  0", "DR 60", "Pwr 90%", "Har-mid", "C6 / M7", "SRI 3", "FPS 35", "AO 100%")


@dataclass(frozen=True)
class RulerStyle:
    """The look of a depth ruler.

    Attributes:
        x: column at which ticks begin, pixels.
        side: 1 if they run to the right, -1 to the left.
        steps_mm: distance of the ticks of each kind, the finest first.
        lengths: of the ticks of each kind, pixels.
        colour: RGB.
        line: whether a line runs along the ticks.
        digits: whether the longest ticks are labelled, in centimetres.
    """

    x: int
    side: int
    steps_mm: tuple[float, ...]
    lengths: tuple[int, ...]
    colour: tuple[int, int, int]
    line: bool
    digits: bool


def draw_ruler(screen: Pixels, style: RulerStyle, top: float, bottom: float, spacing_mm: float) -> None:
    """Draw ticks from depth 0 at ``top`` down to ``bottom``, onto RGB ``(H, W, 3)``."""
    finest = style.steps_mm[0]
    for tick in range(int((bottom - 1 - top) * spacing_mm / finest) + 1):
        y = round(top + tick * finest / spacing_mm)
        # The longest kind of tick that falls here.
        kind = max(k for k, step in enumerate(style.steps_mm) if tick * finest % step == 0)
        cv2.line(screen, (style.x, y), (style.x + style.side * style.lengths[kind], y), style.colour, 1)
        if style.digits and kind == len(style.steps_mm) - 1 and kind > 0 and tick > 0:
            word = f"{tick * finest / 10:.0f}"
            x = style.x - 4 - 9 * len(word) if style.side > 0 else style.x + 5
            cv2.putText(screen, word, (x, y + 4), cv2.FONT_HERSHEY_SIMPLEX, 0.36, style.colour, 1, cv2.LINE_AA)
    if style.line:
        cv2.line(screen, (style.x, round(top)), (style.x, round(bottom) - 1), style.colour, 1)


def draw_interface(width: int, height: int, window: tuple[int, int, int, int], seed: int) -> Pixels:
    """Return RGB ``(height, width, 3)``, black wherever the scan may show. ``window``: left, top, right, bottom."""
    rng = np.random.default_rng((seed, 5))
    screen = np.zeros((height, width, 3), np.uint8)
    left, top, right, _ = window
    if rng.random() < 0.5:  # a header bar, often right above the scan
        gap = int(rng.integers(0, 6))
        level = int(rng.integers(20, 70))
        for row in range(max(0, top - 30), top - gap):
            screen[row, round(width * 0.16) :] = level + (row - top + 30) // 2
    if rng.random() < 0.3:  # a panel of another shade at the side
        screen[:, right:] = int(rng.integers(12, 45))
    _name(screen, rng, seed)
    _settings(screen, rng, left, right, top)
    _gray_bar(screen, rng, left, right, top, height)
    _extras(screen, rng, window)
    return screen


def _write(screen: Pixels, words: str, x: int, y: int, colour: tuple[int, int, int], size: float = 0.42) -> None:
    cv2.putText(screen, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)


def _name(screen: Pixels, rng: np.random.Generator, seed: int) -> None:
    level = int(rng.integers(150, 256))
    name = NAMES[seed % len(NAMES)]
    _write(screen, name, 6, 16, (level, level, level), 0.45)
    _write(screen, f"ID {seed * 7919 % 1_000_000:06d}", 6, 34, (level, level, level))
    _write(screen, "20.05.2026  MI 0.8  TIs 0.1", round(screen.shape[1] * 0.42), 16, (200, 200, 200))
    if rng.random() < 0.5:  # a logo
        x = round(screen.shape[1] * 0.30)
        cv2.circle(screen, (x, 14), 10, (40, 160, 60), -1, cv2.LINE_AA)
        _write(screen, "US", x - 8, 18, (250, 250, 250), 0.36)


def _settings(screen: Pixels, rng: np.random.Generator, left: int, right: int, top: int) -> None:
    """A column of settings in a corner of the window, where a fan leaves room."""
    x = right - 62 if rng.random() < 0.6 else left + 34
    colour = (170, 170, 170) if rng.random() < 0.7 else (200, 190, 90)
    for i in range(int(rng.integers(3, 7))):
        _write(screen, _SETTINGS[(i + int(rng.integers(8))) % 8], x, top + 14 + 15 * i, colour, 0.36)


def _gray_bar(screen: Pixels, rng: np.random.Generator, left: int, right: int, top: int, height: int) -> None:
    x = max(1, left - 14) if rng.random() < 0.7 else min(screen.shape[1] - 14, right + 3)
    length = round(height * rng.uniform(0.2, 0.35))
    ramp = np.linspace(255, 0, length)[:, None]
    tint = np.array((1.0, 1.0, 1.0)) if rng.random() < 0.6 else np.array((1.0, rng.uniform(0.5, 0.9), 0.3))
    screen[top + 20 : top + 20 + length, x : x + 10] = (ramp[:, :, None] * tint).astype(np.uint8)


def _extras(screen: Pixels, rng: np.random.Generator, window: tuple[int, int, int, int]) -> None:
    """Thumbnails, a menu, a mark for the probe's side, a result; each on some screens only."""
    height, width = screen.shape[:2]
    left, top, right, bottom = window
    if rng.random() < 0.25 and width - right > 50:
        for i in range(3):
            y = top + 90 + 70 * i
            if y + 50 < height:
                thumb = rng.integers(20, 200, (12, 10, 1), dtype=np.uint8).repeat(3, axis=2)
                screen[y : y + 48, right + 4 : right + 44] = cv2.resize(thumb, (40, 48), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.4 and height - bottom > 20:
        screen[bottom + 3 :, :] = int(rng.integers(25, 60))
        for i, word in enumerate(("Biometry", "Doppler", "Report", "Store")):
            _write(screen, word, 20 + i * width // 5, height - 5, (220, 220, 220), 0.38)
    if rng.random() < 0.5:
        cv2.circle(screen, (left + round((right - left) * 0.12) + 20, top + 22), 7, (20, 190, 40), -1, cv2.LINE_AA)
