"""``fetalstream eval``: the published benchmarks on the published data, and saved scores and predictions, scored."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fetalstream.tui.commands.loading import load
from fetalstream.tui.commands.progress import Progress
from fetalstream.tui.settings.settings import ModelSettings

if TYPE_CHECKING:
    from fetalstream.pipeline.evaluation.ages import AgeRows
    from fetalstream.pipeline.evaluation.fetal_planes import LabelledPicture
    from fetalstream.pipeline.evaluation.metrics import Metric
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
    from fetalstream.pipeline.model.heads import HeadOutputs
    from fetalstream.pipeline.simulation.exams import ExamFrame

SAVED = "saved"
"""Stands for the model where a file of scores or predictions is read: what made it is not known."""


def eval_planes(
    task: Any, data: Path, model: ModelSettings, *, predictions: Path | None, as_json: bool, fit: Path | None = None
) -> None:
    """``eval planes`` and ``eval brain``: FETAL_PLANES_DB.

    Args:
        task: "planes" or "brain".
        data: folder of the published data set.
        model: which model, and on what.
        predictions: where to write one CSV row a picture; None for nowhere.
        as_json: one line of JSON.
        fit: where to write a model file whose open-set constants were fitted on half of the patients; the other half
            is then what is judged. None to fit nothing.

    Raises:
        ConfigError, ModelError: one line that says what to do.
    """
    from fetalstream.pipeline.evaluation.fetal_planes import head_outputs_of, predictions_of, read_pictures
    from fetalstream.pipeline.evaluation.metrics import confusion
    from fetalstream.pipeline.evaluation.predictions import plane_metrics, write_predictions

    pictures = read_pictures(data, task)
    ready = load(model, _say)
    with Progress(f"eval {task}", len(pictures)) as progress:
        scores = head_outputs_of(ready, pictures, progress.step)
    if fit is not None:
        ready, judged = _fitted(fit, ready, model, pictures, scores)
        pictures = [pictures[row] for row in judged]
        scores = [scores[row] for row in judged]
    found = predictions_of(ready, pictures, scores, task)
    if predictions is not None:
        write_predictions(predictions, found)
    table = None if as_json else confusion(found.truth, found.predicted)
    _tell(task, ready.model_info.name, len(pictures), plane_metrics(found), as_json=as_json, table=table)


def _fitted(
    path: Path,
    ready: LoadedPipeline,
    model: ModelSettings,
    pictures: Sequence[LabelledPicture],
    scores: Sequence[HeadOutputs],
) -> tuple[LoadedPipeline, Sequence[int]]:
    """The model with fitted constants, written as a model file, and the rows of the pictures that are left to judge."""
    from dataclasses import replace

    import numpy as np

    from fetalstream.pipeline.errors import ConfigError
    from fetalstream.pipeline.model.loading import RANDOM
    from fetalstream.pipeline.model.model_file import write_model_file
    from fetalstream.pipeline.model.model_info import model_info_of
    from fetalstream.pipeline.training.stills_fit import LabelledStills, calibrated_config, fit_open_set

    if ready.model.weights_from == RANDOM:
        raise ConfigError("random weights are nothing to fit constants for: leave --weights or --fit out")
    stills = LabelledStills(
        np.array([picture.truth for picture in pictures]),
        np.array([picture.patient for picture in pictures]),
        ready.model_info.planes,
        np.array([each.plane_cosines for each in scores]),
        None if ready.banks.other is None else np.array([each.other_cosine for each in scores]),
    )
    fitted = fit_open_set(stills)
    weights = None if model.weights is None else Path(model.weights)
    config = calibrated_config(
        ready.model.config, fitted, stills, "FETAL_PLANES_DB", prompts=model.prompts, weights=weights
    )
    write_model_file(path, config)
    point = fitted.open_set.operating_point
    assert point is not None
    _say(
        f"wrote {path}: on the other half of the patients, {point.true_positive_rate:.1%} of standard planes and "
        f"{point.false_positive_rate:.1%} of 'Other' pass its threshold; use it with --model {path}"
    )
    judged = replace(ready.model, config=config)
    return replace(ready, model=judged, model_info=model_info_of(judged, ready.banks)), np.flatnonzero(
        fitted.judged_on
    ).tolist()


def eval_hc18(data: Path, model: ModelSettings, *, predictions: Path | None, as_json: bool) -> None:
    """``eval hc18``: ages of real heads. ``mini`` has learnt from some of the exams: it is judged on the others.

    Raises:
        ConfigError, ModelError: one line that says what to do.
    """
    from fetalstream.pipeline.evaluation.ages import age_metrics, half_widths_of, readouts
    from fetalstream.pipeline.evaluation.hc18 import age_rows, read_heads
    from fetalstream.pipeline.readout.gestation import HALF_WIDTHS
    from fetalstream.pipeline.training.stills import is_validation_exam

    ready = load(model, _say)
    bundled = ready.model.weights_from == "bundled"
    heads = read_heads(data, is_validation_exam if bundled else lambda _: True)
    if bundled:
        _say(f"{len(heads)} pictures of exams that {ready.model_info.name} never saw")
    with Progress("eval hc18", len(heads)) as progress:
        rows = age_rows(ready, heads, progress.step)
    _, masked, _ = readouts(rows)
    half_widths = half_widths_of(masked.tolist(), ready.model_info.half_widths or HALF_WIDTHS)
    if predictions is not None:
        _write_ages(predictions, rows)
    _tell("hc18", ready.model_info.name, len(heads), age_metrics(rows, half_widths), as_json=as_json)


def eval_phantom(
    seeds: Sequence[int], seconds: float, model: ModelSettings, *, predictions: Path | None, as_json: bool
) -> None:
    """``eval phantom``: whole scans through the pipeline, against their truth.

    Raises:
        ConfigError, ModelError: one line that says what to do.
    """
    from fetalstream.pipeline.simulation.phantom import JudgedFrame, phantom_metrics, write_frames
    from fetalstream.pipeline.simulation.phantom_run import frames_of

    ready = load(model, _say)
    frames: list[JudgedFrame] = []
    for done, seed in enumerate(seeds, start=1):
        frames += frames_of(seed, seconds, ready)
        _say(f"eval phantom: {done} of {len(seeds)} scans")
    if predictions is not None:
        write_frames(predictions, frames)
    _tell(
        "phantom",
        ready.model_info.name,
        len(seeds),
        phantom_metrics(frames),
        as_json=as_json,
        what="scans",
        over="scans",
    )


def eval_exams(seeds: Sequence[int], model: ModelSettings, *, predictions: Path | None, as_json: bool) -> None:
    """``eval phantom --exams``: ages of short examinations, against their truth.

    Raises:
        ConfigError, ModelError: one line that says what to do.
    """
    from fetalstream.pipeline.simulation.exam_run import brain_frames_of
    from fetalstream.pipeline.simulation.exams import exam_metrics, write_exam_frames

    ready = load(model, _say)
    with Progress("eval phantom --exams", len(seeds)) as progress:
        frames: list[ExamFrame] = []
        for seed in seeds:
            frames += [look.frame for look in brain_frames_of(seed, ready)]
            progress.step()
    if predictions is not None:
        write_exam_frames(predictions, frames)
    exams = len({frame.exam for frame in frames})
    _tell("phantom", ready.model_info.name, exams, exam_metrics(frames), as_json=as_json, what="exams", over="exams")


def eval_gestation_scores(file: Path, sizes: Path, *, as_json: bool) -> None:
    """``eval gestation-scores``: saved dot products, in the order of HC18's table.

    Raises:
        ConfigError, ModelError: one line that says what to do.
    """
    import numpy as np

    from fetalstream.pipeline.errors import ConfigError
    from fetalstream.pipeline.evaluation.ages import HC18_FRAME, AgeRows, age_metrics, read_sizes
    from fetalstream.pipeline.evaluation.scores_file import load_scores

    scores = load_scores(file)
    files, width_mm = read_sizes(sizes)
    if len(files) != len(scores.rows):
        raise ConfigError(
            f"{sizes} has {len(files)} rows, {file} has {len(scores.rows)}: they belong together by order"
        )
    width, height = HC18_FRAME
    rows = AgeRows(scores.rows, tuple(files), scores.hc_mm, width_mm, np.full(len(files), height / width))
    _tell("gestation-scores", SAVED, len(files), age_metrics(rows), as_json=as_json)


def eval_predictions(file: Path, *, as_json: bool) -> None:
    """``eval predictions``: saved labels of planes, or the frames that ``eval phantom`` saved.

    Raises:
        ConfigError: one line that says what to do.
    """
    from fetalstream.pipeline.evaluation.metrics import confusion
    from fetalstream.pipeline.evaluation.predictions import plane_metrics, read_predictions
    from fetalstream.pipeline.simulation.exams import exam_metrics, read_exam_frames
    from fetalstream.pipeline.simulation.phantom import phantom_metrics, read_frames

    frames = read_frames(file)
    if frames is not None:
        scans = len({frame.seed for frame in frames})
        _tell("phantom", SAVED, scans, phantom_metrics(frames), as_json=as_json, what="scans", over="scans")
        return
    exam_frames = read_exam_frames(file)
    if exam_frames is not None:
        exams = len({frame.exam for frame in exam_frames})
        _tell("phantom", SAVED, exams, exam_metrics(exam_frames), as_json=as_json, what="exams", over="exams")
        return
    found = read_predictions(file)
    table = None if as_json else confusion(found.truth, found.predicted)
    _tell("predictions", SAVED, len(found.truth), plane_metrics(found), as_json=as_json, table=table)


def _write_ages(path: Path, rows: AgeRows) -> None:
    from fetalstream.pipeline.evaluation.ages import readouts

    plain, masked, spans = readouts(rows)
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["file", "hc_mm", "day", "day_masked", "span_days"])
        writer.writerows(
            zip(rows.files, rows.hc_mm.tolist(), plain.tolist(), masked.tolist(), spans.tolist(), strict=True)
        )


def _tell(
    task: str, model: str, count: int, metrics: Mapping[str, Metric], *, as_json: bool,
    table: Mapping[str, Mapping[str, int]] | None = None, what: str = "pictures", over: str = "patients or exams",
) -> None:  # fmt: skip
    if as_json:
        plain = {name: metric.plain() for name, metric in metrics.items()}
        print(json.dumps({"task": task, "model": model, "n": count, "metrics": plain}, allow_nan=False))
        return
    from fetalstream.pipeline.evaluation.published import HEADLINE, PUBLISHED
    from fetalstream.pipeline.wire import NOTICE

    print(f"{task}: {model}, {count} {what}, 95% intervals over {over}")
    for name, metric in metrics.items():
        published = PUBLISHED.get(task, {}).get(model) if HEADLINE.get(task) == name else None
        beside = "" if published is None else f"   published {published:.2f}%"
        print(f"  {name:<32}{_value(name, metric)}{beside}")
    for truth, row in (table or {}).items():
        told = ", ".join(f"{label} {number}" for label, number in sorted(row.items(), key=lambda each: -each[1]))
        print(f"  {truth:<32}told as {told}")
    print(NOTICE)


_UNITS = {"_days": " days", "_seconds": " s", "_per_minute": " a minute", "_regret": ""}


def _value(name: str, metric: Metric) -> str:
    if metric.value is None:
        return "nothing to judge"
    low, high = metric.low, metric.high
    unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), None)
    if unit is not None:
        return f"{metric.value:.2f}{unit}" + ("" if low is None else f" ({low:.2f} to {high:.2f})")
    return f"{metric.value:.2%}" + ("" if low is None or high is None else f" ({low:.2%} to {high:.2%})")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
