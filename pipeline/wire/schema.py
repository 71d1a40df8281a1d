"""JSON Schema of the wire, generated from its types.

``python -m fetalstream.pipeline.wire.schema docs/wire.schema.json`` writes it anew.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args

import msgspec

from fetalstream.pipeline.wire.commands import COMMANDS
from fetalstream.pipeline.wire.events import EVENTS
from fetalstream.pipeline.wire.messages import NOTICE, SCHEMA, Message
from fetalstream.pipeline.wire.requests import Reply, Request
from fetalstream.pipeline.wire.tables import meaning


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) that every header on the PUB sockets satisfies.

    Under ``$defs`` are also the control channel's ``Request`` and ``Reply``, the arguments of each command, the type of
    each result, and the ``detail`` of each event. ``commands`` and ``events`` say which belongs to which, and what each
    means. Writers send every field of a message, so all are required; readers ignore fields that are not named here.
    """
    kinds = get_args(Message)
    results = [kind.result for kind in COMMANDS.values()]
    details = [kind.detail for kind in EVENTS.values()]
    types: list[Any] = list(dict.fromkeys([*kinds, Request, Reply, *COMMANDS.values(), *results, *details]))
    references, definitions = msgspec.json.schema_components(types)
    of = {each: dict(reference) for each, reference in zip(types, references, strict=True)}
    optional = {each.__name__ for each in (Request, Reply, *COMMANDS.values(), *details)}
    for name, definition in definitions.items():
        if name not in optional and "properties" in definition:
            definition["required"] = list(definition["properties"])
        _complete(definition)
    for command in COMMANDS.values():
        _bare(definitions[command.__name__])
    definitions["Request"]["allOf"] = [
        _if("command", name, "args", of[command]) for name, command in COMMANDS.items()
    ]  # fmt: skip
    definitions["Event"]["allOf"] = [_if("event", name, "detail", of[kind.detail]) for name, kind in EVENTS.items()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fetalstream wire",
        "description": "The header of every message on a PUB socket, by its kind.",
        "oneOf": [of[kind] for kind in kinds],
        "commands": {
            name: {
                "description": meaning(command),
                "args": of[command],
                "result": of[command.result],
                "blob": command.blob,
                "access": command.access,
            }
            for name, command in COMMANDS.items()
        },
        "events": {name: {"description": kind.meaning, "detail": of[kind.detail]} for name, kind in EVENTS.items()},
        "$defs": definitions,
    }


def text() -> str:
    """Return the schema as it is kept in the repository."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def _complete(definition: dict[str, Any]) -> None:
    """Say of a message what the fields hold that are common to all."""
    properties = definition.get("properties", {})
    if "kind" not in properties or "schema" not in properties:
        return
    properties |= {
        "schema": {"const": SCHEMA},
        "notice": {"const": NOTICE},
        "seq": {"type": "integer", "minimum": 0},
        "wall_time": {"type": "string", "format": "date-time"},
        "run": {"type": "string", "minLength": 1},
    }
    for given in properties.values():
        given.pop("default", None)


def _bare(command: dict[str, Any]) -> None:
    """Take the name out of a command's definition: it stands beside the arguments, not among them."""
    del command["properties"]["command"]
    command["required"].remove("command")


def _if(key: str, name: str, part: str, reference: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {key: {"const": name}}}, "then": {"properties": {part: reference}}}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
