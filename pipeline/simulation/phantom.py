"""Whole phantom scans are compared with their truth: decisions over time, keyframes, ages.

One `JudgedFrame` a frame is all that is kept, and all metrics come from these rows, so that the metrics can be computed
again from a CSV file of them, without a model. `pipeline.simulation.phantom_run` makes the rows.
"""

from __future__ import annotations

import csv
import itertools
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.metrics import Metric, with_interval
from fetalstream.pipeline.evaluation.temporal_metrics import UNSCORED, TemporalOutcome, temporal_outcome, total
from fetalstream.pipeline.readout.gestation import BRAIN
from fetalstream.pipeline.wire import OTHER

SEEN_SECONDS: Final = 1.0
"""A plane that was in view for less time is not expected to have a keyframe."""

GOOD_REGRET: Final = 0.05
"""Largest regret of a good keyframe: its in-plane value less than that of the best frame of the scan."""


class JudgedFrame(NamedTuple):
    """A frame's truth and its reading. Ages are None if none was given.

    Attributes:
        seed: seed of the scan.
        frame: index of the frame.
        pts_seconds: media time.
        truth: plane, "other", or "" if the truth lies between and is not scored.
        body: plane in view, or "".
        in_plane: 0 to 1, how well ``body`` is hit.
        prediction: decided plane, or "other".
        single_frame: label of the largest probability of this frame.
        moving_average: label of the largest mean probability.
        best_of: plane whose keyframe this frame was at the end of the scan, or "".
        true_days: true age.
        days: the examination's age.
        low_days: lower end of its 90% interval.
        high_days: upper end of its 90% interval.
        frame_days: age from this frame alone.
    """

    seed: int
    frame: int
    pts_seconds: float
    truth: str
    body: str
    in_plane: float
    prediction: str
    single_frame: str
    moving_average: str
    best_of: str
    true_days: float
    days: float | None
    low_days: float | None
    high_days: float | None
    frame_days: float | None


def phantom_metrics(frames: Sequence[JudgedFrame]) -> dict[str, Metric]:
    """Compute the metrics of all scans, each with a 95% interval over scans.

    ``segment_f1``, ``flicker_per_minute``, ``naming_delay_seconds``, ``other_recall``, ``plane_accuracy``: see
    `pipeline.evaluation.temporal_metrics`; plain names for the decisions, with ``single_frame_`` or ``moving_average_``
    in front for the baselines. ``keyframe_regret``: 95th percentile of `keyframe_regrets`;
    ``keyframe_within_5_percent``: the share of regrets up to ``GOOD_REGRET``. ``median_error_days`` and
    ``interval_coverage``: of the examination's age at the end of each scan; ``single_frame_median_error_days``: of
    brain frames alone.
    """
    scans = [list(rows) for _, rows in itertools.groupby(frames, key=lambda frame: frame.seed)]
    seeds = [str(scan[0].seed) for scan in scans]
    metrics: dict[str, Metric] = {}
    for name, prediction_of in _PREDICTORS.items():
        judged = [_over_time(scan, prediction_of) for scan in scans]
        for measure in judged[0].metrics() if judged else ():
            metrics[name + measure] = with_interval(_sum_of(judged, measure), seeds)
    regrets = [keyframe_regrets(scan) for scan in scans]
    singles = [
        [abs(row.frame_days - row.true_days) for row in scan if row.truth == BRAIN and row.frame_days is not None]
        for scan in scans
    ]
    ends = [[abs(row.days - row.true_days) for row in scan if row.days is not None][-1:] for scan in scans]
    covered = [
        [
            float(row.low_days <= row.true_days <= row.high_days)
            for row in scan
            if row.low_days is not None and row.high_days is not None
        ][-1:]
        for scan in scans
    ]
    for name, values, of in (
        ("keyframe_regret", regrets, lambda found: float(np.percentile(found, 95, method="higher"))),
        ("keyframe_within_5_percent", regrets, lambda found: statistics.fmean(value <= GOOD_REGRET for value in found)),
        ("median_error_days", ends, statistics.median),
        ("single_frame_median_error_days", singles, statistics.median),
        ("interval_coverage", covered, statistics.fmean),
    ):
        metrics[name] = with_interval(_pooled(values, of), seeds)
    return metrics


def keyframe_regrets(scan: Sequence[JudgedFrame]) -> list[float]:
    """Return the regret of each plane in view for ``SEEN_SECONDS``: the largest in-plane value less the keyframe's.

    Without a keyframe, or with one that shows another plane, the regret is the whole in-plane value.
    """
    if len(scan) < 2:
        return []
    rate_hz = (len(scan) - 1) / (scan[-1].pts_seconds - scan[0].pts_seconds)
    regrets: list[float] = []
    for plane in sorted({row.truth for row in scan} - {UNSCORED, OTHER}):
        shown = [row.in_plane for row in scan if row.truth == plane]
        if len(shown) < SEEN_SECONDS * rate_hz:
            continue
        kept = next((row for row in scan if row.best_of == plane), None)
        regrets.append(max(shown) - (kept.in_plane if kept is not None and kept.body == plane else 0.0))
    return regrets


def write_frames(path: Path, frames: Iterable[JudgedFrame]) -> None:
    """Write one CSV row a frame, with the field names of `JudgedFrame` as header; None is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(JudgedFrame._fields)
        writer.writerows(frames)


def read_frames(path: Path) -> list[JudgedFrame] | None:
    """Read a file of `write_frames`; None if the file is something else, or cannot be read at all.

    Raises:
        ConfigError: a row of such a table cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            table = csv.DictReader(lines)
            return _rows(path, table) if tuple(table.fieldnames or ()) == JudgedFrame._fields else None
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def _rows(path: Path, table: csv.DictReader[str]) -> list[JudgedFrame]:
    try:
        return [_parsed(row) for row in table]
    except (TypeError, ValueError, csv.Error) as error:
        raise ConfigError(f"{path}, line {table.line_num}: {error}") from None


def _parsed(row: Mapping[str, str]) -> JudgedFrame:
    age = {name: float(row[name]) if row[name] else None for name in JudgedFrame._fields[-4:]}
    return JudgedFrame(
        seed=int(row["seed"]), frame=int(row["frame"]), pts_seconds=float(row["pts_seconds"]), truth=row["truth"],
        body=row["body"], in_plane=float(row["in_plane"]), prediction=row["prediction"],
        single_frame=row["single_frame"], moving_average=row["moving_average"], best_of=row["best_of"],
        true_days=float(row["true_days"]), **age,
    )  # fmt: skip


_PREDICTORS: Final[dict[str, Callable[[JudgedFrame], str]]] = {
    "": lambda row: row.prediction,
    "moving_average_": lambda row: row.moving_average,
    "single_frame_": lambda row: row.single_frame,
}


def _over_time(scan: Sequence[JudgedFrame], prediction_of: Callable[[JudgedFrame], str]) -> TemporalOutcome:
    return temporal_outcome(
        [row.pts_seconds for row in scan], [row.truth for row in scan], [prediction_of(row) for row in scan]
    )


def _sum_of(judged: Sequence[TemporalOutcome], measure: str) -> Callable[[np.ndarray], float | None]:
    return lambda rows: total(judged[row] for row in rows.tolist()).metrics()[measure]


def _pooled(
    values: Sequence[Sequence[float]], of: Callable[[list[float]], float]
) -> Callable[[np.ndarray], float | None]:
    def statistic(rows: np.ndarray) -> float | None:
        pool = [value for row in rows.tolist() for value in values[row]]
        return of(pool) if pool else None

    return statistic
