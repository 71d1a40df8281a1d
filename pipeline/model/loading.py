"""Loading turns a model file into a model in memory: weights that fit strictly, a precision, a device."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import torch

from fetalstream.pipeline.errors import ConfigError, ModelError
from fetalstream.pipeline.model import openclip, precision_cache, weights_file
from fetalstream.pipeline.model.config import ModelConfig, load_model_config, model_names
from fetalstream.pipeline.model.weights_file import ProgressCallback, StateDict

Precision = Literal["auto", "fp32", "bf16", "int8", "fp8"]
"""Precision of the image tower. The last two are refused, with a reason, if they are not available."""

RANDOM = "random"
"""Value of the ``weights`` argument that asks for seeded random weights."""

_NAMES_SHOWN = 3


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in memory that is ready to run: in evaluation mode, without gradients.

    Attributes:
        clip: open_clip's module; the text tower is float32, the image tower has ``dtype``, or float32 if it has
            batch norms: `pipeline.model.tower.fast_tower` folds those first and then rounds.
        tokenizer: sentences to token numbers.
        image_size: pixels per side of the square input.
        weights_sha256: hex digest of the weights file; ``random-…`` for random weights.
        weights_from: "bundled", "path", "download", "given" or "random".
        dtype: number format that the image tower runs in.
    """

    config: ModelConfig
    clip: torch.nn.Module
    tokenizer: openclip.Tokenizer
    image_size: int
    weights_sha256: str
    weights_from: str
    device: torch.device
    dtype: torch.dtype


def load_model(
    config: ModelConfig,
    *,
    weights: str | Path | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    seed: int = 0,
    progress: ProgressCallback = lambda _: None,
) -> LoadedModel:
    """Build the architecture and fill it with weights.

    Args:
        config: the model file.
        weights: None for the configured ones, ``"random"``, or a path to a checkpoint of this architecture.
        device: "auto" (CUDA if there is one), or a torch device.
        precision: precision of the image tower; "auto" takes the model file's, which may leave it to the device.
        seed: seed of random weights.
        progress: called with a line before each step that takes long.

    Raises:
        ModelError: the weights are absent, damaged, have another digest or do not fit; or the device is not there.
        ConfigError: the device or precision is not available; the message says which one is.
    """
    where = _device(device)
    asked: Precision = precision if precision != "auto" else config.precision
    _require_available(asked, where)
    if weights == RANDOM:
        progress(f"building {config.name} with random weights")
        clip = openclip.build(config.architecture, seed=seed)
        sha256, source = _random_weights_id(config, seed), RANDOM
    else:
        file = _checked_file(config, weights, progress)
        if weights_file.is_large(file.path):
            progress(f"loading {file.path.name}")
        state = _renamed(weights_file.read(file), config)
        clip = openclip.build(config.architecture, seed=None)
        _fill(clip, state, file.path.name)
        sha256, source = file.sha256, file.source
    if openclip.is_causal(clip) != config.causal_text:
        raise ModelError(f"model file of {config.name}: causal_text = {config.causal_text} is not what is built")
    dtype = _dtype(asked, where, sha256)
    clip.to(where)
    tower = openclip.image_tower(clip)
    if not openclip.has_batch_norms(tower):  # those are folded first, and then rounded: see `pipeline.model.tower`
        tower.to(dtype)
    tokens = openclip.tokenizer(config.architecture)
    return LoadedModel(config, clip, tokens, openclip.image_size(clip), sha256, source, where, dtype)


@dataclass(frozen=True)
class ModelStatus:
    """One line of ``fetalstream models list``.

    Attributes:
        name: name of the model.
        description: one line about it.
        licence: licence of the weights.
        calibrated_on: data that its constants were fitted on; None if they were not fitted.
        weights: where the weights come from, see `Weights.identity`.
        path: the weights on this machine; None if they are not here.
    """

    name: str
    description: str
    licence: str
    calibrated_on: str | None
    weights: str
    path: Path | None


@dataclass(frozen=True)
class VerifiedWeights:
    """Weights whose sum is right and that fit their architecture; ``pinned`` says whether a model file gave the sum."""

    name: str
    path: Path
    sha256: str
    pinned: bool
    tensors: int
    parameters: int


def list_models() -> list[ModelStatus]:
    """List all model files and whether their weights are on this machine; nothing is downloaded.

    Raises:
        ConfigError: a model file cannot be read.
    """
    return [_status(load_model_config(name)) for name in model_names()]


def asks_hub(config: ModelConfig, weights: str | Path | None = None) -> bool:
    """Return whether loading a model would ask the Hugging Face Hub for weights or a text tower; nothing is asked.

    Args:
        config: the model file.
        weights: as for `load_model`.
    """
    return openclip.names_text_tower(config.architecture) or (
        weights is None and weights_file.locate(config, download=False) is None
    )


def pull(name: str, progress: ProgressCallback = lambda _: None) -> ModelStatus:
    """Download the weights if they are not on this machine, and check or record their digest.

    Raises:
        ConfigError: there is no such model.
        ModelError: there is no network, or the digest is another one.
    """
    config = load_model_config(name)
    weights_file.check(config, _located(config), progress)
    return _status(config)


def verify(name: str, progress: ProgressCallback = lambda _: None) -> VerifiedWeights:
    """Check that weights on this machine have the right digest and fit strictly; nothing is downloaded.

    Raises:
        ConfigError: there is no such model.
        ModelError: the weights are absent, have another digest or do not fit.
    """
    config = load_model_config(name)
    path = weights_file.locate(config, download=False)
    if path is None:
        raise ModelError(f"weights of {name} are not here: {weights_file.install_hint(config)}")
    file = weights_file.check(config, path, progress)
    state = _renamed(weights_file.read(file), config)
    _require_fit(openclip.build(config.architecture, seed=None), state, path.name)
    parameters = sum(tensor.numel() for tensor in state.values())
    return VerifiedWeights(name, path, file.sha256, config.weights.sha256 is not None, len(state), parameters)


def _status(config: ModelConfig) -> ModelStatus:
    path = weights_file.locate(config, download=False)
    return ModelStatus(
        config.name, config.description, config.licence, config.calibrated_on, config.weights.identity, path
    )


def _located(config: ModelConfig) -> Path:
    path = weights_file.locate(config, download=True)
    if path is None:
        raise ModelError(f"weights of {config.name} are not here: {weights_file.install_hint(config)}")
    return path


def _checked_file(
    config: ModelConfig, weights: str | Path | None, progress: ProgressCallback
) -> weights_file.WeightsFile:
    if weights is not None:
        return weights_file.named_by_user(weights, progress)
    return weights_file.check(config, _located(config), progress)


def _renamed(state: StateDict, config: ModelConfig) -> StateDict:
    rules = config.weights.rename

    def name(old: str) -> str:
        prefix = next((prefix for prefix in rules if old.startswith(prefix)), None)
        return old if prefix is None else rules[prefix] + old.removeprefix(prefix)

    return {name(old): tensor for old, tensor in state.items() if name(old) not in config.weights.ignore}


def _require_fit(clip: torch.nn.Module, state: StateDict, file: str) -> None:
    """Refuse a checkpoint with a missing key, an unexpected key or a wrong shape: never a warning."""
    own = clip.state_dict()
    faults = {
        "lacks": [name for name in own if name not in state],
        "has unexpected": [name for name in state if name not in own],
        "has wrong shapes for": [
            f"{name} {tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
            for name, tensor in own.items()
            if name in state and state[name].shape != tensor.shape
        ],
    }
    for fault, names in faults.items():
        if names:
            more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
            shown = ", ".join(names[:_NAMES_SHOWN])
            raise ModelError(f"weights {file} do not fit the architecture: the file {fault} {shown}{more}")


def _fill(clip: torch.nn.Module, state: StateDict, file: str) -> None:
    _require_fit(clip, state, file)
    own = clip.state_dict()
    # Tensors become the parameters as they are: no second copy of 1.7 GB. Half precision is widened.
    fitting = {name: tensor.to(own[name].dtype) for name, tensor in state.items()}
    clip.load_state_dict(fitting, strict=True, assign=True)
    clip.requires_grad_(False)


def _random_weights_id(config: ModelConfig, seed: int) -> str:
    # Torch may draw other numbers in another version, so its version belongs to the name.
    what = msgspec.json.encode([config.architecture, seed, str(torch.__version__)], order="deterministic")
    return f"random-{hashlib.sha256(what).hexdigest()[:16]}"


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"device {name!r} is none that torch knows: use auto, cpu or cuda") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ModelError("device cuda is not available here: use --device cpu, or install torch with CUDA")
    return device


def _require_available(precision: Precision, device: torch.device) -> None:
    best = "bf16" if multiplies_bf16(device) else "fp32"
    if precision == "int8":
        raise ConfigError(f"precision int8 is not built in; the fastest here is {best}: use --precision {best}")
    if precision == "fp8":
        why = "needs CUDA" if device.type != "cuda" else "has not passed the parity gate on this device"
        raise ConfigError(f"precision fp8 {why}; the fastest here is {best}: use --precision {best}")


def _dtype(precision: Precision, device: torch.device, weights_sha256: str) -> torch.dtype:
    if precision == "auto":
        # What `fetalstream models parity` found to differ from float32 is not chosen.
        usable = multiplies_bf16(device) and not precision_cache.has_failed(weights_sha256, device.type, "bfloat16")
        return torch.bfloat16 if usable else torch.float32
    return {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]


def multiplies_bf16(device: torch.device) -> bool:
    """Return whether the device has instructions for bf16; without them bf16 is emulated, and slower than float32."""
    return torch.cuda.is_bf16_supported() if device.type == "cuda" else _cpu_multiplies_bf16()


def _cpu_multiplies_bf16() -> bool:
    # Private names of torch, here and nowhere else: it has no public function that asks this of a CPU.
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, check, lambda: False)()) for check in checks)
