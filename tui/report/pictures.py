"""Pictures of best frames and their maps, small enough to be embedded in a page."""

from __future__ import annotations

import base64
import fnmatch
import io
import os
from pathlib import Path
from typing import Final, NamedTuple

from fetalstream.tui.record.session_files import MAPS, safe_name
from fetalstream.tui.record.session_reader import PICTURE_BYTES, open_picture, read_file

LONGEST_SIDE: Final = 900
_QUALITY: Final = 88


class Embedded(NamedTuple):
    """A picture as a ``data:`` address, with its width and height in pixels as embedded."""

    address: str
    width: int
    height: int


def embedded(picture: bytes | None, longest_side: int = LONGEST_SIDE) -> Embedded | None:
    """Return a picture as a JPEG of at most ``longest_side`` pixels a side; None if there is none, or it is damaged.

    It is encoded anew, so that nothing but its pixels gets into the page.
    """
    if picture is None:
        return None
    small = open_picture(picture, ("PNG", "JPEG"))
    if small is None:
        return None
    small.thumbnail((longest_side, longest_side))
    packed = io.BytesIO()
    small.save(packed, "JPEG", quality=_QUALITY)
    address = "data:image/jpeg;base64," + base64.b64encode(packed.getvalue()).decode()
    return Embedded(address, small.width, small.height)


def map_of(folder: Path, keyframe: str) -> bytes | None:
    """Return the class activation map that a session keeps of a frame, as a picture; None if it has none."""
    name = safe_name(keyframe)
    if (folder / MAPS).is_symlink():
        return None
    found = sorted(
        os.path.join(at, file)  # noqa: PTH118 - of os.walk, which follows no links, as Path.glob does at its beginning
        for at, _, files in os.walk(folder / MAPS)
        for file in fnmatch.filter(files, f"{name}*.png")
    )
    try:
        return read_file(folder, str(Path(found[0]).relative_to(folder)), PICTURE_BYTES) if found else None
    except OSError:
        return None
