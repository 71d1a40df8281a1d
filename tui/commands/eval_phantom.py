"""``fetalstream eval phantom``: decisions over time, best frames and ages against the phantom's truth."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands import option_values as values
from fetalstream.tui.commands.eval_output import print_metrics
from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.progress import Progress, say
from fetalstream.tui.run.model_loading import load
from fetalstream.tui.settings.chosen_model import chosen_model
from fetalstream.tui.settings.settings import ModelSettings

if TYPE_CHECKING:
    from fetalstream.pipeline.simulation.exams import ExamFrame
    from fetalstream.pipeline.simulation.phantom import JudgedFrame

SCAN_SEEDS = range(100, 120)
EXAM_SEEDS = range(2000, 2240)


def add(tasks: parts.Commands) -> None:
    """Declare the command's options and help."""
    task = parts.add_command(tasks, "phantom", "decisions over time, best frames and ages against the phantom's truth")
    task.add_argument(
        "--exams",
        action="store_true",
        help="short examinations of the brain instead, one a seed: how good is their age",
    )
    task.add_argument(
        "--seeds", type=values.seeds, metavar="SEEDS", help="FIRST-LAST or a list (100-119; with --exams 2000-2239)"
    )
    task.add_argument("--seconds", type=float, default=60.0, help="of each scan (default 60)")
    task.add_argument("--predictions", type=Path, metavar="FILE", help="write one CSV row a frame")
    parts.json_option(task)
    parts.model_options(task)
    task.set_defaults(run_task=run)


def run(options: argparse.Namespace) -> int:
    """Judge a model on whole scans, or on short examinations.

    Raises:
        ConfigError, ModelError: the model cannot be used.
    """
    settings = chosen_model(options, ModelSettings())
    if options.exams:
        eval_exams(options.seeds or EXAM_SEEDS, settings, predictions=options.predictions, as_json=options.json)
    else:
        eval_scans(
            options.seeds or SCAN_SEEDS, options.seconds, settings,
            predictions=options.predictions, as_json=options.json,
        )  # fmt: skip
    return DONE


def eval_scans(
    seeds: Sequence[int], seconds: float, model: ModelSettings, *, predictions: Path | None, as_json: bool
) -> None:
    """Judge the whole pipeline on phantom scans and print the metrics.

    Raises:
        ConfigError, ModelError: one line that says what to do.
    """
    from fetalstream.pipeline.simulation.phantom import phantom_metrics, write_frames
    from fetalstream.pipeline.simulation.phantom_run import frames_of

    ready = load(model, say)
    frames: list[JudgedFrame] = []
    for done, seed in enumerate(seeds, start=1):
        frames += frames_of(seed, seconds, ready)
        say(f"eval phantom: {done} of {len(seeds)} scans")
    if predictions is not None:
        write_frames(predictions, frames)
    print_metrics(
        "phantom",
        ready.model_info.name,
        len(seeds),
        phantom_metrics(frames),
        as_json=as_json,
        what="scans",
        over="scans",
    )


def eval_exams(seeds: Sequence[int], model: ModelSettings, *, predictions: Path | None, as_json: bool) -> None:
    """Judge the ages of short phantom examinations and print the metrics.

    Raises:
        ConfigError, ModelError: one line that says what to do.
    """
    from fetalstream.pipeline.simulation.exam_run import brain_frames_of
    from fetalstream.pipeline.simulation.exams import exam_metrics, write_exam_frames

    ready = load(model, say)
    with Progress("eval phantom --exams", len(seeds)) as progress:
        frames: list[ExamFrame] = []
        for seed in seeds:
            frames += [look.frame for look in brain_frames_of(seed, ready)]
            progress.step()
    if predictions is not None:
        write_exam_frames(predictions, frames)
    exams = len({frame.exam for frame in frames})
    print_metrics(
        "phantom", ready.model_info.name, exams, exam_metrics(frames), as_json=as_json, what="exams", over="exams"
    )
