"""Identities of files, by hash: they stand for a source where its name, which may hold a patient's, must not."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path

from fetalstream.streamer.errors import SourceError

_ENDS_BYTES = 1 << 20


def of_file(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's size and its first and last megabyte.

    Not the whole content, because a recording may be many gigabytes; two different recordings differ in these.

    Raises:
        SourceError: when the file cannot be read.
    """
    try:
        size = path.stat().st_size
        digest = hashlib.sha256(struct.pack("<Q", size))
        with path.open("rb") as file:
            digest.update(file.read(_ENDS_BYTES))
            file.seek(max(0, size - _ENDS_BYTES))
            digest.update(file.read(_ENDS_BYTES))
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror}); check the path and its rights", path) from error
    return digest.hexdigest()


def of_listing(paths: Sequence[Path]) -> str:
    """Return the SHA-256 (hex) of the names and sizes of files, in their order; the folder's own path does not count.

    Raises:
        SourceError: when a file's size cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            size = path.stat().st_size
        except OSError as error:
            raise SourceError(f"cannot be read ({error.strerror}); check its rights", path) from error
        digest.update(path.name.encode(errors="surrogateescape") + b"\0" + struct.pack("<Q", size))
    return digest.hexdigest()
