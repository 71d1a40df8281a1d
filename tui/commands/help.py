"""``fetalstream help``: the help of a command, as ``--help`` shows it."""

from __future__ import annotations

import argparse

from fetalstream.tui.commands.option_parts import Commands, add_command


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = add_command(commands, "help", "show the help of a command")
    parser.add_argument("words", nargs="*", metavar="COMMAND", help="for example: run, or models pull (all commands)")
    return parser


def run(options: argparse.Namespace) -> int:
    """Show the help of a command; the parser then ends the process with 0, or with 2 if there is no such command."""
    options.parser.parse_args([*options.words, "--help"])
    raise AssertionError("--help ends the process")
