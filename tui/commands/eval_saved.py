"""``fetalstream eval predictions``: saved labels of planes, or frames that ``eval phantom`` saved."""

from __future__ import annotations

import argparse
from pathlib import Path

from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands.eval_output import SAVED, print_metrics
from fetalstream.tui.commands.exit_codes import DONE


def add(tasks: parts.Commands) -> None:
    """Declare the command's options and help."""
    task = parts.add_command(tasks, "predictions", "saved predictions of planes, JSON or CSV")
    task.add_argument("file", type=Path, metavar="FILE")
    parts.json_option(task)
    task.set_defaults(run_task=run)


def run(options: argparse.Namespace) -> int:
    """Judge what was saved; no model is loaded.

    Raises:
        ConfigError: see `eval_predictions`.
    """
    eval_predictions(options.file, as_json=options.json)
    return DONE


def eval_predictions(file: Path, *, as_json: bool) -> None:
    """Judge the predictions in a file and print the metrics.

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
        print_metrics("phantom", SAVED, scans, phantom_metrics(frames), as_json=as_json, what="scans", over="scans")
        return
    exam_frames = read_exam_frames(file)
    if exam_frames is not None:
        exams = len({frame.exam for frame in exam_frames})
        print_metrics("phantom", SAVED, exams, exam_metrics(exam_frames), as_json=as_json, what="exams", over="exams")
        return
    found = read_predictions(file)
    table = None if as_json else confusion(found.truth, found.predicted)
    print_metrics("predictions", SAVED, len(found.truth), plane_metrics(found), as_json=as_json, table=table)
