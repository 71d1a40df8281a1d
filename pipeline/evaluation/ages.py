"""Gestational ages are compared with measured heads: valid predictions, errors in days, the effect of gating by span.

HC18 has no true ages: a head implies the age at which its circumference is the WHO median.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.metrics import (
    FloatArray,
    LabelArray,
    Mask,
    Metric,
    share_with_interval,
    with_interval,
)
from fetalstream.pipeline.evaluation.vpr import COUNTED_HC_MM, is_valid
from fetalstream.pipeline.readout.gestation import geometric_mask, reference_readout, span
from fetalstream.streamer.growth import who_age_days

HC18_FRAME: Final = (800, 540)
"""Width and height of the published images."""

SELECTIVE_VPR: Final = 0.96
"""VPR that a threshold must reach on the exams that choose it: a little above the 95% aimed at on other exams."""


@dataclass(frozen=True, eq=False)
class AgeRows:
    """Age scores of N pictures with their measured heads.

    Attributes:
        rows: (N, 175) scores, 100 · image · text of every day.
        files: names of the N pictures.
        hc_mm: (N,) head circumferences.
        width_mm: (N,) widths of the pictures.
        aspect: (N,) height over width of the pictures.
    """

    rows: FloatArray
    files: tuple[str, ...]
    hc_mm: FloatArray
    width_mm: FloatArray
    aspect: FloatArray

    @property
    def exams(self) -> list[str]:
        """The exam of each picture, from its name: ``<exam>_HC.png`` or ``<exam>_2HC.png``."""
        return [file.split("_", 1)[0] for file in self.files]


def read_sizes(path: Path, frame: tuple[int, int] = HC18_FRAME) -> tuple[list[str], FloatArray]:
    """Read file names and widths (mm) from HC18's CSV: ``filename``, ``pixel size(mm)``, ``head circumference (mm)``.

    Raises:
        ConfigError: the file cannot be read, or has other columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines))
        files = [row["filename"] for row in rows]
        return files, np.array([float(row["pixel size(mm)"]) * frame[0] for row in rows])
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError, csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not HC18's table; wanted the columns filename and 'pixel size(mm)'") from error


def readouts(data: AgeRows) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Read three values a picture, each (N,): the reference day, the masked day, the unmasked row's span in days."""
    plain = np.array([reference_readout(row) for row in data.rows])
    masked = np.array(
        [
            reference_readout(geometric_mask(row, frame_width_mm=float(width), aspect=float(aspect)))
            for row, width, aspect in zip(data.rows, data.width_mm, data.aspect, strict=True)
        ]
    )
    return plain, masked, np.array([span(row) for row in data.rows])


def age_metrics(data: AgeRows, half_width_days: FloatArray | None = None) -> dict[str, Metric]:
    """Compute ``vpr``, ``vpr_masked``, ``vpr_selective`` with its ``coverage``, and ``median_error_days`` (masked).

    Only heads of 100 to 342 mm are counted. ``vpr_selective`` counts ages whose unmasked row spans no more days than a
    threshold; each half of the exams is judged by the threshold that the other half chose.

    Args:
        data: scores and heads of the pictures.
        half_width_days: (N,) half-width of each picture's 90% interval; adds ``interval_coverage``.
    """
    low, high = COUNTED_HC_MM
    counted = np.flatnonzero((data.hc_mm >= low) & (data.hc_mm <= high))
    plain, masked, spans = readouts(data)
    valid = [
        np.array([is_valid(day, hc) for day, hc in zip(days, data.hc_mm, strict=True)]) for days in (plain, masked)
    ]
    implied = np.array([who_age_days(hc) for hc in data.hc_mm])
    errors = np.abs(masked - implied)
    exams = np.array(data.exams)[counted]
    kept = _chosen_across(spans[counted], valid[1][counted], exams)

    def mean(values: FloatArray | Mask) -> Metric:
        own = values[counted]
        return share_with_interval(own, exams)

    found = {
        "vpr": mean(valid[0]),
        "vpr_masked": mean(valid[1]),
        "vpr_selective": share_with_interval(valid[1][counted][kept], exams[kept]),
        "coverage": share_with_interval(kept, exams),
        "median_error_days": with_interval(
            lambda rows: float(np.median(errors[counted][rows])) if len(rows) else None, exams
        ),
    }
    if half_width_days is not None:
        found["interval_coverage"] = mean(errors <= half_width_days)
    return found


def _chosen_across(spans: FloatArray, valid: Mask, exams: LabelArray) -> Mask:
    """Return (N,) whether a picture passes the threshold chosen on the other half of the exams (every second one)."""
    names = np.unique(exams)
    first_half = np.isin(exams, names[::2])
    kept = np.zeros(len(spans), dtype=bool)
    for own in (first_half, ~first_half):
        kept[own] = spans[own] <= _threshold(spans[~own], valid[~own])
    return kept


def _threshold(spans: FloatArray, valid: Mask) -> float:
    """Return the largest span up to which at least ``SELECTIVE_VPR`` of the ages are valid; -inf if there is none."""
    good = [limit for limit in np.unique(spans) if valid[spans <= limit].mean() >= SELECTIVE_VPR]
    return float(max(good, default=-np.inf))


def half_widths_of(days: Sequence[float], table: Sequence[tuple[float, float]]) -> FloatArray:
    """Look up 90% half-widths (days) of single frames in a model file's rows of (from_day, half_width)."""
    return np.array([next((half for start, half in reversed(table) if day >= start), table[0][1]) for day in days])
