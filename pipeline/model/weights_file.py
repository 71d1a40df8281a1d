"""Weights files are located or downloaded, read once, checked by SHA-256 and then parsed without trust."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.resources
import io
import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import platformdirs
import torch

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.model.config import ModelConfig

StateDict = dict[str, torch.Tensor]
ProgressCallback = Callable[[str], None]

_LARGE_BYTES = 100 << 20


@dataclass(frozen=True)
class WeightsFile:
    """A file that was read once: ``data`` are its bytes, and what is loaded is what was hashed.

    Attributes:
        path: its name, for messages; the file is not opened again.
        sha256: hex digest of ``data``.
        source: where it came from.
        data: what was read.
    """

    path: Path
    sha256: str
    source: Literal["bundled", "path", "download", "given"]
    data: bytes = field(repr=False)


def is_large(path: Path) -> bool:
    """Return whether a file is so large that reading it deserves a progress line; False if it is absent."""
    return path.is_file() and path.stat().st_size > _LARGE_BYTES


def named_by_user(path: str | Path, progress: ProgressCallback) -> WeightsFile:
    """Read a file that the user named on the command line; its digest is computed, and compared with nothing.

    Raises:
        ModelError: the file does not exist.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise ModelError(f"weights file {path} does not exist")
    data = _read_once(file, progress)
    return WeightsFile(file, hashlib.sha256(data).hexdigest(), "given", data)


def locate(config: ModelConfig, *, download: bool) -> Path | None:
    """Find the configured file on this machine, downloading it if ``download``; None if it is not here.

    Raises:
        ModelError: the download failed.
    """
    weights = config.weights
    if weights.bundled is not None:
        path = Path(str(importlib.resources.files("fetalstream.pipeline") / "weights" / weights.bundled))
        return path if path.is_file() else None
    if weights.path is not None:
        path = configured_path(config)
        return path if path.is_file() else None
    return _from_hub(config, download=download)


def configured_path(config: ModelConfig) -> Path:
    """Resolve ``weights.path``: from the folder of the user's model file, else from ``weights`` in the data folder."""
    base = Path(config.folder) if config.folder else platformdirs.user_data_path("fetalstream") / "weights"
    return base / Path(config.weights.path or "").expanduser()


def check(config: ModelConfig, path: Path, progress: ProgressCallback) -> WeightsFile:
    """Read the file and compare its digest with that in the model file, else with that recorded at the first load.

    Raises:
        ModelError: the digest is another one; the file was not opened as weights.
    """
    weights = config.weights
    data = _read_once(path, progress)
    found = hashlib.sha256(data).hexdigest()
    wanted = weights.sha256 or recorded_sha256(weights.identity)
    if wanted is None:
        _record_sum(weights.identity, found)
    elif found != wanted:
        pinned = "its model file" if weights.sha256 else "the first time it was seen"
        raise ModelError(
            f"weights of {config.name} ({path.name}) have SHA-256 {found[:12]}…, {pinned} says {wanted[:12]}…: "
            f"not loaded; {_mismatch_hint(config, path)}"
        )
    source = "bundled" if weights.bundled else "path" if weights.path else "download"
    return WeightsFile(path, found, source, data)


def install_hint(config: ModelConfig) -> str:
    """Return the advice that brings the configured weights to this machine."""
    if config.weights.bundled is not None:
        return "they belong to the package: install fetalstream again"
    if config.weights.path is not None:
        return f"put them at {configured_path(config)}, or give --weights PATH"
    return f"run `fetalstream models pull {config.name}`"


def read(file: WeightsFile) -> StateDict:
    """Return all tensors of a ``.safetensors`` file or of a torch checkpoint, by name; no code in the file is run.

    A checkpoint may be wrapped (``state_dict``, ``model``) and its names may carry ``module.``.

    Raises:
        ModelError: the file is not a checkpoint, or holds other things than named tensors.
    """
    path = file.path
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load

            loaded: Any = load(file.data)
        else:
            with warnings.catch_warnings():
                # Torch remarks on how a file was pickled; our own error says whether it is refused.
                warnings.filterwarnings("ignore", category=UserWarning, module=r"torch\.")
                loaded = torch.load(io.BytesIO(file.data), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a made-up file trips in torch's unpickler: IndexError, RecursionError, ...
        if type(error).__name__ == "SafetensorError":  # missing from the type stubs
            raise ModelError(f"{path} is not a safetensors file: {str(error).splitlines()[0]}") from error
        raise ModelError(f"{path} is not a checkpoint that can be loaded safely") from error
    return _unwrapped(loaded, path)


def recorded_sha256(identity: str) -> str | None:
    """Return the digest recorded when these weights were first loaded on this machine; None if they never were."""
    return _recorded_sums().get(identity)


def _mismatch_hint(config: ModelConfig, path: Path) -> str:
    if config.weights.repo is not None:
        # The hub's cache holds a link: it is downloaded again only after the file behind it is deleted.
        return f"delete {path.resolve()} and {install_hint(config)}"
    if config.weights.path is not None and config.weights.sha256 is None:
        return f"put the first one back or, where you changed it yourself, delete its line in {_records_path()}"
    return install_hint(config)


def _unwrapped(loaded: Any, path: Path) -> StateDict:
    for key in ("state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not loaded:
        raise ModelError(f"{path} holds no state dict, but a {type(loaded).__name__}")
    odd = [name for name, value in loaded.items() if not (isinstance(name, str) and isinstance(value, torch.Tensor))]
    if odd:
        raise ModelError(f"{path} is not a checkpoint: {str(odd[0])[:60]!r} is not a named tensor")
    return {name.removeprefix("module."): value for name, value in loaded.items()}


def _from_hub(config: ModelConfig, *, download: bool) -> Path | None:
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    weights = config.weights
    where: Any = {"repo_id": weights.repo, "filename": weights.file, "revision": weights.revision}
    try:
        return Path(huggingface_hub.hf_hub_download(**where, local_files_only=True))
    except LocalEntryNotFoundError:
        if not download:
            return None
    try:
        # Resumes a partial file, and draws its progress on standard error.
        return Path(huggingface_hub.hf_hub_download(**where))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, RuntimeError) as error:
        raise ModelError(
            f"weights of {config.name} ({weights.identity}) cannot be downloaded: check the network, or give --weights "
            f"PATH ({type(error).__name__})"
        ) from error


def _read_once(path: Path, progress: ProgressCallback) -> bytes:
    if is_large(path):
        progress(f"checking {path.name}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"weights file {path} cannot be read: {error.strerror or error}") from error


def _records_path() -> Path:
    return platformdirs.user_state_path("fetalstream") / "weights.json"


def _recorded_sums() -> dict[str, str]:
    try:
        return msgspec.json.decode(_records_path().read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        # Starting a new record silently would accept whatever file is there now.
        raise ModelError(f"the record of weights {_records_path()} is damaged: look at it, or delete it") from error


def _record_sum(identity: str, sha256: str) -> None:
    path = _records_path()
    content = msgspec.json.format(msgspec.json.encode({**_recorded_sums(), identity: sha256}))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise ModelError(f"the sum of the weights cannot be recorded in {path}: {error.strerror or error}") from error
