"""``fetalstream``: the one entry point of all commands.

A command is a module of its name in `fetalstream.tui.commands` and a line in ``COMMANDS``: ``add`` declares its options
and help, ``run`` carries it out. Whatever is heavy is imported inside ``run``, so that help comes at once.

Exit codes: 0 done, 1 failed, 2 wrong usage. An error is one line that says what is wrong and what to do.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NoReturn, Protocol, cast

from fetalstream.pipeline.wire import NOTICE
from fetalstream.streamer.errors import UserError as UserErrorBelow
from fetalstream.streamer.errors import without_credentials
from fetalstream.tui.commands.exit_codes import FAILED, WRONG_USAGE
from fetalstream.tui.commands.option_parts import Commands, HelpText, Parser
from fetalstream.tui.errors import UsageError, UserError
from fetalstream.tui.run.model_loading import versions
from fetalstream.tui.run.process_title import hide_addresses
from fetalstream.tui.state.text import plain

COMMANDS: Final = (
    "demo",
    "run",
    "calibrate",
    "sources",
    "watch",
    "record",
    "analyze",
    "replay",
    "search",
    "report",
    "explain",
    "export",
    "purge",
    "models",
    "bench",
    "eval",
    "doctor",
    "completion",
    "help",
)
"""In the order of the help."""

_LONGEST_ERROR: Final = 600


class CommandModule(Protocol):
    """A module of `fetalstream.tui.commands` with the name of its command."""

    def add(self, commands: Commands) -> argparse.ArgumentParser:
        """Declare the options and the help, and return the command's parser."""
        ...

    def run(self, options: argparse.Namespace) -> int:
        """Carry the command out and return the exit code.

        Raises:
            UsageError: the options do not go together.
            streamer.errors.UserError, tui.errors.UserError: it failed; the message is for people.
        """
        ...


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``fetalstream`` with all commands; ``options.run`` of what it parses is the command's ``run``."""
    parser = Parser(
        prog="fetalstream",
        description="Standard planes and gestational age from fetal ultrasound, frame by frame, as it is scanned.",
        epilog=NOTICE,
        formatter_class=HelpText,
        allow_abbrev=False,
    )
    version = versions().get("fetalstream", "not installed")
    parser.add_argument("--version", action="version", version=f"fetalstream {version}")
    parser.add_argument("--debug", action="store_true", help="show where an error came from, not one line only")
    parser.set_defaults(parser=parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        command = cast("CommandModule", import_module(f"fetalstream.tui.commands.{name}"))
        command.add(commands).set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command and return the exit code.

    Raises:
        SystemExit: code 2 after a line about wrong usage, 0 after help.
    """
    if argv is None:
        hide_addresses()
    parser = build_parser()
    options = _parsed(parser, sys.argv[1:] if argv is None else list(argv))
    try:
        return options.run(options)
    except UsageError as error:
        parser.error(f"{options.command}: {error}")
    except BrokenPipeError:
        # Whoever read our output has had enough; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("fetalstream: interrupted", file=sys.stderr)
    except Exception as error:
        if options.debug:
            for line in [*traceback.format_exc().splitlines(), getattr(error, "log", "")]:
                print(without_credentials(line), file=sys.stderr)
        print(f"fetalstream: {_one_line(error)}", file=sys.stderr)
    return FAILED


def _parsed(parser: argparse.ArgumentParser, argv: list[str]) -> argparse.Namespace:
    if not argv:
        _end_with_help(parser)
    options, unknown = parser.parse_known_args(argv)
    if unknown:
        parser.error(
            f"{options.command}: not understood: {' '.join(unknown)}; see fetalstream {options.command} --help"
        )
    return options


def _end_with_help(parser: argparse.ArgumentParser) -> NoReturn:
    parser.print_help(sys.stderr)
    raise SystemExit(WRONG_USAGE)


def _one_line(error: Exception) -> str:
    message = plain(without_credentials(str(error)), _LONGEST_ERROR)
    if isinstance(error, UserError | UserErrorBelow):
        return message
    if isinstance(error, OSError):
        where = without_credentials(str(error.filename or "input or output"))
        return plain(f"{where}: {error.strerror or message}", _LONGEST_ERROR)
    again = "run it again with --debug to see where"
    return f"something unexpected went wrong ({type(error).__name__}: {message}); {again}"


if __name__ == "__main__":
    sys.exit(main())
