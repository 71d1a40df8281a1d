"""Reuse of the last answer: a picture that does not change need not be looked at again."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.readout.segment import Segment
from fetalstream.streamer.frame import Pixels

MAX_SECONDS: Final = 2.0
"""Media time after which even a picture that has not changed is looked at again."""

MAX_IN_A_ROW: Final = 120
"""Frames after which it is looked at again even if media time stands still or frames come very fast."""

# Levels between cells of two thumbnails. Noise of a level a pixel moves a cell by one at most, which is rounding;
# speckle that moves with tissue moves cells by ten, a heart that beats in a held picture or a caliper by five and more.
_CELL_LEVELS: Final = 2.0
_MEAN_LEVELS: Final = 0.5
_GAIN_LEVELS: Final = 3.0


class ReuseGate:
    """Decides for each frame whether the answer to the last analysed one holds for it too. Passive, media time."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the last answer: the next frame must be analysed."""
        self._segment: Segment | None = None
        self._anchor: Pixels = np.zeros((0, 0), np.uint8)
        self._since_seconds = 0.0
        self._in_a_row = 0

    def holds(self, segment: Segment, pts_seconds: float, thumbnail: Pixels) -> bool:
        """Return True if the last answer holds; if not, the frame must be analysed, and anchors what follows.

        Args:
            segment: the frame's; an answer holds only within its own.
            pts_seconds: the frame's media time.
            thumbnail: (h, w) gray, the mean of what each cell covers; see `streamer.signal.SignalMonitor`. It is
                compared with that of the frame that was analysed, so that slow change adds up.
        """
        fresh = 0 <= pts_seconds - self._since_seconds < MAX_SECONDS and self._in_a_row < MAX_IN_A_ROW
        if segment == self._segment and fresh and unchanged(self._anchor, thumbnail):
            self._in_a_row += 1
            return True
        self._segment, self._since_seconds, self._anchor, self._in_a_row = segment, pts_seconds, thumbnail, 0
        return False


def unchanged(before: Pixels, now: Pixels) -> bool:
    """Return True if two thumbnails (h, w) show the same picture, but for noise and a little gain.

    The mean difference is taken off first, because black borders and gain hide in it what happens to the picture; then
    neither the thumbnail as a whole nor any one cell may have changed: a small thing that moves changes few cells.
    """
    if before.shape != now.shape:
        return False
    change: npt.NDArray[np.int16] = cv2.subtract(now, before, dtype=cv2.CV_16S)  # pyright: ignore[reportAssignmentType]
    gain = cv2.mean(change)[0]
    if abs(gain) > _GAIN_LEVELS:
        return False
    low, high, _, _ = cv2.minMaxLoc(change)
    if max(high - gain, gain - low) > _CELL_LEVELS:
        return False
    return float(np.abs(change - gain).mean()) <= _MEAN_LEVELS
