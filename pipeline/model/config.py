"""Model files name an architecture, where its weights are, and the constants that were fitted for it."""

from __future__ import annotations

import importlib.resources
import math
import re
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import platformdirs

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.readout.openset import OpenSet
from fetalstream.pipeline.readout.temporal import Temporal

_Positive = Annotated[float, msgspec.Meta(gt=0)]
_Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Triple = tuple[float, float, float]


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The place of a model's weights is given by exactly one of ``bundled``, ``path`` and ``repo`` with ``file``.

    Attributes:
        bundled: file name among the weights that come with the product.
        path: a file on this machine; a relative path is taken from the model file's folder, or for a packaged model
            file from ``weights`` in the user's data folder.
        repo: Hugging Face repository.
        file: name of the file in it.
        revision: its branch, tag or commit.
        sha256: hex digest; if absent, the digest is recorded at the first load and a later change is an error.
        rename: key prefixes of the checkpoint, each with its name in open_clip.
        ignore: keys of the checkpoint that hold no weights (tables that older libraries saved too).
    """

    bundled: str | None = None
    path: str | None = None
    repo: str | None = None
    file: str | None = None
    revision: str = "main"
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None
    rename: dict[str, str] = {}
    ignore: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if sum(where is not None for where in (self.bundled, self.path, self.repo)) != 1:
            raise ValueError("give exactly one of bundled, path and repo")
        if (self.repo is None) != (self.file is None):
            raise ValueError("repo and file belong together")

    @property
    def identity(self) -> str:
        """The name of the weights in records and messages, which says where they come from."""
        return f"{self.repo}@{self.revision}/{self.file}" if self.repo else self.path or f"bundled/{self.bundled}"


class GestationConstants(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Constants of the gestational age's 90% interval.

    Attributes:
        half_widths: rows of (first predicted day, half-width in days from that day on) for a single frame.
        shared: share of the variance that averaging over zooms does not reduce, 0 to 1; None for FetalCLIP's.
    """

    half_widths: Annotated[tuple[tuple[float, _Positive], ...], msgspec.Meta(min_length=1)]
    shared: _Probability | None = None

    def __post_init__(self) -> None:
        days = [day for day, _ in self.half_widths]
        if days != sorted(set(days)):
            raise ValueError(f"half_widths must begin at growing days, got {days}")


class ModelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contents of one model file.

    Attributes:
        name: name of the model on the wire; the file's stem.
        description: one line that says what the model is.
        licence: licence of the weights.
        architecture: a name that open_clip knows, or an embedded open_clip model config.
        weights: where the weights are.
        mean: mean of the training images per channel, on the scale 0 to 1.
        std: standard deviation of the training images per channel, on the same scale.
        causal_text: whether the text tower attends to earlier tokens only (checked against the architecture).
        prompts: a packaged set of prompts, or a folder (relative to the model file).
        precision: precision of the image tower; "auto" takes the one that is fast on the device.
        knows_gestation: whether the model was trained on sentences about age.
        words: "own" for a model that has learnt few sentences and understands no other words.
        temporal: constants of decisions over time.
        open_set: constants that separate standard planes from "other".
        gestation: constants of the age's interval.
        calibrated_on: data that the constants were fitted on; None is shown as UNCALIBRATED.
        folder: folder of the user's model file, to resolve relative paths; empty for a packaged one. It is set when
            the file is read and is never written to it.
    """

    name: str
    description: str
    licence: str
    architecture: str | dict[str, Any]
    weights: Weights
    mean: _Triple
    std: tuple[_Positive, _Positive, _Positive]
    causal_text: bool
    prompts: str = "fetal"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    knows_gestation: bool = False
    words: Literal["any", "own"] = "any"
    temporal: Temporal | None = None
    open_set: OpenSet | None = None
    gestation: GestationConstants | None = None
    calibrated_on: str | None = None
    folder: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", self.name):
            raise ValueError(f"name must be lower-case letters, digits, '.', '_' or '-', got {self.name!r}")
        if not all(math.isfinite(value) for value in (*self.mean, *self.std)):
            raise ValueError("mean and std must be finite")

    @property
    def calibrated(self) -> bool:
        """True if the model file says what its constants were fitted on."""
        return self.calibrated_on is not None

    @property
    def prompts_folder(self) -> str:
        """The prompts folder beside the model file if there is one, else the name of a packaged set."""
        beside = Path(self.folder) / self.prompts
        return str(beside) if self.folder and beside.is_dir() else self.prompts


def user_models_folder() -> Path:
    """Return the folder of the user's own model files; a file there hides the packaged one of the same name."""
    return platformdirs.user_config_path("fetalstream") / "models"


def load_model_config(name_or_path: str | Path) -> ModelConfig:
    """Read a model file, given by its name or by a path that ends in ``.toml``.

    Raises:
        ConfigError: there is no such model, or the file is no model file; the message names the wrong field.
    """
    text = str(name_or_path)
    if text.endswith(".toml"):
        path = Path(text).expanduser()
        if not path.is_file():
            raise ConfigError(f"model file {text} does not exist")
        return _read(path, str(path.resolve().parent))
    found = _files().get(text)
    if found is None:
        raise ConfigError(f"unknown model {text!r}: choose {', '.join(model_names())} or give a path to a .toml file")
    file, folder = found
    return _read(file, folder)


def model_names() -> list[str]:
    """Return the names of all model files, the user's and the packaged ones, sorted."""
    return sorted(_files())


def _files() -> dict[str, tuple[Traversable, str]]:
    """Map each name to its file and the folder that relative paths start from ("" for a packaged file)."""
    packaged = importlib.resources.files("fetalstream.configs") / "models"
    own = user_models_folder()
    entries: list[tuple[Traversable, str]] = [(entry, "") for entry in packaged.iterdir()]
    if own.is_dir():
        entries += [(entry, str(own)) for entry in own.iterdir()]
    return {entry.name.removesuffix(".toml"): (entry, folder) for entry, folder in entries if _is_toml(entry)}


def _is_toml(entry: Traversable) -> bool:
    return entry.name.endswith(".toml")


def _read(file: Traversable, folder: str) -> ModelConfig:
    try:
        config = msgspec.toml.decode(file.read_bytes(), type=ModelConfig)
    except (msgspec.MsgspecError, ValueError, OSError, RecursionError) as error:
        raise ConfigError(f"model file {file}: {str(error).splitlines()[0]}") from error
    return msgspec.structs.replace(config, folder=folder)
