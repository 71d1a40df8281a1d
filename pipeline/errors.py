"""Errors of the pipeline that a person can act on; each message is one line that says what to do."""

from __future__ import annotations

from fetalstream.streamer.errors import UserError


class ModelError(UserError):
    """Weights are absent, damaged or do not fit, or a model cannot be built."""


class ConfigError(UserError):
    """A model file, prompt file or option cannot be used as it is."""


class EngineFault(UserError):
    """The model gives no usable output any more; the process should end and be started again."""


class DeviceFault(EngineFault):
    """The device failed in a way that this process cannot recover from; another process may."""
