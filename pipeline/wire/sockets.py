"""The place of an engine's sockets on this machine, and the lock that tells a living process from leftovers."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from pathlib import Path
from typing import IO, Final

PUB_SOCKET: Final = "pub.sock"
PREVIEW_SOCKET: Final = "preview.sock"
CONTROL_SOCKET: Final = "control.sock"

MAX_SOCKET_PATH_BYTES: Final = 107 if sys.platform.startswith("linux") else 103
"""Longest name of a socket: ``sun_path`` holds 108 bytes on Linux, 104 on macOS, and one is the closing NUL."""

DEFAULT_CONTROL_TCP: Final = "tcp://127.0.0.1:5557"
"""Where a listener looks for an engine that publishes over TCP."""

_RUN_NAME_BYTES: Final = 15  # of the folder that each run makes for itself


def runtime_folders() -> list[Path]:
    """Return the folders that may hold this user's engines, the preferred one first.

    These are ``$XDG_RUNTIME_DIR/fetalstream``, ``/run/user/<uid>/fetalstream``, and one in the temporary directory.
    """
    user = os.geteuid()
    bases = [Path(base) for base in (os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{user}") if base]
    absolute = [base / "fetalstream" for base in bases if base.is_absolute()]
    return list(dict.fromkeys([*absolute, Path(tempfile.gettempdir()) / f"fetalstream-{user}"]))


def runtime_folder() -> Path:
    """Return the folder for the sockets of a new engine.

    It is the first of `runtime_folders` that can be written and leaves room for a socket's name, else the last of them.
    """
    *preferred, last = runtime_folders()
    for folder in preferred:
        length = len(os.fsencode(folder)) + 1 + _RUN_NAME_BYTES + 1 + len(CONTROL_SOCKET)
        if os.access(folder.parent, os.W_OK) and length <= MAX_SOCKET_PATH_BYTES:
            return folder
    return last


def lock(path: Path) -> IO[bytes]:
    """Hold an exclusive lock on a file until the returned file is closed or the process is gone.

    Raises:
        BlockingIOError: another process holds it.
        OSError: the file cannot be made, or is a symbolic link.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.fdopen(os.open(path, flags, 0o600), "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def locked(path: Path) -> bool:
    """Return whether a living process holds the lock on a file."""
    if not path.exists():
        return False
    try:
        lock(path).close()
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
