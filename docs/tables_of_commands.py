"""The command line as tables, from its own parser, and the dashboard's keys from its bindings."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final

from textual.binding import Binding

from docs.markdown import code, first_sentence, table
from fetalstream.tui.commands.options import build_parser
from fetalstream.tui.dashboard.app import FetalstreamApp
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
    parser = build_parser("")
    parts = ["Options of all commands:", "", _options_table(parser)]
    for name, each in parsers(parser):
        description = " ".join((each.description or "").split("\n\n")[0].split())
        more = " ".join(" ".join((each.description or "").split("\n\n")[1:]).split())
        parts += ["", f"### {name}", "", description]
        parts += ["", "```sh", _usage(name, each), "```"]
        parts += ["", more] if more else []
        parts += ["", _options_table(each)] if options_of(each) else []
    return "\n".join(parts)


def _options_table(parser: argparse.ArgumentParser) -> str:
    return table(
        ["argument", "meaning"],
        [[code(_written(action)), action.help or ""] for action in options_of(parser)],
    )


def dashboard_keys() -> str:
    """Return the keys of the dashboard, and of the best frames' screen."""
    parts = [_keys_table(FetalstreamApp), "", "On the screen of best frames (`b`):", "", _keys_table(Review)]
    return "\n".join(parts)


def _keys_table(shown: type[Any]) -> str:
    rows: list[list[str]] = []
    for binding in shown.BINDINGS:
        assert isinstance(binding, Binding)
        name = binding.action.partition("(")[0]
        keys = " ".join(code(_KEYS.get(key, key)) for key in binding.key.split(","))
        if name == "stream":  # one row for nine keys
            if binding.key != "1":
                continue
            keys = "`1` to `9`"
            rows.append([keys, "Stream", first_sentence(shown.action_stream)])
            continue
        action = getattr(shown, f"action_{name}", None)
        ours = action is not None and inspect.getmodule(action).__name__.startswith("fetalstream.")
        rows.append([keys, binding.description, first_sentence(action) if ours else ""])
    return table(["key", "name", "what it does"], rows)


BLOCKS: Final[dict[str, Callable[[], str]]] = {"commands": commands, "dashboard-keys": dashboard_keys}
"""What makes each part, by its name."""
