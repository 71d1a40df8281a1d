"""Files that a user writes, as tables: run settings, model files and protocol files."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Final

from docs.markdown import code, fields_table, table
from fetalstream.pipeline.model.config import GestationConstants, ModelConfig, Weights, load_model_config
from fetalstream.pipeline.readout.openset import OpenSet, OperatingPoint
from fetalstream.pipeline.readout.temporal import Temporal
from fetalstream.tui.settings.settings import RetentionSettings, RunSettings, StreamSettings
from fetalstream.tui.state.scan_protocol import Protocol, View


def run_settings() -> str:
    """Return every key of ``RunSettings`` and of the tables in it."""
    return "\n".join(
        [
            fields_table(RunSettings),
            "", "### `[[streams]]`", "", fields_table(StreamSettings),
            "", "### `[retention]`", "", fields_table(RetentionSettings),
        ]
    )  # fmt: skip


def model_files() -> str:
    """Return every key of a model file and of the tables in it."""
    return "\n".join(
        [
            fields_table(ModelConfig, skip=["folder"]),
            "", "### `[weights]`", "", fields_table(Weights),
            "", "### `[temporal]`", "", fields_table(Temporal),
            "", "### `[open_set]`", "", fields_table(OpenSet),
            "", "### `[open_set.operating_point]`", "", fields_table(OperatingPoint),
            "", "### `[gestation]`", "", fields_table(GestationConstants),
        ]
    )  # fmt: skip


def protocol_files() -> str:
    """Return every key of a protocol file and of the views in it."""
    return "\n".join([fields_table(Protocol, skip=["name"]), "", "### `[[views]]`", "", fields_table(View)])


def models() -> str:
    """Return the model files that come with the product."""
    folder = Path(str(files("fetalstream.configs") / "models"))
    found = [load_model_config(str(path)) for path in sorted(folder.glob("*.toml"))]
    rows = [
        [code(each.name), each.description, each.licence, "bundled" if each.weights.bundled else "downloaded by you"]
        for each in sorted(found, key=lambda each: each.weights.bundled is None)
    ]
    return table(["model", "what it is", "licence of the weights", "weights"], rows)


BLOCKS: Final[dict[str, Callable[[], str]]] = {
    "run-settings": run_settings,
    "model-files": model_files,
    "protocol-files": protocol_files,
    "models": models,
}
"""What makes each part, by its name."""
