"""``fetalstream eval``: a model judged on published data or on phantoms, and saved predictions scored.

A task is a module ``eval_<...>`` beside this one and a name in ``TASKS``.
"""

from __future__ import annotations

import argparse

from fetalstream.tui.commands import eval_ages, eval_phantom, eval_planes, eval_saved
from fetalstream.tui.commands.option_parts import Commands, add_command

TASKS = (eval_planes, eval_ages, eval_phantom, eval_saved)


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the options and help of all tasks."""
    parser = add_command(commands, "eval", "judge a model on published data, or score what was saved")
    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    for module in TASKS:
        module.add(tasks)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the task that was chosen.

    Raises:
        ConfigError, ModelError: the data, the model or the file cannot be used.
    """
    return options.run_task(options)
