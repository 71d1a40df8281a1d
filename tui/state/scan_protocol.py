"""Which views an examination is to collect: files in ``configs/protocols``, or in the user's own folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import msgspec
import platformdirs

from fetalstream.tui.state.text import LABEL_WORDS

ALL_PLANES: Final = "planes"
"""The protocol without a file: every plane that the model knows, once."""

_Words = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=28)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ProtocolError(Exception):
    """A protocol that cannot be used; ``str()`` is one line."""


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A view to collect; without a ``plane`` it is one that the model cannot judge."""

    name: _Name
    plane: str | None = None
    subplane: str | None = None

    @property
    def assessable(self) -> bool:
        return self.plane is not None


class Protocol(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A list of views.

    ``source``: the publication it follows; ``enough``: score from which a view is collected; ``name``: its file's,
    whatever the file says.
    """

    title: _Words
    source: _Words
    url: str = ""
    enough: _Share = 0.0
    views: tuple[View, ...]
    name: str = ALL_PLANES


def every_plane(labels: tuple[str, ...]) -> Protocol:
    """The protocol of a model's own planes."""
    views = tuple(View(LABEL_WORDS.get(label, label.replace("_", " "))[:28] or "?", label) for label in labels)
    return Protocol(title="all planes", source="the model's own planes", views=views)


def protocol_names() -> list[str]:
    """Those that there are, the one without a file first."""
    found = {Path(entry.name).stem for entry in _ours().iterdir() if entry.name.endswith(".toml")}
    found |= {path.stem for path in _theirs().glob("*.toml")}
    return [ALL_PLANES, *sorted(found)]


def read_protocol(name: str) -> Protocol | None:
    """The protocol of that name or path; None for the one without a file.

    Raises:
        ProtocolError: there is none, or it is not what it should be; the message names the field.
    """
    if name == ALL_PLANES:
        return None
    path = Path(name)
    if path.suffix != ".toml":
        own = _theirs() / f"{name}.toml"
        if name not in protocol_names():
            raise ProtocolError(f"unknown protocol {name!r}: choose {', '.join(protocol_names())} or give a .toml file")
        path = own if own.is_file() else Path(str(_ours() / f"{name}.toml"))
    try:
        protocol = msgspec.toml.decode(path.read_bytes(), type=Protocol)
    except OSError as error:
        raise ProtocolError(f"protocol {path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise ProtocolError(f"protocol {path}: {str(error).splitlines()[0]}") from error
    return msgspec.structs.replace(protocol, name=path.stem)


def known_protocol(name: str | None) -> Protocol | None:
    """The one of that name that was collected; None too where it is not here any more, or was a file somewhere."""
    return read_protocol(name) if name in protocol_names() else None


def _ours() -> Path:
    return Path(str(files("fetalstream.configs") / "protocols"))


def _theirs() -> Path:
    return platformdirs.user_config_path("fetalstream") / "protocols"
