"""What a live analysis is asked to do: from the command line and ``--config FILE``, and handed to the engine's process.

A configuration file is TOML with these fields; what the command line says goes first::

    model = "fetalclip"
    record = "/data/sessions"

    [[streams]]
    source = "clip.mp4"
    name = "probe-1"
    spacing_mm = 0.21
    sector = [120, 40, 640, 480]
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import msgspec

_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
_Positive = Annotated[float, msgspec.Meta(gt=0, le=1000)]
_AtLeast0 = Annotated[int, msgspec.Meta(ge=0)]
_AtLeast1 = Annotated[int, msgspec.Meta(ge=1)]


class SettingsError(Exception):
    """A configuration that cannot be used; ``str()`` is one line."""


class StreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One source. ``name``: on the wire, must not say who the patient is; ``sector``: x, y, width, height in pixels."""

    source: str
    name: _Name | None = None
    spacing_mm: _Positive | None = None
    sector: tuple[_AtLeast0, _AtLeast0, _AtLeast1, _AtLeast1] | None = None


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which model, and on what. ``weights``: None for the configured ones, "random", or a path."""

    model: str = "mini"
    weights: str | None = None
    prompts: str | None = None
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16", "int8", "fp8"] = "auto"


class RunSettings(ModelSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A live analysis. ``record``: folder of sessions, None for the user's own; "" for no recording."""

    streams: tuple[StreamSettings, ...] = ()
    pub: str | None = None
    control: str | None = None
    record: str | None = None

    def named(self) -> tuple[StreamSettings, ...]:
        """The streams, each with the name that it has on the wire.

        Raises:
            SettingsError: there are none, or two have the same name.
        """
        if not self.streams:
            raise SettingsError("no source: give one or more, or a --config FILE with [[streams]]")
        named = tuple(
            msgspec.structs.replace(stream, name=stream.name or f"stream-{number}")
            for number, stream in enumerate(self.streams, start=1)
        )
        twice = [name for name, times in Counter(stream.name for stream in named).items() if times > 1]
        if twice:
            raise SettingsError(f"two streams are called {twice[0]!r}: give each a name of its own")
        return named


class EngineSettings(ModelSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the engine's process is told, as one line of JSON on its standard input.

    ``alive``: the file that it holds a lock on while it runs. ``recorded``: somebody fetches its pictures.
    """

    streams: tuple[StreamSettings, ...]
    pub: str
    preview: str
    control: str
    alive: str
    recorded: bool


def read_settings(path: Path) -> RunSettings:
    """The settings in a file.

    Raises:
        SettingsError: it cannot be read, or is not what it should be; the message names the field.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=RunSettings)
    except OSError as error:
        raise SettingsError(f"configuration {path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise SettingsError(f"configuration {path}: {str(error).splitlines()[0]}") from error
