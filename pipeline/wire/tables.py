"""Markdown tables of commands, events and kinds of message, made from the types.

``python -m fetalstream.pipeline.wire.tables`` prints them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Final, get_args

from fetalstream.pipeline.wire.commands import COMMANDS, Access
from fetalstream.pipeline.wire.events import EVENTS
from fetalstream.pipeline.wire.messages import Message
from fetalstream.pipeline.wire.policy import TEXT_CHARACTERS
from fetalstream.pipeline.wire.words import arguments, fields

_WHO: Final[dict[Access, str]] = {
    "look": "any listener",
    "record": "a recorder",
    "operate": "the operator",
}


def commands() -> str:
    """Return a table of the control commands: name, arguments with types, reply, meaning, and who may send each.

    A sentence on the length of texts follows.
    """
    rows = [
        (f"`{name}`", "; ".join(arguments(kind)) or "none", _reply(kind), meaning(kind), _WHO[kind.access])
        for name, kind in COMMANDS.items()
    ]
    table = _table(("command", "arguments", "reply", "meaning", "who may"), rows)
    return f"{table}\nA text has at most {TEXT_CHARACTERS} characters; what is longer is cut.\n"


def events() -> str:
    """Return a table of the events: name, meaning, and the fields of ``detail`` with their types."""
    rows = [(f"`{name}`", kind.meaning, _named(kind.detail)) for name, kind in EVENTS.items()]
    return _table(("event", "meaning", "`detail`"), rows)


def kinds() -> str:
    """Return a table of the kinds of message: name, meaning, and the fields beyond those of every header."""
    rows = [
        (f"`{kind.__struct_config__.tag}`", meaning(kind), ", ".join(map(_code, _own(kind))))
        for kind in get_args(Message)
    ]
    return _table(("kind", "meaning", "fields"), rows)


def meaning(kind: type[Any]) -> str:
    """Return the first paragraph of a class's docstring, on one line."""
    return " ".join(str(kind.__doc__).split("\n\n")[0].split())


def _own(kind: type[Any]) -> list[str]:
    common = set(kind.__mro__[1].__struct_fields__)
    return [name for name in kind.__struct_fields__ if name not in common]


def _reply(kind: type[Any]) -> str:
    named = ", ".join(map(_code, fields(kind.result)))
    return ", and a ".join(part for part in (named, kind.blob) if part) or "nothing"


def _named(detail: type[Any]) -> str:
    return "; ".join(f"`{name}` ({words})" for name, words in fields(detail).items()) or "nothing"


def _code(name: str) -> str:
    return f"`{name}`"


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [titles, ("---",) * len(titles), *rows]
    return "".join(f"| {' | '.join(cell.replace('``', '`').replace('|', '/') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write("\n".join((commands(), events(), kinds())))
