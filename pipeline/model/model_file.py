"""A model file written from what is in memory: what `pipeline.model.config` reads again as the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import msgspec

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.model.config import ModelConfig

Table = dict[str, Any]


def write_model_file(path: Path, config: ModelConfig) -> None:
    """Writes the model file; what is not known is left out, as is ``folder``.

    Raises:
        ConfigError: it cannot be written there.
    """
    plain: Table = msgspec.to_builtins(config)
    del plain["folder"]
    try:
        path.write_text("\n".join(_lines(plain, ())) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error


def _lines(table: Table, path: tuple[str, ...]) -> list[str]:
    """Values first, then tables: TOML has what follows a table's head belong to it."""
    known = {name: value for name, value in table.items() if value is not None and value != {}}
    values = [f"{_name(name)} = {_value(value)}" for name, value in known.items() if not isinstance(value, dict)]
    found = [f"\n[{'.'.join(map(_name, path))}]", *values] if path and values else values
    for name, value in known.items():
        if isinstance(value, dict):
            found += _lines(cast("Table", value), (*path, name))
    return found


def _name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(each) for each in cast('list[Any]', value))}]"
    return repr(value) if isinstance(value, float) else json.dumps(value)  # JSON's strings and booleans are TOML's
