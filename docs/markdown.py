"""Builds Markdown tables, and reads meanings out of docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import inspect as types

_ENTRY: Final = re.compile(r"^    (\w+(?:, \w+)*): (.*)$")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell(each) for each in line) + " |" for line in lines)


def cell(text: str) -> str:
    """Return text that fits into one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Return text set as code."""
    return f"`{text}`"


def plain(docstring: str) -> str:
    """Return a docstring's text with reStructuredText's double backquotes as Markdown's single ones."""
    return " ".join(docstring.replace("``", "`").split())


def first_sentence(thing: object) -> str:
    """Return the first sentence of a docstring, with a capital letter at its start."""
    paragraph = (inspect.getdoc(thing) or "").split("\n\n")[0]
    sentence = re.split(r"(?<=[.!?])\s+(?=[A-Z`\"])", plain(paragraph))[0].rstrip(".")
    return sentence[:1].upper() + sentence[1:]


def meanings(struct: type) -> dict[str, str]:
    """Return what each field means, from the ``Attributes:`` sections of a class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        lines = (inspect.cleandoc(base.__doc__ or "")).splitlines()
        names: list[str] = []
        within = False
        for line in lines:
            if line == "Attributes:":
                within = True
            elif within and (entry := _ENTRY.match(line)):
                names = entry[1].split(", ")
                found |= dict.fromkeys(names, entry[2])
            elif within and line.startswith("        ") and names:
                found |= {name: f"{found[name]} {line.strip()}" for name in names}
            elif line and not line.startswith(" "):
                within = line == "Attributes:"
    return {name: plain(text).rstrip(".") for name, text in found.items()}


def fields_table(struct: type[msgspec.Struct], skip: Sequence[str] = ()) -> str:
    """Return a table of every field of a struct with its type, default and meaning.

    Raises:
        KeyError: a field without a meaning in the docstring.
    """
    said = meanings(struct)
    rows = [
        [code(field.name), type_words(types.type_info(field.type)), _default(field), said[field.name]]
        for field in msgspec.structs.fields(struct)
        if field.name not in skip
    ]
    return table(["key", "type", "default", "meaning"], rows)


def _default(field: Any) -> str:
    if field.required:
        return "required"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value is None or value in ((), {}, []):
        return "none"
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, str):
        return code(f'"{value}"')
    return code(str(value))


def type_words(kind: types.Type) -> str:
    """Return the type of a value in a file, in words."""
    match kind:
        case types.UnionType(each):
            return " or ".join(type_words(one) for one in each if not isinstance(one, types.NoneType))
        case types.LiteralType(values):
            return " or ".join(code(f'"{value}"') for value in values)
        case types.FloatType() | types.IntType():
            return _number_words(kind)
        case types.StrType():
            return "text"
        case types.BoolType():
            return "`true` or `false`"
        case types.VarTupleType() | types.ListType() | types.CollectionType():
            return f"list of {type_words(kind.item_type)}" if not isinstance(kind.item_type, types.AnyType) else "list"
        case types.TupleType(each):
            return f"list of {len(each)}: {', '.join(type_words(one) for one in each)}"
        case types.DictType():
            return f"table of {type_words(kind.value_type)}" if _plain_values(kind) else "table"
        case types.StructType():
            return "table"
        case types.AnyType():
            return "any"
        case _:
            return type(kind).__name__


def _plain_values(kind: types.DictType) -> bool:
    return isinstance(kind.value_type, (types.FloatType, types.IntType, types.StrType))


def _number_words(kind: types.FloatType | types.IntType) -> str:
    word = "number" if isinstance(kind, types.FloatType) else "whole number"
    bounds = [
        (kind.gt, "above {:g}"), (kind.ge, "from {:g}"), (kind.lt, "below {:g}"), (kind.le, "up to {:g}"),
    ]  # fmt: skip
    said = [text.format(bound) for bound, text in bounds if bound is not None]
    return f"{word}{' ' if said else ''}{', '.join(said)}"
