"""Valid prediction rate (VPR): how often a predicted age agrees with the measured head.

FetalCLIP's score on HC18 (arXiv 2502.14807), which knows no true ages: a prediction is valid where the measured head
circumference lies within the WHO 2.5th to 97.5th percentile at the predicted age.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from fetalstream.streamer.growth import who_hc_mm

COUNTED_HC_MM: Final = (100.0, 342.0)
"""Heads outside are not counted: the WHO charts and the grid of days end there."""


class Rate(NamedTuple):
    """``valid`` of ``counted`` images."""

    valid: int
    counted: int

    @property
    def percent(self) -> float | None:
        """None where nothing was counted."""
        return 100 * self.valid / self.counted if self.counted else None


def is_valid(days: float, hc_mm: float) -> bool:
    """Whether a head of ``hc_mm`` lies within the central 95% of heads at ``days``."""
    weeks = days / 7
    return who_hc_mm(weeks, 2.5) <= hc_mm <= who_hc_mm(weeks, 97.5)


def valid_prediction_rate(days: Sequence[float], hc_mm: Sequence[float]) -> Rate:
    """VPR of predicted ages (days) against measured heads (mm), image by image.

    Raises:
        ValueError: the two differ in length.
    """
    low, high = COUNTED_HC_MM
    verdicts = [is_valid(age, hc) for age, hc in zip(days, hc_mm, strict=True) if low <= hc <= high]
    return Rate(sum(verdicts), len(verdicts))
