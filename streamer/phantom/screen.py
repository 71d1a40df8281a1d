"""A scanner's user interface round the phantom's picture: depth ruler, settings, and a made-up patient's name."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from fetalstream.streamer.frame import Pixels

# Where the 640x480 picture lies on the 800x600 screen: left, top, width, height.
PICTURE: Final = (96, 84, 640, 480)
_NAMES: Final = ("TESTPATIENT ADA", "SAMPLE ROSALIND", "EXAMPLE DOROTHY", "PHANTOM MARIE")


def with_screen(picture: Pixels, spacing_mm: float, seed: int, index: int) -> Pixels:
    """Return the whole screen, uint8 gray ``(600, 800)``.

    The ruler at the left has a tick every 10 mm, a longer one every 50 mm, from the picture's upper edge.
    """
    screen = np.zeros((600, 800), np.uint8)
    left, top, width, height = PICTURE
    screen[top : top + height, left : left + width] = picture
    _text(screen, _NAMES[seed % len(_NAMES)], 12, 24, 210)
    _text(screen, f"ID {seed * 7919 % 1_000_000:06d}", 12, 46, 190)
    _text(screen, f"C5-1 OB  {height * spacing_mm / 10:.1f}cm  MI 0.8", 300, 24, 200)
    _text(screen, f"14:{index // 1800 % 60:02d}:{index // 30 % 60:02d}", 690, 24, 200)
    for i, line in enumerate(("Gn  0", "DR 60", "P  90%")):
        _text(screen, line, 742, 110 + 20 * i, 150, 0.4)
    step = 10 / spacing_mm
    for tick in range(int(height / step) + 1):
        y = round(top + tick * step)
        cv2.line(screen, (70, y), (70 + (12 if tick % 5 == 0 else 5), y), (220,), 1)
    for y in range(100, 300):
        screen[y, 40:52] = round(255 * (300 - y) / 200)
    return screen


def _text(screen: Pixels, words: str, x: int, y: int, level: int, size: float = 0.5) -> None:
    cv2.putText(screen, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, (level,), 1, cv2.LINE_AA)
