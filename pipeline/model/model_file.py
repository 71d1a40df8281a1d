"""Model files are written here as TOML that `pipeline.model.config` reads back unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec
import tomli_w

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.model.config import ModelConfig


def write_model_file(path: Path, config: ModelConfig) -> None:
    """Write a model file; fields that are None are left out, and so is ``folder``.

    Raises:
        ConfigError: the file cannot be written.
    """
    plain = msgspec.to_builtins(config)
    del plain["folder"]
    try:
        path.write_text(toml_of(plain), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error


def toml_of(table: dict[str, Any]) -> str:
    """Encode a table as TOML. Values that are None are left out at every depth, since TOML cannot express them."""
    return tomli_w.dumps(_known(table))


def _known(table: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _known(cast("dict[str, Any]", value)) if isinstance(value, dict) else value
        for name, value in table.items()
        if value is not None
    }
