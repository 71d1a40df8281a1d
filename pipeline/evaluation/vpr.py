"""The valid prediction rate (VPR) is the share of predicted ages that agree with the measured head.

It is FetalCLIP's score on HC18 (arXiv 2502.14807), which has no true ages: a prediction is valid if the measured head
circumference lies within the WHO 2.5th to 97.5th percentile at the predicted age.
"""

from __future__ import annotations

from typing import Final

from fetalstream.streamer.growth import who_hc_mm

COUNTED_HC_MM: Final = (100.0, 342.0)
"""Range of heads that are counted: the WHO charts and the grid of days end there."""


def is_valid(days: float, hc_mm: float) -> bool:
    """Return whether a head of ``hc_mm`` lies within the central 95% of heads at ``days``."""
    weeks = days / 7
    return who_hc_mm(weeks, 2.5) <= hc_mm <= who_hc_mm(weeks, 97.5)
