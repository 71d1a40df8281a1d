"""The command line that other users of the machine see of this process, without the addresses in it."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from pathlib import Path

from fetalstream.streamer.live.addresses import without_addresses


def hide_addresses() -> None:
    """Blank out, on Linux, all but scheme, host and port of the addresses on this process's command line.

    ``ps`` shows the command line to everybody. ``sys.argv`` is a copy and stays as it is. Elsewhere nothing is done:
    a ``--config`` file keeps addresses off the command line.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, ValueError, IndexError):
        # The 48th and 49th fields of proc_pid_stat(5); the second one is in brackets and may hold spaces.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[45]), int(fields[46])
        if not 0 < start < end:
            return
        given = ctypes.string_at(start, end - start)
        ctypes.memmove(start, _hidden(given), end - start)


def _hidden(arguments: bytes) -> bytes:
    """Return as many bytes, in which each argument with an address keeps only scheme, host and port."""
    hidden: list[bytes] = []
    for argument in arguments.split(b"\0"):
        shown = without_addresses(argument.decode(errors="replace")).encode() if b"://" in argument else argument
        hidden.append(shown[: len(argument)].ljust(len(argument)))
    return b"\0".join(hidden)
