"""Media times of a DICOM file's frames.

Source: DICOM PS3.3, C.7.6.5 (Cine Module) and C.7.6.6 (Multi-frame Module).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DEFAULT_RATE_HZ: Final = 25.0
_RATES_HZ: Final = (0.1, 1000.0)
_STILL_SECONDS: Final = 1.0  # a still stands for a second, as in a folder of images


def times_of(elements: Dataset, frames: int) -> tuple[Sequence[float], float, str | None]:
    """Seconds of each frame, the typical period, and a warning if the header gives neither."""
    if frames == 1:
        return (0.0,), _STILL_SECONDS, None
    steps = _steps(elements.get("FrameTimeVector"), frames)
    if steps is not None:
        times = tuple(itertools.accumulate((0.0, *steps[1:])))
        return times, times[-1] / (frames - 1), None
    low, high = _RATES_HZ
    # Frame Time is in milliseconds, the others in frames a second.
    milliseconds = _number(elements.get("FrameTime"))
    rates = [1000 / milliseconds if milliseconds else None]
    rates += [_number(elements.get(name)) for name in ("RecommendedDisplayFrameRate", "CineRate")]
    rate = next((each for each in rates if each is not None and low <= each <= high), None)
    warning = None if rate else f"does not say how fast it was taken; {_DEFAULT_RATE_HZ:g} frames a second are assumed"
    period = 1 / (rate or _DEFAULT_RATE_HZ)
    return EvenTimes(period, frames), period, warning


class EvenTimes(Sequence[float]):
    """Media times that are one period apart."""

    def __init__(self, period: float, count: int) -> None:
        self._period = period
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: Any) -> Any:
        return at * self._period


def _steps(vector: Any, frames: int) -> tuple[float, ...] | None:
    """Seconds from frame to frame (the first is before the first frame); None if they cannot be used."""
    if vector is None or isinstance(vector, str):
        return None
    try:
        steps = tuple(float(each) / 1000 for each in vector)
    except (TypeError, ValueError):
        return None
    low, high = _RATES_HZ
    believable = len(steps) == frames and all(1 / high <= step <= 1 / low for step in steps[1:])
    return steps if believable else None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None
