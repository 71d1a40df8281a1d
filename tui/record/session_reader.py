"""The one way in which files of a session are read: regular files inside its folder, no larger than expected.

Sessions are handed on, so what lies in one may have been made to harm who looks at it: a pipe that never ends, a link
to a file elsewhere, a sparse file of many gigabytes.
"""

from __future__ import annotations

import errno
import io
import os
import sqlite3
import stat
import warnings
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec
from PIL import Image

ABOUT: Final = "session.json"
ABOUT_BYTES: Final = 4 << 20
SIDECAR_BYTES: Final = 4 << 20
PICTURE_BYTES: Final = 64 << 20
CLIP_BYTES: Final = 512 << 20
PREVIEW_BYTES: Final = 8 << 20
PICTURE_PIXELS: Final = 40_000_000
"""The largest picture that is decoded: five times a screen of 3840×2160."""

_VALUE_BYTES: Final = 16 << 20
_BESIDE_DATABASE: Final = ("", "-wal", "-shm", "-journal")
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# A pipe is opened without waiting for its writer, and refused then.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_file(folder: Path, name: str, most_bytes: int) -> bytes:
    """Return the bytes of a file of a session.

    Args:
        folder: the session's; it may itself be reached through links.
        name: the file's path in it, with ``/``.
        most_bytes: size from which on the file is refused unread.

    Raises:
        OSError: there is no such file, it is no regular file, a link leads to it, or it is too large.
    """
    parts = PurePosixPath(name).parts
    if not parts or any(part in ("/", "..") for part in parts):
        raise _refused("is not inside the session", name)
    try:
        at = os.open(folder, _FOLDER)
        try:
            for part in parts[:-1]:
                below = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
                os.close(at)
                at = below
            file = os.open(parts[-1], _FILE, dir_fd=at)
        finally:
            os.close(at)
    except ValueError as error:  # a NUL in the name
        raise _refused("is no name of a file", name) from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise _refused("is reached through a link, or is in no folder", name) from error
        raise
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise _refused("is no regular file", name)
        if found.st_size > most_bytes:
            raise _refused(f"is larger than {most_bytes:,} bytes", name)
        with os.fdopen(file, "rb", closefd=False) as opened:
            return opened.read(most_bytes)
    finally:
        os.close(file)


def read_about(folder: Path) -> dict[str, Any]:
    """Return the contents of ``session.json``.

    Raises:
        OSError: see `read_file`.
        ValueError: it is not a JSON object.
    """
    try:
        return msgspec.json.decode(read_file(folder, ABOUT, ABOUT_BYTES), type=dict[str, Any])
    except RecursionError as error:
        raise ValueError(f"{ABOUT} is nested too deeply") from error


def open_database(path: Path) -> sqlite3.Connection:
    """Open a session's database to read it, from any thread.

    What a database brings along, triggers and views, can call no function with effects, and no value may be larger than
    16 MB.

    Raises:
        OSError: it or a file that SQLite keeps beside it is a link or no regular file.
        sqlite3.Error: it cannot be read.
    """
    for suffix in _BESIDE_DATABASE:
        beside = path.with_name(path.name + suffix)
        if os.path.lexists(beside) and not stat.S_ISREG(beside.lstat().st_mode):
            raise _refused("is a link or no regular file", beside.name)
    # A path in a URI: what has a meaning there is escaped by as_uri.
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_BYTES)
    database.execute("PRAGMA trusted_schema = OFF")
    # Bytes that are not UTF-8 are left for the reader of the message to refuse.
    database.text_factory = lambda text: text.decode(errors="replace")
    return database


def open_picture(data: bytes, formats: tuple[str, ...] = ("PNG",)) -> Image.Image | None:
    """Return a picture, gray ("L") or colour ("RGB"); None if it is damaged or has more than 40 million pixels.

    Args:
        data: of a file.
        formats: names that Pillow knows them by.
    """
    try:
        with begin_picture(data, formats) as image:
            return image.convert("L" if image.mode in ("1", "L", "I;16") else "RGB")
    except (OSError, ValueError, SyntaxError):
        return None


def begin_picture(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Return a picture of which only the header has been read.

    Raises:
        OSError, ValueError, SyntaxError: it is damaged or has more than 40 million pixels.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of sizes that are refused below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from error
    if image.width * image.height > PICTURE_PIXELS:
        raise ValueError(f"a picture of {image.width}x{image.height} is too large to be decoded")
    return image


def _refused(why: str, name: str) -> OSError:
    return OSError(errno.EPERM, why, name)
