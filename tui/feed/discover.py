"""Finds the engine that an endpoint means, or the newest one of this user."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from fetalstream.pipeline.wire import CONTROL_SOCKET, DEFAULT_CONTROL_TCP, EngineState, runtime_folders
from fetalstream.tui.feed.control_client import ControlClient, EngineAddress, NoAnswer

DISCOVER_S: Final = 5.0
"""An engine answers between two batches; one of a large model on a CPU takes seconds."""

NEWEST_WITHIN_S: Final = 0.5
"""How much longer than an older engine the newest may take to answer."""


def discover(asker: ControlClient, endpoint: str | None, timeout_s: float | None = None) -> EngineAddress:
    """Return the living engine behind an endpoint of its control channel or publisher; None for the user's newest.

    Raises:
        RequestFailed: nobody answers there.
    """
    timeout_s = DISCOVER_S if timeout_s is None else timeout_s
    if endpoint is None:
        own = _own_engines()
        return asker.first(own, lambda state: bool(state.endpoints), timeout_s, better_within_s=NEWEST_WITHIN_S)
    endpoint = endpoint.replace("//localhost:", "//127.0.0.1:")
    if endpoint.startswith("ipc://"):
        candidates = [endpoint, f"ipc://{Path(endpoint.removeprefix('ipc://')).parent / CONTROL_SOCKET}"]
    else:
        base, _, port = endpoint.rpartition(":")
        beside = [f"{base}:{int(port) + step}" for step in (1, -1) if port.isdigit() and 0 < int(port) + step < 65536]
        candidates = [endpoint, *beside]
    try:
        # A neighbour's port may belong to another engine: who answers must own the endpoint that was given.
        return asker.first(dict.fromkeys(candidates), lambda state: _owns(state, endpoint), timeout_s)
    except NoAnswer:
        raise NoAnswer(f"no engine answers on {endpoint}: start one with fetalstream run") from None


def _owns(state: EngineState, endpoint: str) -> bool:
    bound = state.endpoints
    return bound is not None and endpoint in (bound.pub, bound.preview, bound.control)


def _own_engines() -> list[str]:
    """Return control endpoints that engines of this user may have, the newest first."""
    sockets: list[tuple[int, str]] = []
    for parent in runtime_folders():
        # A folder in a shared temporary directory could have been laid out by somebody else.
        if parent.is_dir() and not parent.is_symlink() and parent.stat().st_uid == os.geteuid():
            sockets += [(path.stat().st_mtime_ns, f"ipc://{path}") for path in parent.glob(f"*/{CONTROL_SOCKET}")]
    return [endpoint for _, endpoint in sorted(sockets, reverse=True)] + [DEFAULT_CONTROL_TCP]
