"""What the commands about models and what they are worth do with their options: models, bench, eval, doctor."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from fetalstream.tui.commands.exit_codes import DONE, FAILED
from fetalstream.tui.settings.chosen_model import chosen_model
from fetalstream.tui.settings.settings import ModelSettings


def _models(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands import model_commands

    if options.what == "list":
        model_commands.show_list()
    elif options.what == "pull":
        model_commands.pull(options.name)
    elif options.what == "parity":
        return _parity(options)
    else:
        return DONE if model_commands.verify(options.names) else FAILED
    return DONE


def _parity(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands.parity_command import parity

    settings = chosen_model(options, ModelSettings())
    well = parity(settings, options.sources, spacing_mm=options.spacing, frames=options.frames, as_json=options.json)
    return DONE if well else FAILED


def _bench(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands.bench_command import bench

    bench(chosen_model(options, ModelSettings()), seconds=options.seconds, size=options.size, as_json=options.json)
    return DONE


def _eval(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands import eval_command

    if options.task == "gestation-scores":
        eval_command.eval_gestation_scores(options.file, options.sizes, as_json=options.json)
    elif options.task == "predictions":
        eval_command.eval_predictions(options.file, as_json=options.json)
    elif options.task == "phantom":
        settings = chosen_model(options, ModelSettings())
        if options.exams:
            seeds = options.seeds or range(2000, 2240)
            eval_command.eval_exams(seeds, settings, predictions=options.predictions, as_json=options.json)
        else:
            seeds = options.seeds or range(100, 120)
            eval_command.eval_phantom(
                seeds, options.seconds, settings, predictions=options.predictions, as_json=options.json
            )
    elif options.task == "hc18":
        settings = chosen_model(options, ModelSettings())
        eval_command.eval_hc18(options.data, settings, predictions=options.predictions, as_json=options.json)
    else:
        settings = chosen_model(options, ModelSettings())
        fit = options.fit if options.task == "planes" else None
        eval_command.eval_planes(
            options.task, options.data, settings, predictions=options.predictions, as_json=options.json, fit=fit
        )
    return DONE


def _doctor(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands.doctor import examine

    return DONE if examine(options.model) else FAILED


COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "models": _models,
    "bench": _bench,
    "eval": _eval,
    "doctor": _doctor,
}
