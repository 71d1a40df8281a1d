"""Types of the wire said in words, for error messages and for the tables in the documents."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import inspect

_PLAIN: dict[type[inspect.Type], str] = {
    inspect.AnyType: "anything",
    inspect.BoolType: "true or false",
    inspect.IntType: "whole number",
    inspect.NoneType: "null",
}


def arguments(kind: type[msgspec.Struct]) -> list[str]:
    """Return ``name (type)`` for each argument of a command, for example ``spacing_mm (number above 0)``."""
    return [f"{name} ({words})" for name, words in fields(kind).items()]


def fields(kind: Any) -> dict[str, str]:
    """Return the type of each field of a struct or typed dictionary in words, by the field's name."""
    info = inspect.type_info(kind)
    assert isinstance(info, (inspect.StructType, inspect.TypedDictType))
    named = {each.encode_name: words(each.type) + ("" if each.required else ", optional") for each in info.fields}
    # msgspec sorts the fields of a typed dictionary; the reader gets them as they are written.
    order = named if isinstance(info, inspect.StructType) else kind.__annotations__
    return {name: named[name] for name in order}


def words(info: inspect.Type) -> str:
    """Return a type in words."""
    if isinstance(info, inspect.UnionType):
        return _either(info)
    if isinstance(info, inspect.LiteralType):
        return _or([json.dumps(value) for value in info.values])
    if isinstance(info, inspect.StrType):
        return "text"
    if isinstance(info, inspect.FloatType):
        return "number" + _bounds(info)
    if isinstance(info, inspect.ListType):
        return f"list of {words(info.item_type)}"
    if isinstance(info, inspect.TupleType):
        return f"[{', '.join(map(words, info.item_types))}]"
    return _PLAIN.get(type(info), "object")


def _bounds(info: inspect.FloatType) -> str:
    low = "" if info.ge is None else f" from {info.ge:g}"
    low = low if info.gt is None else f" above {info.gt:g}"
    return low if info.le is None else f"{low} {'to' if low else 'up to'} {info.le:g}"


def _either(info: inspect.UnionType) -> str:
    """Return the choices in words, null last; a whole number is a number too."""
    kinds = {type(each) for each in info.types}
    wanted = [
        each for each in info.types if not (isinstance(each, inspect.IntType) and inspect.FloatType in kinds)
    ]  # fmt: skip
    return _or([words(each) for each in sorted(wanted, key=lambda each: isinstance(each, inspect.NoneType))])


def _or(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
