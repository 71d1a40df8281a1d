"""``fetalstream purge``: removes sessions that are old, or more than there is room for."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fetalstream.tui.commands.exit_codes import DONE, FAILED
from fetalstream.tui.commands.option_parts import Commands, add_command
from fetalstream.tui.errors import UsageError
from fetalstream.tui.settings.limits import read_age_s, read_size_bytes

_Value = TypeVar("_Value")


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = add_command(
        commands,
        "purge",
        "remove sessions that are old, or more than there is room for",
        "What is beyond either limit goes for good, after a question. A session that is being\n"
        "written stays, and so does everything that is no session or was given another name.",
    )
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="that sessions are in (your own)")
    parser.add_argument(
        "--older-than", type=_argument(read_age_s), metavar="AGE", help="those last written so long ago: 12h, 30d, 2w"
    )
    parser.add_argument(
        "--keep",
        type=_argument(read_size_bytes),
        metavar="SIZE",
        help="the oldest, until the rest has this: 500MB, 20GB",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def run(options: argparse.Namespace) -> int:
    """Remove what is due; failed if a session could not be removed.

    Raises:
        UsageError: no limit was given, or nobody can be asked.
        RetentionError: FOLDER is no folder of sessions.
    """
    if options.older_than is None and options.keep is None:
        raise UsageError("say what goes with --older-than AGE, --keep SIZE or both")
    if not (options.yes or options.dry_run or sys.stdin.isatty()):
        raise UsageError("nobody can be asked here, so nothing is removed: give --yes, or --dry-run")
    from fetalstream.tui.record.purge import purge
    from fetalstream.tui.record.session_files import sessions_folder

    own = sessions_folder()
    if options.folder is None and not own.exists():
        print(f"{own} is not there yet: nothing was ever recorded")
        return DONE
    removed = purge(
        options.folder or own,
        time.time(),
        older_than_s=options.older_than,
        keep_bytes=options.keep,
        agreed=lambda question: options.yes or _agreed(question),
        dry_run=options.dry_run,
    )
    return DONE if removed else FAILED


def _argument(read: Callable[[str], _Value]) -> Callable[[str], _Value]:
    """Turn the errors of a reader of values into argparse's own."""

    def argument(text: str) -> _Value:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return argument


def _agreed(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False
