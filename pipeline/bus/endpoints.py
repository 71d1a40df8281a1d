"""The engine's endpoints lie in a private folder of the user's runtime directory, or on loopback TCP.

Pictures of patients pass here, so nothing is ever bound where another machine or another user could reach it.
``pub.sock``, ``preview.sock`` and ``control.sock`` lie side by side in a folder of their own for each start of the
supervisor; over TCP the control port is the one after the publisher's, and previews take any free port, which the
``state`` command tells.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fetalstream.pipeline import wire
from fetalstream.pipeline.errors import ConfigError

FOLDER_LOCK: Final = "alive.lock"

_TCP = re.compile(r"tcp://(?P<host>\[[^\]]*\]|[^:/]+):(?P<port>\d{1,5}|\*)")


class RunFolder:
    """The folder that holds one supervisor's sockets; it lives as long as the process that made it.

    Mode 0700. A lock in it tells the living from what a killed process left behind; such leftovers are swept away
    when the next folder is made. Children bind in ``path``; only who made the folder closes it.

    Raises:
        ConfigError: the runtime directory belongs to somebody else or cannot be written.
    """

    def __init__(self, parent: Path | None = None) -> None:
        parent = wire.runtime_folder() if parent is None else parent
        make_private(parent)
        sweep(parent)
        self.path = parent / f"{time.strftime('%H%M%S')}-{uuid.uuid4().hex[:8]}"
        try:
            self.path.mkdir(mode=0o700)
            self._lock = wire.lock(self.path / FOLDER_LOCK)
        except OSError as error:
            raise ConfigError(f"{parent} cannot be written ({error.strerror}): set XDG_RUNTIME_DIR") from error

    @property
    def endpoints(self) -> wire.Endpoints:
        return endpoints_in(self.path)

    @property
    def lock_fd(self) -> int:
        """A child that inherits this descriptor keeps the folder alive when the process that made it is killed."""
        return self._lock.fileno()

    def close(self) -> None:
        """Remove the folder and free its lock; may be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def make_private(folder: Path) -> None:
    """Make the folder 0700 and check that it is the user's own.

    Raises:
        ConfigError: it is not, or it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made ({error.strerror}): set XDG_RUNTIME_DIR") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ConfigError(f"{folder} belongs to somebody else: remove it or set XDG_RUNTIME_DIR")
    if found.st_mode & 0o077:
        folder.chmod(0o700)


def sweep(parent: Path) -> None:
    """Remove what killed supervisors left behind; a folder without a lock may be just being made, and stays."""
    for folder in _folders(parent):
        if (folder / FOLDER_LOCK).exists() and not wire.locked(folder / FOLDER_LOCK):
            shutil.rmtree(folder, ignore_errors=True)


def _folders(parent: Path) -> Iterator[Path]:
    if parent.is_dir():
        yield from (folder for folder in parent.iterdir() if folder.is_dir() and not folder.is_symlink())


def endpoints_in(folder: Path) -> wire.Endpoints:
    """Return the endpoints of the three sockets of a folder.

    Raises:
        ConfigError: their names are too long for the system.
    """
    names = (wire.PUB_SOCKET, wire.PREVIEW_SOCKET, wire.CONTROL_SOCKET)
    return wire.Endpoints(*(checked(f"ipc://{folder / name}") for name in names))


def resolve_endpoints(pub: str | None = None, control: str | None = None, *, folder: Path) -> wire.Endpoints:
    """Return the endpoints for ``--pub`` and ``--control``; what is not given lies beside what is, or in ``folder``.

    Raises:
        ConfigError: an endpoint is malformed, or could be reached from outside this machine.
    """
    if pub is None and control is None:
        return endpoints_in(folder)
    pub = checked(pub if pub is not None else _beside(checked(control or ""), wire.PUB_SOCKET, -1))
    control = checked(control if control is not None else _beside(pub, wire.CONTROL_SOCKET, +1))
    preview = "tcp://127.0.0.1:*" if pub.startswith("tcp:") else _beside(pub, wire.PREVIEW_SOCKET, 0)
    if len({pub, preview, control}) < 3:
        raise ConfigError(f"{pub} is given twice: the publisher and the control channel need an endpoint each")
    return wire.Endpoints(pub, preview, control)


def checked(endpoint: str) -> str:
    """Return the endpoint in plain form, if only this machine can reach it.

    Raises:
        ConfigError: it is malformed, its path too long, or it is not local.
    """
    if endpoint.startswith("ipc://"):
        return f"ipc://{_checked_path(endpoint.removeprefix('ipc://'))}"
    match = _TCP.fullmatch(endpoint)
    if match is None:
        raise ConfigError(f"{endpoint!r} is no endpoint: write tcp://127.0.0.1:PORT or ipc:///path/to/pub.sock")
    host, port = match["host"].strip("[]"), match["port"]
    if port != "*" and not 1 <= int(port) <= 65535:
        raise ConfigError(f"{endpoint}: a port lies between 1 and 65535")
    host = "127.0.0.1" if host == "localhost" else host
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ConfigError(f"{endpoint} could be reached from outside: use 127.0.0.1, nothing is encrypted yet")
    return f"tcp://{f'[{host}]' if ':' in host else host}:{port}"


def _checked_path(name: str) -> str:
    if not name.startswith("/"):
        raise ConfigError(f"ipc://{name} needs an absolute path, such as ipc:///run/user/1000/pub.sock")
    length = len(os.fsencode(name))
    if length > wire.MAX_SOCKET_PATH_BYTES:
        raise ConfigError(
            f"{name} is {length} bytes long, a socket's name at most {wire.MAX_SOCKET_PATH_BYTES}: shorten it"
        )
    return name


def _beside(endpoint: str, name: str, step: int) -> str:
    if endpoint.startswith("ipc://"):
        return f"ipc://{Path(endpoint.removeprefix('ipc://')).parent / name}"
    base, _, port = endpoint.rpartition(":")
    return endpoint if port == "*" else f"{base}:{int(port) + step}"
