"""``fetalstream completion``: the script by which a shell completes commands, options and file names."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Final

from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.option_parts import Commands, add_command

_SHELLS: Final = ("bash", "zsh", "tcsh")
_FILES: Final = ("PATH", "FILE", "FILE.toml", "CSV", "SOURCE")
_FOLDERS: Final = ("DIR", "FOLDER", "SESSION")
_DETAILS = """\
bash: eval "$(fetalstream completion bash)" in ~/.bashrc
zsh:  fetalstream completion zsh > FOLDER/_fetalstream, where $fpath names FOLDER
tcsh: fetalstream completion tcsh > ~/.fetalstream.tcsh, and source that file in ~/.tcshrc"""


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = add_command(commands, "completion", "print the script by which a shell completes fetalstream", _DETAILS)
    parser.add_argument("shell", choices=_SHELLS, metavar="SHELL", help=", ".join(_SHELLS))
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the shell's completion script."""
    import shtab

    for argument in _arguments(options.parser):
        if argument.metavar in _FILES:
            argument.complete = shtab.FILE  # type: ignore[attr-defined] # shtab reads it from the argument
        elif argument.metavar in _FOLDERS:
            argument.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    print(shtab.complete(options.parser, shell=options.shell))
    return DONE


def _arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All arguments of a parser and of its commands, at every depth."""
    for argument in parser._actions:  # pyright: ignore[reportPrivateUsage] # argparse has no public name for them
        yield argument
        if isinstance(argument, argparse._SubParsersAction):  # pyright: ignore[reportPrivateUsage]
            for command in argument.choices.values():
                yield from _arguments(command)
