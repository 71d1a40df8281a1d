"""The model that the options ask for, and what is told of it; part of the roof: heavy imports stand inside."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from fetalstream.tui.settings.settings import ModelSettings

if TYPE_CHECKING:
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline

TOLD_VERSIONS: Final = ("fetalstream", "torch", "open_clip_torch", "numpy", "av", "opencv-python-headless", "pyzmq")


def load(settings: ModelSettings, say: Callable[[str], None]) -> LoadedPipeline:
    """Model file, weights and prompts, checked and in memory.

    Args:
        settings: which.
        say: is told what takes long, a line at a time.

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


def about(ready: LoadedPipeline) -> dict[str, Any]:
    """What listeners are told, and sessions keep, of a model."""
    return {
        "model": {
            "name": ready.model_info.name,
            "weights_sha256": ready.model.weights_sha256,
            "weights_from": ready.model.weights_from,
            "prompts_sha256": ready.prompts.sha256,
            "calibrated": ready.model_info.calibrated,
            "calibrated_on": ready.model.config.calibrated_on,
            "device": str(ready.model.device),
            "precision": str(ready.model.dtype).removeprefix("torch."),
        },
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of what the results depend on."""
    found = {"python": platform.python_version()}
    for name in TOLD_VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
