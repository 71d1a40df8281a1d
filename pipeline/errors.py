"""What can go wrong here in a way that a person can mend; each message is one line that says how."""

from __future__ import annotations

from fetalstream.streamer.errors import UserError


class ModelError(UserError):
    """Weights that are absent, damaged or do not fit, or a model that cannot be built."""


class ConfigError(UserError):
    """A model file, prompt file or option that cannot be used as it stands."""


class EngineFault(UserError):
    """The model gives nothing usable any more; the process should end and be started afresh."""


class DeviceFault(EngineFault):
    """The device failed in a way that this process cannot recover from; another process may."""
