"""``fetalstream models``: list the models, download and check their weights; ``parity`` has a file of its own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fetalstream.tui.commands import models_parity
from fetalstream.tui.commands.columns import columns
from fetalstream.tui.commands.exit_codes import DONE, FAILED
from fetalstream.tui.commands.option_parts import Commands, add_command
from fetalstream.tui.commands.progress import say

if TYPE_CHECKING:
    from fetalstream.pipeline.model.loading import ModelStatus


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = add_command(commands, "models", "list, download and check models")
    tasks = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    add_command(tasks, "list", "list models, and whether their weights are on this machine")
    pull = add_command(tasks, "pull", "download a model's weights, and check them")
    pull.add_argument("name", metavar="NAME")
    verify = add_command(tasks, "verify", "check that weights are what they should be, and fit")
    verify.add_argument("names", nargs="*", metavar="NAME", help="all that are on this machine if none is given")
    models_parity.add(tasks)
    return parser


def run(options: argparse.Namespace) -> int:
    """Do what was asked; ``verify`` and ``parity`` fail if a model does not pass.

    Raises:
        ConfigError, ModelError, SourceError: one line that says what to do.
    """
    if options.what == "parity":
        return models_parity.run(options)
    if options.what == "verify":
        return DONE if verify(options.names) else FAILED
    if options.what == "pull":
        pull(options.name)
    else:
        show_list()
    return DONE


def show_list() -> None:
    """Print all models, a line each.

    Raises:
        ConfigError: a model file cannot be read.
    """
    from fetalstream.pipeline.model.loading import list_models

    rows = [("MODEL", "WEIGHTS", "CALIBRATED", "LICENCE", "WHAT IT IS")]
    rows += [_row(status) for status in list_models()]
    print("\n".join(columns(rows)))


def pull(name: str) -> None:
    """Download weights that are not here, and check them.

    Raises:
        ConfigError, ModelError: no such model, no network, or not what it should be.
    """
    from fetalstream.pipeline.model.loading import pull as fetch

    status = fetch(name, say)
    print(f"{status.name}: {status.path}")
    print(f"licence: {status.licence}")


def verify(names: Sequence[str]) -> bool:
    """Check the named models, or all that are here, and print a line on each; return whether all passed.

    Raises:
        ConfigError: no such model, or a model file that cannot be read.
    """
    from fetalstream.pipeline.errors import ModelError
    from fetalstream.pipeline.model.loading import list_models
    from fetalstream.pipeline.model.loading import verify as check

    passed = True
    for name in names or [status.name for status in list_models() if status.path is not None]:
        try:
            found = check(name, say)
        except ModelError as error:
            print(f"{name}: {error}")
            passed = False
        else:
            pinned = "pinned by its model file" if found.pinned else "recorded at first sight"
            print(
                f"{name}: well; {found.tensors} tensors, {found.parameters / 1e6:.1f} million numbers, "
                f"SHA-256 {found.sha256[:12]}… ({pinned})"
            )
    return passed


def _row(status: ModelStatus) -> tuple[str, ...]:
    if status.path is not None:
        weights = "here"
    elif status.weights.startswith("bundled"):
        weights = "missing: install fetalstream again"
    else:
        weights = f"fetalstream models pull {status.name}"
    return (status.name, weights, "yes" if status.calibrated_on else "no", status.licence, status.description)
