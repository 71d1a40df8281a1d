"""The command line as tables, from its own parser, and the dashboard's keys from its bindings."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from textual.binding import Binding

from docs.markdown import code, first_sentence, table
from fetalstream.tui.cli import build_parser
from fetalstream.tui.commands import exit_codes
from fetalstream.tui.dashboard.commands import COMMANDS
from fetalstream.tui.widgets.review import Review

_KEYS: Final = {
    "slash": "/", "question_mark": "?", "plus": "+", "minus": "-", "equals_sign": "=", "left": "←", "right": "→",
    "up": "↑", "down": "↓", "escape": "esc",
}  # fmt: skip
_NO_HELP: Final = argparse.SUPPRESS


def parsers(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield every command that does something, with its parser: "run", "models list"."""
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield name, parser
    for action in inner:
        for word, each in action.choices.items():
            yield from parsers(each, f"{name} {word}".strip())


def options_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return what can be given to a command, without ``--help`` and what its help does not show."""
    return [
        action
        for action in parser._actions
        if not isinstance(action, (argparse._HelpAction, argparse._SubParsersAction)) and action.help != _NO_HELP
    ]


def _written(action: argparse.Action) -> str:
    value = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper())
    if not action.option_strings:
        return str(value)
    if action.nargs == 0:
        return ", ".join(action.option_strings)
    value = f"[{value}]" if action.nargs == "?" else str(value)
    return f"{', '.join(action.option_strings)} {value}"


def _usage(name: str, parser: argparse.ArgumentParser) -> str:
    words = ["fetalstream", name]
    for action in options_of(parser):
        if not action.option_strings:
            many = {"*": "[{}...]", "+": "{}...", "?": "[{}]"}.get(str(action.nargs), "{}")
            words.append(many.format(_written(action)))
        elif action.required:
            words.append(_written(action))
    optional = any(action.option_strings and not action.required for action in options_of(parser))
    return " ".join([*words, *(["[OPTIONS]"] if optional else [])])


def commands() -> str:
    """Return a section for each command."""
    parser = build_parser()
    parts = ["Options of all commands:", "", _options_table(parser)]
    for name, each in parsers(parser):
        description = " ".join((each.description or "").split("\n\n")[0].split())
        more = " ".join(" ".join((each.description or "").split("\n\n")[1:]).split())
        parts += ["", f"### {name}", "", description]
        parts += ["", "```sh", _usage(name, each), "```"]
        parts += ["", _options_as_code(more)] if more else []
        parts += ["", _options_table(each)] if options_of(each) else []
    return "\n".join(parts)


def _options_table(parser: argparse.ArgumentParser) -> str:
    return table(
        ["argument", "meaning"],
        [[code(_written(action)), _options_as_code(action.help or "")] for action in options_of(parser)],
    )


def _options_as_code(text: str) -> str:
    return re.sub(r"--[a-z][a-z-]*", lambda option: code(option[0]), text)


def exit_codes_table() -> str:
    """Return the exit codes with their meanings, which stand beneath them in the source."""
    body = ast.parse(inspect.getsource(exit_codes)).body
    rows = [
        [str(code_of.value.value), str(said.value.value).rstrip(".")]
        for code_of, said in pairwise(body)
        if isinstance(code_of, ast.AnnAssign) and isinstance(code_of.value, ast.Constant)
        if isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant)
    ]
    return table(["code", "meaning"], rows)


def dashboard_keys() -> str:
    """Return every command of the dashboard with its keys, and the keys of the best frames' screen."""
    rows = [
        [_keys(each.keys), each.title or each.label, _options_as_code(each.about)]
        for each in COMMANDS
        if not _is_stream(each.label)
    ]
    rows.append(["`1` to `9`", "A stream", "By its place in the row"])
    review = [
        [_keys(each.key), each.description, first_sentence(getattr(Review, f"action_{each.action}", None))]
        for each in Review.BINDINGS
        if isinstance(each, Binding)
    ]
    head = ["key", "command", "more"]
    return "\n".join([table(head, rows), "", "On the screen of best frames (`b`):", "", table(head, review)])


def _is_stream(label: str) -> bool:
    return re.fullmatch(r"Stream \d", label) is not None


def _keys(keys: str) -> str:
    if not keys:
        return "`ctrl+p` only"
    words = [re.sub(r"[a-z_]{2,}", lambda word: _KEYS.get(word[0], word[0]), key) for key in keys.split(",")]
    return " ".join(map(code, words))


BLOCKS: Final[dict[str, Callable[[], str]]] = {
    "commands": commands,
    "dashboard-keys": dashboard_keys,
    "exit-codes": exit_codes_table,
}
"""What makes each part, by its name."""
