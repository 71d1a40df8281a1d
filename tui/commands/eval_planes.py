"""``fetalstream eval planes`` and ``eval brain``: standard planes and subplanes of the brain on FETAL_PLANES_DB."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands import option_values as values
from fetalstream.tui.commands.eval_output import print_metrics
from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.progress import Progress, say
from fetalstream.tui.commands.unseen import judged_by
from fetalstream.tui.run.model_loading import load
from fetalstream.tui.settings.chosen_model import chosen_model
from fetalstream.tui.settings.settings import ModelSettings

if TYPE_CHECKING:
    from fetalstream.pipeline.evaluation.fetal_planes import LabelledPicture
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
    from fetalstream.pipeline.model.heads import HeadOutputs


def add(tasks: parts.Commands) -> None:
    """Declare the options and help of both tasks."""
    planes = parts.add_command(
        tasks, "planes", "standard planes on FETAL_PLANES_DB, with its pictures of no plane beside them"
    )
    brain = parts.add_command(tasks, "brain", "the brain's subplanes on FETAL_PLANES_DB")
    for task in (planes, brain):
        data_options(task)
        if task is planes:
            task.add_argument(
                "--fit", type=values.model_file, metavar="FILE.toml",
                help="fit when to say 'other' on half of the patients, write a model file, and judge the other half",
            )  # fmt: skip
        parts.json_option(task)
        parts.model_options(task)
        task.set_defaults(run_task=run)
    brain.set_defaults(fit=None)


def data_options(task: argparse.ArgumentParser) -> None:
    """Add what every task on a published data set takes."""
    task.add_argument("--data", type=Path, metavar="DIR", required=True, help="folder of the data set, unpacked")
    task.add_argument("--predictions", type=Path, metavar="FILE", help="write one CSV row a picture")


def run(options: argparse.Namespace) -> int:
    """Judge a model on the data set.

    Raises:
        ConfigError, ModelError: see `eval_planes`.
    """
    settings = chosen_model(options, ModelSettings())
    eval_planes(
        options.task, options.data, settings,
        predictions=options.predictions, as_json=options.json, fit=options.fit,
    )  # fmt: skip
    return DONE


def eval_planes(
    task: Any, data: Path, model: ModelSettings, *, predictions: Path | None, as_json: bool, fit: Path | None = None
) -> None:
    """Judge a model on FETAL_PLANES_DB and print the metrics.

    Args:
        task: "planes" or "brain".
        data: folder of the published data set.
        model: which model, and on what device.
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

    found_pictures = read_pictures(data, task)
    ready = load(model, say)
    judged = judged_by(ready, found_pictures, lambda picture: picture.path)
    pictures = judged.pictures
    with Progress(f"eval {task}", len(pictures)) as progress:
        scores = head_outputs_of(ready, pictures, progress.step)
    if fit is not None:
        ready, rows = _fitted(fit, ready, model, pictures, scores)
        pictures = [pictures[row] for row in rows]
        scores = [scores[row] for row in rows]
    found = predictions_of(ready, pictures, scores, task)
    if predictions is not None:
        write_predictions(predictions, found)
    table = None if as_json else confusion(found.truth, found.predicted)
    name, count = ready.model_info.name, len(pictures)
    print_metrics(task, name, count, plane_metrics(found), as_json=as_json, table=table, judged=judged)


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
    say(
        f"wrote {path}: on the other half of the patients, {point.true_positive_rate:.1%} of standard planes and "
        f"{point.false_positive_rate:.1%} of 'Other' pass its threshold; use it with --model {path}"
    )
    judged = replace(ready.model, config=config)
    return replace(ready, model=judged, model_info=model_info_of(judged, ready.banks)), np.flatnonzero(
        fitted.judged_on
    ).tolist()
