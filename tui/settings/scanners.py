"""Scan regions to choose from: found on the screen, a scanner's profile (``fetalstream calibrate``), or none."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

import msgspec
import platformdirs

MAX_BYTES = 100_000


class RegionChoice(NamedTuple):
    """A choice, with the value that the ``set_sector`` command takes for it."""

    words: str
    value: Any


def regions() -> list[RegionChoice]:
    """Return all choices, without the user's profiles that cannot be read."""
    found: dict[str, Any] = {}
    for path in sorted((platformdirs.user_config_path("fetalstream") / "scanners").glob("*.toml")):
        with contextlib.suppress(OSError, ValueError):  # msgspec's errors are ValueErrors
            if path.stat().st_size <= MAX_BYTES:
                found[path.stem] = msgspec.toml.decode(path.read_bytes(), type=dict[str, Any])
    profiles = [RegionChoice(f"scanner {name}", found[name]) for name in sorted(found)]
    return [
        RegionChoice("find it on the screen", "auto"),
        *profiles,
        RegionChoice("the whole frame, text and all", None),
    ]
