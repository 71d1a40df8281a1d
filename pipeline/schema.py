"""JSON Schema of the wire, generated from types: ``python -m fetalstream.pipeline.schema docs/wire.schema.json``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from fetalstream.pipeline import wire


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) that every header on the PUB sockets satisfies.

    The control channel's ``Request`` and ``Reply`` are under ``$defs``. Writers send every field, so all are required;
    readers ignore fields that the schema does not name.
    """
    kinds = wire.Message.__args__  # type: ignore[attr-defined]
    references, definitions = msgspec.json.schema_components([*kinds, wire.Request, wire.Reply])
    for name, definition in definitions.items():
        if "properties" in definition and name not in ("Request", "Reply"):
            definition["required"] = list(definition["properties"])
        if "kind" in definition.get("properties", {}):
            definition["properties"] |= {
                "schema": {"const": wire.SCHEMA},
                "notice": {"const": wire.NOTICE},
                "seq": {"type": "integer", "minimum": 0},
                "wall_time": {"type": "string", "format": "date-time"},
                "run": {"type": "string", "minLength": 1},
            }
            for given in definition["properties"].values():
                given.pop("default", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fetalstream wire",
        "description": "The header of every message on a PUB socket, by its kind.",
        "oneOf": [dict(reference) for reference in references[: len(kinds)]],
        "$defs": definitions,
    }


def text() -> str:
    """The schema as it is kept in the repository."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
