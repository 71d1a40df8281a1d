"""Percentiles are reported only if there are enough samples for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RARE = 1_000
"""Number of samples below which the 99.9th percentile would be just the largest one."""


def percentiles(samples_ms: Sequence[float]) -> dict[str, float | None]:
    """Compute p50, p90, p99, p99.9 (None under 1,000 samples) and max; all None without samples."""
    if not samples_ms:
        return dict.fromkeys(("p50", "p90", "p99", "p99.9", "max"))
    p50, p90, p99, p999 = np.percentile(np.asarray(samples_ms), (50, 90, 99, 99.9)).round(3).tolist()
    return {
        "p50": p50, "p90": p90, "p99": p99, "p99.9": p999 if len(samples_ms) >= RARE else None,
        "max": round(max(samples_ms), 3),
    }  # fmt: skip
