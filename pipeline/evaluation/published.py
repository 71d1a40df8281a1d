"""Published figures for comparison, in percent: FetalCLIP (arXiv 2502.14807), MobileFetalCLIP (arXiv 2603.05421)."""

from __future__ import annotations

from typing import Final

PUBLISHED: Final[dict[str, dict[str, float]]] = {
    "planes": {"fetalclip": 97.27, "clip": 30.77, "biomedclip": 60.34, "unimedclip": 67.95},
    "brain": {"fetalclip": 70.15, "mobilefetalclip": 78.4, "clip": 20.61, "biomedclip": 23.62, "unimedclip": 18.75},
    "hc18": {"fetalclip": 83.42, "mobilefetalclip": 88.6, "clip": 11.43, "biomedclip": 24.45, "unimedclip": 8.97},
}
"""Published figure by task and model: macro F1 for planes and subplanes, the valid prediction rate for HC18."""

HEADLINE: Final = {"planes": "f1", "brain": "f1", "hc18": "vpr"}
"""Metric of the published figure, by task."""
