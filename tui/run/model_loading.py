"""The loading of the model that the settings name, and what the engine's state says about it."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from fetalstream.pipeline import wire
from fetalstream.tui.settings.settings import ModelSettings

if TYPE_CHECKING:
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline

_PACKAGES: Final = ("fetalstream", "torch", "open_clip_torch", "numpy", "av", "opencv-python-headless", "pyzmq")


def load(settings: ModelSettings, say: Callable[[str], None]) -> LoadedPipeline:
    """Load a model with its weights and prompts, all checked.

    Args:
        settings: which model, and on what device.
        say: gets a line on each step that takes long.

    Raises:
        pipeline.errors.ModelError, pipeline.errors.ConfigError: one line that says what to do.
    """
    from fetalstream.pipeline.loaded_pipeline import load_pipeline

    return load_pipeline(
        settings.model,
        weights=settings.weights,
        prompts=settings.prompts,
        device=settings.device,
        precision=settings.precision,
        progress=say,
    )


def model_state(ready: LoadedPipeline) -> wire.ModelState:
    """Return what the state reply and a session's ``session.json`` say of the model."""
    return wire.ModelState(
        name=ready.model_info.name,
        weights_sha256=ready.model.weights_sha256,
        weights_from=ready.model.weights_from,
        prompts_sha256=ready.prompts.sha256,
        calibrated=ready.model_info.calibrated,
        calibrated_on=ready.model.config.calibrated_on,
        device=str(ready.model.device),
        precision=str(ready.model.dtype).removeprefix("torch."),
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on, by name; missing ones are left out."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
