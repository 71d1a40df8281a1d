"""Scan protocols on disk: files in ``configs/protocols``, or in the user's own folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec
import platformdirs

from fetalstream.tui.state.scan_protocol import ALL_PLANES, Protocol, ProtocolError


def protocol_names() -> list[str]:
    """Return the names of all protocols, the one without a file first."""
    found = {Path(entry.name).stem for entry in _shipped().iterdir() if entry.name.endswith(".toml")}
    found |= {path.stem for path in _users().glob("*.toml")}
    return [ALL_PLANES, *sorted(found)]


def read_protocol(name: str) -> Protocol | None:
    """Return the protocol of that name or path; None for the one without a file.

    Raises:
        ProtocolError: there is none, or it is not what it should be; the message names the field.
    """
    if name == ALL_PLANES:
        return None
    path = Path(name)
    if path.suffix != ".toml":
        own = _users() / f"{name}.toml"
        if name not in protocol_names():
            raise ProtocolError(f"unknown protocol {name!r}: choose {', '.join(protocol_names())} or give a .toml file")
        path = own if own.is_file() else Path(str(_shipped() / f"{name}.toml"))
    try:
        protocol = msgspec.toml.decode(path.read_bytes(), type=Protocol)
    except OSError as error:
        raise ProtocolError(f"protocol {path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ProtocolError(f"protocol {path}: {str(error).splitlines()[0]}") from error
    return msgspec.structs.replace(protocol, name=path.stem)


def known_protocol(name: str | None) -> Protocol | None:
    """Return the protocol that a session was recorded with; None if it is not known here, or was a file elsewhere."""
    return read_protocol(name) if name in protocol_names() else None


def _shipped() -> Path:
    return Path(str(files("fetalstream.configs") / "protocols"))


def _users() -> Path:
    return platformdirs.user_config_path("fetalstream") / "protocols"
