"""Signal states: a living scan, a frozen one, a dark screen, or no scanner at all."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.streamer.frame import Frame, Pixels

SignalState = Literal["live", "frozen", "black", "no_signal"]

_THUMBNAIL = (64, 48)  # width, height: cells average away noise of the cable, not a beating heart
_ROWS_READ, _COLUMNS_READ = 240, 480  # more of a frame adds nothing to its thumbnail
_STILL_LEVELS = 2  # a frozen screen, grabbed and compressed, moves a cell less than this; a living scan ten times more
_FROZEN_SECONDS = 0.5
_DARK_LEVEL = 16
_DARK_SHARE = 0.99
_UNIFORM_LEVELS = 3
_UNIFORM_SHARE = 0.95  # the rest may be the words NO SIGNAL
_BARS_HEIGHT = 0.6  # test patterns put other things below their bars
_BARS_LEVELS = 4
_BARS_CONTRAST = 40
_BARS_ROWS = 6
_BARS_COLUMNS = 0.4
_LEAST_SHARE = 0.1


class SignalMonitor:
    """Classifies frame after frame by its kind of picture. Passive: time is the frames' media time.

    ``black``: almost everything is dark. ``no_signal``: one colour but for a few words, or colour bars: what a grabber
    shows without a scanner. ``frozen``: nothing has moved for half a second. ``live``: everything else.
    Give it the frame cropped to its sector, so that a clock outside does not keep a frozen scan alive.
    """

    def __init__(self) -> None:
        self._previous: Frame | None = None
        self._thumbnail: Pixels = np.zeros(_THUMBNAIL[::-1], np.uint8)
        self._still: Pixels | None = None  # the thumbnail at which the stillness began: slow drift adds up against it
        self._still_since = 0.0
        self._identical = False

    @property
    def identical(self) -> bool:
        """True if the newest frame has the very pixels of the one before it, in the same epoch."""
        return self._identical

    @property
    def thumbnail(self) -> Pixels:
        """The newest frame, gray ``(48, 64)``, each cell the mean of what it covers; never changed afterwards."""
        return self._thumbnail

    def update(self, frame: Frame) -> SignalState:
        """Take in the next frame; return the state."""
        thumbnail = _thumbnail(frame.pixels)
        self._identical = self._repeats(frame, thumbnail)
        seconds = self._seconds_still(frame, thumbnail)
        self._previous, self._thumbnail = frame, thumbnail
        if (thumbnail <= _DARK_LEVEL).mean() >= _DARK_SHARE:
            return "black"
        lit = _well_lit(thumbnail)
        if _is_uniform(thumbnail[lit]) or _is_bars(thumbnail, lit):
            return "no_signal"
        return "frozen" if seconds >= _FROZEN_SECONDS else "live"

    def _repeats(self, frame: Frame, thumbnail: Pixels) -> bool:
        previous = self._previous
        if previous is None or previous.epoch != frame.epoch or previous.pixels.shape != frame.pixels.shape:
            return False
        if not np.array_equal(self._thumbnail, thumbnail):
            return False
        return cv2.norm(previous.pixels, frame.pixels, cv2.NORM_INF) == 0

    def _seconds_still(self, frame: Frame, thumbnail: Pixels) -> float:
        same_epoch = self._previous is not None and self._previous.epoch == frame.epoch
        moved = self._still is None or cv2.norm(self._still, thumbnail, cv2.NORM_INF) > _STILL_LEVELS
        if not same_epoch or moved or frame.pts_seconds < self._still_since:
            self._still, self._still_since = thumbnail, frame.pts_seconds
        return frame.pts_seconds - self._still_since


def _thumbnail(pixels: Pixels) -> Pixels:
    """Gray ``(48, 64)``, each cell the mean of what it covers."""
    down, across = max(1, pixels.shape[0] // _ROWS_READ), max(1, pixels.shape[1] // _COLUMNS_READ)
    small = cv2.resize(pixels[::down, ::across], _THUMBNAIL, interpolation=cv2.INTER_AREA)
    if small.ndim == 3:
        small = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return np.asarray(small, dtype=np.uint8)


def _well_lit(thumbnail: Pixels) -> npt.NDArray[np.bool_]:
    """Cells that are not dark, nor beside a dark one: what a mask has blackened must not count as part of a picture."""
    lit = (thumbnail > _DARK_LEVEL).astype(np.uint8)
    return cv2.erode(lit, np.ones((3, 3), np.uint8)).astype(np.bool_)


def _is_uniform(cells: Pixels) -> bool:
    """Tell whether nearly all well-lit cells have about the median level; False if they are few."""
    if cells.size < _LEAST_SHARE * _THUMBNAIL[0] * _THUMBNAIL[1]:
        return False
    median = int(np.median(cells))
    near = np.abs(cells.astype(np.int16) - median) <= _UNIFORM_LEVELS
    return bool(near.mean() >= _UNIFORM_SHARE)


def _is_bars(thumbnail: Pixels, lit: npt.NDArray[np.bool_]) -> bool:
    """Tell whether the upper part is made of upright bars, which no scan is: even columns that differ much."""
    rows = int(thumbnail.shape[0] * _BARS_HEIGHT)
    upper, seen = thumbnail[:rows], lit[:rows]
    visible = seen.sum(axis=0) >= _BARS_ROWS
    if visible.mean() < _BARS_COLUMNS:
        return False
    top = np.where(seen, upper, 0).max(axis=0)[visible].astype(int)
    bottom = np.where(seen, upper, 255).min(axis=0)[visible].astype(int)
    return int((top - bottom).max()) <= _BARS_LEVELS and int(top.max() - bottom.min()) >= _BARS_CONTRAST
