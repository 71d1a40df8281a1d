"""The file or folder that a source's name stands for, and the part of it that was asked for."""

from __future__ import annotations

import re
from pathlib import Path


def local_path(name: str) -> Path | None:
    """Return the existing file or folder that is meant, without ``#region=2`` behind its name; None if there is none.

    A path that exists as it is written comes first.
    """
    plain = _split(name)[0]
    return next((Path(each) for each in (name, plain) if each and _exists(Path(each))), None)


def region_of(name: str) -> int | None:
    """Return the DICOM region asked for behind the name of a file, from 1: 2 for ``clip.dcm#region=2``."""
    return None if _exists(Path(name)) else _split(name)[1]


def _split(name: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(.+)#region=([1-9][0-9]?)", name, re.DOTALL)
    return (name, None) if found is None else (found[1], int(found[2]))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long for a path, or with a zero byte in it
        return False
