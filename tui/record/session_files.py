"""Files of a session: written whole or not at all, for the user's eyes only, and never under a name from outside."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import struct
import tempfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

import platformdirs

from fetalstream.pipeline.wire import NOTICE, lock

LOCK: Final = "session.lock"
MAPS: Final = "maps"
"""The folder of class activation maps in a session."""

LOW_DISK_BYTES: Final = 5_000_000_000
"""The recorder warns if less is free on the sessions' disk."""

FULL_DISK_BYTES: Final = 1_000_000_000
"""The recorder stops writing if less is free, so that the machine stays usable."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


class DamagedPicture(ValueError):
    """Bytes that are not a whole PNG."""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; see `whole_file`."""
    with whole_file(path) as file:
        file.write(data)


@contextlib.contextmanager
def whole_file(path: Path) -> Generator[IO[bytes]]:
    """Open a file to write so that, whenever the power goes, it is there whole or as it was before.

    Temporary file beside it, fsync, rename, fsync of the folder. Mode 0600.

    Raises:
        OSError: it could not be written; the file that was there before is untouched, as it is if the block fails.
    """
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    sync_folder(path.parent)


def sessions_folder() -> Path:
    """Return the user's own folder of sessions, the default."""
    return platformdirs.user_data_path("fetalstream") / "sessions"


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> Path:
    """Make a folder and those above it that are missing, 0700 and durably; one that exists keeps its mode."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)
    return folder


def make_folder_inside(session: Path, name: str) -> Path:
    """Make a folder of a session that is missing, 0700 and durably, and return it.

    Args:
        session: its folder, which exists.
        name: the path in it, with ``/``.

    Raises:
        NotADirectoryError: a link or a file lies in its place; what is written there could land elsewhere.
    """
    folder = session
    for part in PurePosixPath(name).parts:
        folder /= part
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise NotADirectoryError(
                errno.ENOTDIR, "a link or a file lies where a folder of the session belongs", str(folder)
            )
        make_folder(folder)
    return folder


def sweep_parts(folder: Path) -> None:
    """Remove the unfinished files of a killed writer; call it only while no one else writes there."""
    for part in folder.rglob(".*.part"):
        part.unlink(missing_ok=True)


def lock_folder(folder: Path) -> IO[bytes]:
    """Lock the folder against other writers until the returned file is closed or the process is gone.

    Raises:
        BlockingIOError: somebody else writes there.
        OSError: there is no such folder, or it cannot be written.
    """
    # Sessions are handed on: a link in one must not make a file elsewhere.
    return lock(folder / LOCK)


def safe_name(text: str) -> str:
    """Return a text as one part of a path: 1 to 64 letters, digits, ``_`` and ``-``."""
    return _UNSAFE.sub("_", text)[:64] or "_"


def with_notice(png: bytes) -> bytes:
    """Return a PNG with the notice in its metadata and its pixels untouched, after a check that it is whole.

    The notice is a ``tEXt`` chunk right after the header (PNG specification, third edition, 11.3.3).

    Raises:
        DamagedPicture: it is not a PNG, cut short, or a checksum does not fit.
    """
    chunks = list(_chunks(png))
    if len(chunks) < 3 or chunks[0][0] != b"IHDR" or chunks[-1][0] != b"IEND":
        raise DamagedPicture("the picture is not a whole PNG")
    after_header = len(_PNG) + 12 + len(chunks[0][1])
    return png[:after_header] + _chunk(b"tEXt", b"Disclaimer\0" + NOTICE.encode("latin-1")) + png[after_header:]


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not png.startswith(_PNG):
        raise DamagedPicture("the picture is not a PNG")
    at = len(_PNG)
    while at < len(png):
        if at + 12 > len(png):
            raise DamagedPicture("the picture is cut short")
        (length,) = struct.unpack_from(">I", png, at)
        end = at + 12 + length
        if end > len(png) or zlib.crc32(png[at + 4 : end - 4]) != struct.unpack_from(">I", png, end - 4)[0]:
            raise DamagedPicture("the picture is damaged")
        yield png[at + 4 : at + 8], png[at + 8 : end - 4]
        at = end


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
