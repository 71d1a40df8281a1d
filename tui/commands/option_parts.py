"""The parser that all commands share, and the options that several of them have."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final, NoReturn, TypeAlias

from fetalstream.pipeline.wire import NOTICE
from fetalstream.streamer.live.addresses import without_addresses
from fetalstream.tui.commands import option_values as values
from fetalstream.tui.state.text import plain

_WIDTH: Final = 26
_LONGEST: Final = 600

# argparse has no public names for what `add_subparsers` gives, and for parsers and groups alike.
Options: TypeAlias = "argparse._ActionsContainer"  # pyright: ignore[reportPrivateUsage]
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # pyright: ignore[reportPrivateUsage]


class Parser(argparse.ArgumentParser):
    """A parser whose error messages hold no control characters, whatever the arguments held."""

    def error(self, message: str) -> NoReturn:
        """End the process with code 2, after the usage and one line."""
        super().error(plain(without_addresses(message), _LONGEST))


class HelpText(argparse.RawDescriptionHelpFormatter):
    """Help with the line breaks of its descriptions, and room for the options' names."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=_WIDTH)


def add_command(commands: Commands, name: str, summary: str, details: str = "") -> Parser:
    """Add the parser of one command: ``summary`` stands in the list of commands, ``details`` in its own help only."""
    parser = commands.add_parser(
        name,
        help=summary,
        description="\n\n".join(part for part in (summary[0].upper() + summary[1:] + ".", details) if part),
        epilog=NOTICE,
        formatter_class=HelpText,
        allow_abbrev=False,
    )
    # Accepted after the command too; one given before it stays in force.
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


def session_argument(parser: argparse.ArgumentParser, words: str = "its folder") -> None:
    """Add SESSION, a recorded session's folder."""
    parser.add_argument("session", type=Path, metavar="SESSION", help=words)


def json_option(parser: argparse.ArgumentParser, words: str = "print one JSON line") -> None:
    """Add ``--json``, output for programs."""
    parser.add_argument("--json", action="store_true", help=words)


def model_options(parser: argparse.ArgumentParser) -> None:
    """Add the choice of the model and of what it runs on; read by `tui.settings.chosen_model`."""
    group = parser.add_argument_group("model")
    group.add_argument("--model", metavar="NAME", help="a name from models list, or a .toml file (mini)")
    group.add_argument("--weights", metavar="PATH", help='other weights for it; "random" for speed tests')
    group.add_argument("--prompts", metavar="DIR", help="other sentences")
    group.add_argument("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:1 (auto)")
    precisions = ("auto", "fp32", "bf16", "int8", "fp8")
    group.add_argument("--precision", choices=precisions, help="of the image encoder, where it can be had (auto)")


def spacing_option(parser: Options) -> None:
    """Add ``--spacing``, millimetres per pixel."""
    parser.add_argument(
        "--spacing", type=values.spacing, metavar="MM", help="mm per pixel of the frames; gestational age needs it"
    )


def scale_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--spacing`` and ``--depth-cm``, of which one may be given."""
    group = parser.add_mutually_exclusive_group()
    spacing_option(group)
    group.add_argument(
        "--depth-cm", type=values.depth, metavar="CM", help="instead: what the scanner's depth is set to"
    )


def sector_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--sector`` and ``--profile``, of which one may be given."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--sector",
        type=values.sector,
        metavar="X,Y,W,H",
        help="scan region; or auto: find it (auto), whole: mask nothing",
    )
    group.add_argument("--profile", metavar="NAME", help="scan region and ruler as calibrate has written them")


def dashboard_options(parser: argparse.ArgumentParser) -> None:
    """Add what the dashboard shows and how; read by `tui.commands.terminal`."""
    parser.add_argument(
        "--protocol", metavar="NAME", help="views to collect: isuog-midtrimester, fasp-20-week or a .toml file"
    )
    modes = ("auto", "blocks", "kitty")
    parser.add_argument("--pictures", choices=modes, default="auto", help="pixels where the terminal has them (auto)")


def recording_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--record`` and ``--no-record``; read by `recording_of`."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--record", metavar="DIR", help="folder of sessions (your own data folder)")
    group.add_argument("--no-record", action="store_true", help="keep nothing")


def recording_of(options: argparse.Namespace) -> str | None:
    """Return the folder of sessions, "" to record nothing, None if neither option was given."""
    return "" if options.no_record else options.record
