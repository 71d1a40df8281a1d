"""Gestational ages against measured heads: how often valid, how far off, and what gating on the span is worth.

HC18 knows no true ages: the age that a head implies is the one at which it is the WHO median.
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
    RowIndices,
    share,
    with_interval,
)
from fetalstream.pipeline.evaluation.vpr import COUNTED_HC_MM, is_valid
from fetalstream.pipeline.readout.gestation import geometric_mask, reference_readout, span
from fetalstream.streamer.growth import who_age_days

HC18_FRAME: Final = (800, 540)
"""Width and height of the published images."""

SELECTIVE_VPR: Final = 0.96
"""What a threshold must reach on the exams that choose it: a little above the 95% that it is to hold elsewhere."""


@dataclass(frozen=True, eq=False)
class AgeRows:
    """(N, 175) ``rows`` of scores with each picture's file name, head (mm), width (mm) and height over width."""

    rows: FloatArray
    files: tuple[str, ...]
    hc_mm: FloatArray
    width_mm: FloatArray
    aspect: FloatArray

    @property
    def exams(self) -> list[str]:
        """HC18 names a picture ``<exam>_HC.png`` or ``<exam>_2HC.png``."""
        return [file.split("_", 1)[0] for file in self.files]


def read_sizes(path: Path, frame: tuple[int, int] = HC18_FRAME) -> tuple[list[str], FloatArray]:
    """File names and widths (mm) from HC18's CSV: ``filename``, ``pixel size(mm)``, ``head circumference (mm)``.

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
    """Of each picture: the reference day, the masked day, and the span of the unmasked row (days)."""
    plain = np.array([reference_readout(row) for row in data.rows])
    masked = np.array(
        [
            reference_readout(geometric_mask(row, frame_width_mm=float(width), aspect=float(aspect)))
            for row, width, aspect in zip(data.rows, data.width_mm, data.aspect, strict=True)
        ]
    )
    return plain, masked, np.array([span(row) for row in data.rows])


def age_metrics(data: AgeRows, half_width_days: FloatArray | None = None) -> dict[str, Metric]:
    """``vpr``, ``vpr_masked``, ``vpr_selective`` with its ``coverage``, ``median_error_days`` (masked).

    Only heads of 100 to 342 mm are counted. ``vpr_selective``: ages whose unmasked row spans no more days than a
    threshold, which is chosen on half of the exams and used on the other half, and the other way round.

    Args:
        data: the pictures.
        half_width_days: (N,) of each picture's 90% interval; adds ``interval_coverage``.
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
        return with_interval(lambda rows: share(own[rows]), exams)

    def of_kept(rows: RowIndices) -> float | None:
        chosen = rows[kept[rows]]
        return float(valid[1][counted][chosen].mean()) if len(chosen) else None

    found = {
        "vpr": mean(valid[0]),
        "vpr_masked": mean(valid[1]),
        "vpr_selective": with_interval(of_kept, exams),
        "coverage": with_interval(lambda rows: share(kept[rows]), exams),
        "median_error_days": with_interval(
            lambda rows: float(np.median(errors[counted][rows])) if len(rows) else None, exams
        ),
    }
    if half_width_days is not None:
        found["interval_coverage"] = mean(errors <= half_width_days)
    return found


def _chosen_across(spans: FloatArray, valid: Mask, exams: LabelArray) -> Mask:
    """(N,) bool: kept by the threshold that the other half of the exams chose. Exams are halved by turns."""
    names = np.unique(exams)
    first_half = np.isin(exams, names[::2])
    kept = np.zeros(len(spans), dtype=bool)
    for own in (first_half, ~first_half):
        kept[own] = spans[own] <= _threshold(spans[~own], valid[~own])
    return kept


def _threshold(spans: FloatArray, valid: Mask) -> float:
    """The largest span up to which enough of the ages are valid."""
    good = [limit for limit in np.unique(spans) if valid[spans <= limit].mean() >= SELECTIVE_VPR]
    return float(max(good, default=-np.inf))


def half_widths_of(days: Sequence[float], table: Sequence[tuple[float, float]]) -> FloatArray:
    """90% half-widths (days) of single frames, from a model file's rows of (from_day, half_width)."""
    return np.array([next((half for start, half in reversed(table) if day >= start), table[0][1]) for day in days])
