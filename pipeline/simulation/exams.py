"""Ages of short phantom examinations are compared with the truth, from one `ExamFrame` a frame."""

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
from fetalstream.pipeline.readout.gestation import BRAIN

THIRD_TRIMESTER_DAYS: Final = 28 * 7
"""First day of the third trimester, 28w0d. The first trimester ends before the first day a model is asked about."""


class ExamFrame(NamedTuple):
    """A frame that was decided to show the brain, with its reading. Ages are None if none was given.

    Attributes:
        exam: seed of the examination.
        frame: index of the frame.
        true_days: true age.
        truth: plane, "other", or "" if the truth lies between.
        spacing_mm: mm per pixel of the model's input.
        days: the examination's age so far.
        low_days: lower end of its 90% interval.
        high_days: upper end of its 90% interval.
        frame_days: age from this frame alone.
        zooms: number of distinct zooms so far.
    """

    exam: int
    frame: int
    true_days: float
    truth: str
    spacing_mm: float
    days: float | None
    low_days: float | None
    high_days: float | None
    frame_days: float | None
    zooms: int | None


def exam_metrics(frames: Sequence[ExamFrame]) -> dict[str, Metric]:
    """Compute the metrics of all examinations, each with a 95% interval over examinations.

    ``dated`` is the share with an age at the end. Of these, at the end: ``median_error_days`` and ``mean_error_days``,
    ``half_width_days`` (median), ``interval_coverage``, the same by trimester and by distinct zooms. In comparison,
    ``single_frame_median_error_days`` and ``single_frame_mean_error_days`` of all frames that were named brain, each
    by itself, and ``on_plane_frame_median_error_days``, ``on_plane_frame_mean_error_days`` of those that truly show its
    plane.
    """
    exams = [list(rows) for _, rows in itertools.groupby(frames, key=lambda frame: frame.exam)]
    groups = [str(exam[0].exam) for exam in exams]
    ends = [[row for row in exam if row.days is not None][-1:] for exam in exams]
    metrics = {"dated": with_interval(lambda rows: _mean([len(ends[row]) for row in rows.tolist()]), groups)}

    def add(name: str, values: list[list[float]], of: Callable[[list[float]], float]) -> None:
        def pooled(rows: np.ndarray) -> float | None:
            pool = [value for row in rows.tolist() for value in values[row]]
            return of(pool) if pool else None

        metrics[name] = with_interval(pooled, groups)

    def covered(keep: Callable[[ExamFrame], bool]) -> list[list[float]]:
        return [[_is_covered(row) for row in end if keep(row)] for end in ends]

    errors = [[abs((row.days or 0.0) - row.true_days) for row in end] for end in ends]
    add("median_error_days", errors, statistics.median)
    add("mean_error_days", errors, statistics.fmean)
    for name, keep in (("single", lambda _: True), ("on_plane", lambda row: row.truth == BRAIN)):
        alone = [
            [abs(row.frame_days - row.true_days) for row in exam if row.frame_days is not None and keep(row)]
            for exam in exams
        ]
        add(f"{name}_frame_median_error_days", alone, statistics.median)
        add(f"{name}_frame_mean_error_days", alone, statistics.fmean)
    halves = [[((row.high_days or 0.0) - (row.low_days or 0.0)) / 2 for row in end] for end in ends]
    add("half_width_days", halves, statistics.median)
    add("interval_coverage", covered(lambda _: True), statistics.fmean)
    add("interval_coverage_second_trimester", covered(lambda e: e.true_days < THIRD_TRIMESTER_DAYS), statistics.fmean)
    add("interval_coverage_third_trimester", covered(lambda e: e.true_days >= THIRD_TRIMESTER_DAYS), statistics.fmean)
    for zooms in sorted({end[0].zooms for end in ends if end and end[0].zooms is not None}):
        add(f"interval_coverage_{zooms}_zooms", covered(lambda row, z=zooms: row.zooms == z), statistics.fmean)
    return metrics


def write_exam_frames(path: Path, frames: Iterable[ExamFrame]) -> None:
    """Write one CSV row a frame, with the field names of `ExamFrame` as header; None is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(ExamFrame._fields)
        writer.writerows(frames)


def read_exam_frames(path: Path) -> list[ExamFrame] | None:
    """Read a file of `write_exam_frames`; None if the file is something else, or cannot be read at all.

    Raises:
        ConfigError: a row of such a table cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            table = csv.DictReader(lines)
            if tuple(table.fieldnames or ()) != ExamFrame._fields:
                return None
            try:
                return [_parsed(row) for row in table]
            except (TypeError, ValueError, csv.Error) as error:
                raise ConfigError(f"{path}, line {table.line_num}: {error}") from None
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def _parsed(row: Mapping[str, str]) -> ExamFrame:
    days, low, high, alone = (
        float(row[name]) if row[name] else None for name in ("days", "low_days", "high_days", "frame_days")
    )
    return ExamFrame(
        int(row["exam"]), int(row["frame"]), float(row["true_days"]), row["truth"], float(row["spacing_mm"]),
        days, low, high, alone, int(row["zooms"]) if row["zooms"] else None,
    )  # fmt: skip


def _is_covered(row: ExamFrame) -> float:
    low, high = row.low_days, row.high_days
    return float(low is not None and high is not None and low <= row.true_days <= high)


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None
