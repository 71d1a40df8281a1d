"""What every command's options are made of."""

from __future__ import annotations

import argparse
from typing import Final, NoReturn, TypeAlias

from pipeline.wire import NOTICE
from tui.text import plain

_WIDTH: Final = 26
_LONGEST: Final = 600

# argparse has no public names for what `add_subparsers` gives, and for parsers and groups alike.
Options: TypeAlias = "argparse._ActionsContainer"  # pyright: ignore[reportPrivateUsage]
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # pyright: ignore[reportPrivateUsage]


class Parser(argparse.ArgumentParser):
    """What it does not understand (a file's name with an escape sequence in it, say) it repeats as mere words."""

    def error(self, message: str) -> NoReturn:
        """Ends with 2, and one line."""
        super().error(plain(message, _LONGEST))


class Help(argparse.RawDescriptionHelpFormatter):
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
        formatter_class=Help,
        allow_abbrev=False,
    )
    # Taken after the command too; what was said before it stays in force.
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser
