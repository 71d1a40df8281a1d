"""What every command's options are made of."""

from __future__ import annotations

import argparse
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
    """What it does not understand (a file's name with an escape sequence in it, say) it repeats as mere words."""

    def error(self, message: str) -> NoReturn:
        """Ends with 2, and one line."""
        super().error(plain(without_addresses(message), _LONGEST))


class HelpText(argparse.RawDescriptionHelpFormatter):
    """Help as it is written, with room for the options' names."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=_WIDTH)


def command(commands: Commands, name: str, words: str, more: str = "") -> Parser:
    """The parser of one command; ``words`` say what it does, ``more`` what else its help tells."""
    parser = commands.add_parser(
        name,
        help=words,
        description="\n\n".join(part for part in (words[0].upper() + words[1:] + ".", more) if part),
        epilog=NOTICE,
        formatter_class=HelpText,
        allow_abbrev=False,
    )
    # Taken after the command too; what was said before it stays in force.
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


def json_option(parser: argparse.ArgumentParser) -> None:
    """One line for programs."""
    parser.add_argument("--json", action="store_true", help="print one JSON line")


def model_options(parser: argparse.ArgumentParser) -> None:
    """Which model, and how it runs."""
    group = parser.add_argument_group("model")
    group.add_argument("--model", metavar="NAME", help="a name from models list, or a .toml file (mini)")
    group.add_argument("--weights", metavar="PATH", help='other weights for it; "random" for speed tests')
    group.add_argument("--prompts", metavar="DIR", help="other sentences")
    group.add_argument("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:1 (auto)")
    precisions = ("auto", "fp32", "bf16", "int8", "fp8")
    group.add_argument("--precision", choices=precisions, help="of the image encoder, where it can be had (auto)")


def spacing_option(parser: Options) -> None:
    """Millimetres a pixel."""
    parser.add_argument(
        "--spacing", type=values.positive, metavar="MM", help="mm per pixel of the frames; gestational age needs it"
    )
