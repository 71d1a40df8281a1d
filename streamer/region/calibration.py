"""Calibration: scan region and depth ruler as found on a source's screen, for a person to judge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
from PIL import Image

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.region.profiles import Profile, look_of
from fetalstream.streamer.region.region_keeper import CONFIDENT
from fetalstream.streamer.region.ruler import Ruler, read_ruler
from fetalstream.streamer.region.sector import Polygon
from fetalstream.streamer.region.sector_finder import FoundSector, find_sector
from fetalstream.streamer.signal import SignalMonitor, SignalState

_PICTURES: Final = 3  # looked at together
_APART_S: Final = 0.5


@dataclass(frozen=True, eq=False)
class Calibration:
    """A result of `look_at`.

    Attributes:
        pixels: the newest frame that was searched, uint8 ``(H, W)`` or ``(H, W, 3)``.
        sector: the scan region; None if none was found with confidence.
        ruler: the depth ruler; None if none could be read.
        state: of the newest frame; "sector_unknown" if no region was found on a living picture.
    """

    pixels: Pixels
    sector: FoundSector | None
    ruler: Ruler | None
    state: SignalState | Literal["sector_unknown"]

    def values(self) -> dict[str, Any]:
        """Return everything but the pixels as plain values."""
        sector, ruler = self.sector, self.ruler
        return {
            "sector": None if sector is None else {
                "polygon": [[round(x, 2), round(y, 2)] for x, y in sector.polygon],
                "rectangle": self._rectangle(sector),
                "confidence": round(sector.confidence, 4),
            },
            "ruler": None if ruler is None else {
                "spacing_mm": ruler.spacing_mm, "confidence": round(ruler.confidence, 4),
            },
            "state": self.state,
        }  # fmt: skip

    def profile(self, name: str) -> Profile:
        """Return a profile of that name with what was found.

        Raises:
            SourceError: no region was found, or the name is none.
        """
        if self.sector is None:
            raise SourceError("there is no scan region to remember")
        shape = Polygon(self.sector.polygon)
        height, width = self.pixels.shape[:2]
        if not name or not all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in name):
            raise SourceError("a scanner profile's name is made of letters, digits, - and _", name)
        return Profile(
            name=name, width=width, height=height, kind=self.sector.kind,
            sector=[[round(x, 2), round(y, 2)] for x, y in self.sector.polygon],
            tick_mm=None if self.ruler is None else self.ruler.tick_mm,
            spacing_mm=None if self.ruler is None else self.ruler.spacing_mm,
            look=look_of(self.pixels, shape),
        )  # fmt: skip

    def cells(self, columns: int) -> tuple[list[list[bool]], list[list[bool]]]:
        """Return a coarse map of the screen, twice: which cells are kept, and which have something in them.

        Args:
            columns: of the map; rows follow from the screen's shape, for letters twice as high as wide.
        """
        height, width = self.pixels.shape[:2]
        size = (columns, max(1, round(columns * height / width / 2)))
        inside = np.zeros((height, width), np.uint8)
        if self.sector is not None:
            cv2.fillPoly(inside, [np.rint(np.array(self.sector.polygon)).astype(np.int32)], (255,))
        gray = self.pixels if self.pixels.ndim == 2 else self.pixels.max(axis=2)
        kept = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_AREA)) > 127
        lit = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA)) > 12
        return kept.tolist(), lit.tolist()

    def _rectangle(self, sector: FoundSector) -> list[int]:
        rectangle = Polygon(sector.polygon).rectangle
        return [rectangle.x, rectangle.y, rectangle.width, rectangle.height]


def look_at(frames: Iterable[Frame], *, seconds: float) -> Calibration:
    """Find scan region and ruler on the first pictures that show a region.

    Args:
        frames: of a source.
        seconds: the media time, from 0, after which the search is given up.

    Raises:
        SourceError: there is no frame.
    """
    pictures: list[Pixels] = []
    newest: Pixels | None = None
    vain: Calibration | None = None
    monitor = SignalMonitor()
    state: SignalState = "no_signal"
    next_s = 0.0
    for frame in frames:
        if frame.pts_seconds > seconds:
            break
        newest, state = frame.pixels, monitor.update(frame)
        if pictures and newest.shape != pictures[0].shape:
            pictures = []
        if frame.pts_seconds >= next_s and state not in ("black", "no_signal"):
            pictures.append(newest)
            next_s = frame.pts_seconds + _APART_S
        if len(pictures) == _PICTURES:
            found, pictures = _found(pictures, state), []
            if found.sector is not None:
                return found
            vain = found
    if newest is None:
        raise SourceError("there is no frame in this source; give one that plays")
    return _found(pictures, state) if pictures else vain or Calibration(newest, None, None, state)


def _found(pictures: list[Pixels], state: SignalState) -> Calibration:
    found = find_sector(pictures)
    if found is None or found.confidence < CONFIDENT:
        return Calibration(pictures[-1], None, None, "sector_unknown")
    rectangle = Polygon(found.polygon).rectangle
    ruler = read_ruler(pictures, found.kind, (rectangle.y, rectangle.y + rectangle.height))
    return Calibration(pictures[-1], found, ruler, state)


def save_picture(found: Calibration, path: Path) -> None:
    """Save the screen as an image file, with the region's outline in green and the ruler's ends in red."""
    shown = found.pixels if found.pixels.ndim == 3 else np.repeat(found.pixels[:, :, None], 3, axis=2)
    shown = shown.copy()
    if found.sector is not None:
        cv2.polylines(shown, [np.rint(np.array(found.sector.polygon)).astype(np.int32)], True, (0, 255, 0), 1)
    if found.ruler is not None:
        for y in (found.ruler.first_y, found.ruler.last_y):
            cv2.line(shown, (found.ruler.x - 6, round(y)), (found.ruler.x + 6, round(y)), (255, 0, 0), 1)
    Image.fromarray(shown).save(path)
