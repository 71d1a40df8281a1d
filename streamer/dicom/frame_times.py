"""Media times of a DICOM file's frames.

Source: DICOM PS3.3, C.7.6.5 (Cine Module) and C.7.6.6 (Multi-frame Module).
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DEFAULT_RATE_HZ: Final = 25.0
_RATES_HZ: Final = (0.1, 1000.0)
_FRAME_TIME: Final = 0x0018_1063
_FRAME_TIME_VECTOR: Final = 0x0018_1065
_FEWEST_STEPS: Final = 2
_STILL_SECONDS: Final = 1.0  # a still stands for a second, as in a folder of images


def times_of(elements: Dataset, frames: int) -> tuple[Sequence[float], float, str | None]:
    """Seconds of each frame, the typical period, and a warning if the header gives neither."""
    if frames == 1:
        return (0.0,), _STILL_SECONDS, None
    low, high = _RATES_HZ
    # Frame Time is in milliseconds, the others in frames a second.
    milliseconds = _number(elements.get("FrameTime"))
    rates = [1000 / milliseconds if milliseconds else None]
    rates += [_number(elements.get(name)) for name in ("RecommendedDisplayFrameRate", "CineRate")]
    rates = [each if each is not None and low <= each <= high else None for each in rates]
    rate = next((each for each in rates if each is not None), None)
    pointers = _pointers(elements.get("FrameIncrementPointer"))
    steps = _steps(elements.get("FrameTimeVector"), frames)
    outranked = _FRAME_TIME in pointers and rates[0] is not None
    in_doubt = steps is not None and len(steps) < frames and _FRAME_TIME_VECTOR not in pointers
    if steps is not None and not outranked and not (in_doubt and rate is not None):
        missing = frames - len(steps)
        steps += (statistics.median(steps[1:]),) * missing
        told = f"gives the times of {frames - missing} of {frames} frames; the others are guessed"
        times = tuple(itertools.accumulate((0.0, *steps[1:])))
        return times, times[-1] / (frames - 1), told if missing else None
    warning = None if rate else f"does not say how fast it was taken; {_DEFAULT_RATE_HZ:g} frames a second are assumed"
    period = 1 / (rate or _DEFAULT_RATE_HZ)
    return EvenTimes(period, frames), period, warning


def _pointers(value: Any) -> tuple[int, ...]:
    """Return the tags to which Frame Increment Pointer points."""
    try:
        return (int(value),) if isinstance(value, int) else tuple(int(each) for each in value or ())
    except (TypeError, ValueError, OverflowError):
        return ()


class EvenTimes(Sequence[float]):
    """Media times that are one period apart."""

    def __init__(self, period: float, count: int) -> None:
        self._period = period
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: Any) -> Any:
        if not 0 <= at < self._count:
            raise IndexError(at)
        return at * self._period


def _steps(vector: Any, frames: int) -> tuple[float, ...] | None:
    """Return seconds from frame to frame, for ``frames`` frames at most; None if the vector cannot be used.

    The first step lies before the first frame. Frames may have the same time, but not all of them.
    """
    if isinstance(vector, bytes):
        # A vector over 64 KB does not fit the length of its own kind of value, and is written as an unknown one.
        vector = vector.decode("ascii", "replace").strip(" \0").split("\\")
    if vector is None or isinstance(vector, str):
        return None
    try:
        steps = tuple(float(each) / 1000 for each in vector)[:frames]
    except (TypeError, ValueError, OverflowError):
        return None
    low, high = _RATES_HZ
    if len(steps) < _FEWEST_STEPS or not all(0 <= step <= 1 / low for step in steps[1:]):
        return None
    return steps if sum(steps[1:]) >= (len(steps) - 1) / high else None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None
