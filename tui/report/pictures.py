"""Pictures of best frames and their maps, small enough to be embedded in a page."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image, UnidentifiedImageError

from fetalstream.tui.record.session_files import safe_name

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
    try:
        with Image.open(io.BytesIO(picture), formats=("PNG", "JPEG")) as image:
            small = image.convert("L" if image.mode in ("1", "L", "I;16") else "RGB")
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    small.thumbnail((longest_side, longest_side))
    packed = io.BytesIO()
    small.save(packed, "JPEG", quality=_QUALITY)
    address = "data:image/jpeg;base64," + base64.b64encode(packed.getvalue()).decode()
    return Embedded(address, small.width, small.height)


def map_of(folder: Path, keyframe: str) -> bytes | None:
    """Return the class activation map that a session keeps of a frame, as a picture; None if it has none."""
    name = safe_name(keyframe)
    found = sorted(path for path in (folder / "maps").glob(f"**/{name}*.png") if not path.name.startswith("."))
    return found[0].read_bytes() if found else None
