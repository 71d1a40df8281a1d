"""The model that the command line asks for, laid over the settings of a file or their defaults."""

from __future__ import annotations

import argparse
from typing import Any, TypeVar

import msgspec

from fetalstream.tui.settings.settings import ModelSettings

_Settings = TypeVar("_Settings", bound=ModelSettings)


def given(settings: _Settings, **values: Any) -> _Settings:
    """The settings with those values that were given on the command line."""
    return msgspec.structs.replace(settings, **{key: value for key, value in values.items() if value is not None})


def chosen_model(options: argparse.Namespace, settings: _Settings) -> _Settings:
    """The settings with the model's options."""
    return given(
        settings,
        model=options.model,
        weights=options.weights,
        prompts=options.prompts,
        device=options.device,
        precision=options.precision,
    )
