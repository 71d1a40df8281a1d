"""The model options of the command line, laid over the settings of a file or the defaults."""

from __future__ import annotations

import argparse
from typing import Any, TypeVar

import msgspec

from fetalstream.tui.settings.settings import ModelSettings

_Settings = TypeVar("_Settings", bound=ModelSettings)


def given(settings: _Settings, **values: Any) -> _Settings:
    """Return the settings with the values that are not None instead of their own."""
    return msgspec.structs.replace(settings, **{key: value for key, value in values.items() if value is not None})


def chosen_model(options: argparse.Namespace, settings: _Settings) -> _Settings:
    """Return the settings with the model options that were given."""
    return given(
        settings,
        model=options.model,
        weights=options.weights,
        prompts=options.prompts,
        device=options.device,
        precision=options.precision,
    )
