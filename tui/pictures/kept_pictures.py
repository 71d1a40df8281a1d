"""Pictures of best frames for the screen, each fetched once: from the engine, else from the session on disk.

The engine drops a frame that a better one has replaced as soon as the recorder has it; the disk still holds it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

from fetalstream.tui.record.session_files import safe_name

MOST: Final = 64
"""Of them at a time: about 20 MB of 640x480."""

Fetch = Callable[[str], Awaitable[bytes | None]]


class KeptPictures:
    """Fetches pictures in the background and keeps the latest 64, for the thread that draws.

    Args:
        fetch: returns a frame's picture as a file's bytes, None if nobody has it.
        start: runs a fetch without waiting for it.
    """

    def __init__(self, fetch: Fetch, start: Callable[[Callable[[], Awaitable[None]]], object]) -> None:
        self._fetch = fetch
        self._start = start
        self._held: OrderedDict[str, bytes | None] = OrderedDict()

    def get(self, keyframe: str) -> bytes | None:
        """Return a frame's picture; None while it is being fetched, empty bytes if nobody has it any more."""
        if keyframe in self._held:
            self._held.move_to_end(keyframe)
            return self._held[keyframe]
        self._held[keyframe] = None
        while len(self._held) > MOST:
            self._held.popitem(last=False)
        self._start(partial(self._bring, keyframe))
        return None

    async def _bring(self, keyframe: str) -> None:
        picture = await self._fetch(keyframe)
        if keyframe in self._held:
            self._held[keyframe] = picture or b""


def on_disk(folder: Path | None, keyframe: str) -> bytes | None:
    """Return the picture of a best frame in a session's folder; None if it is not there."""
    if folder is None:
        return None
    for path in (folder / "keyframes").glob(f"*/{safe_name(keyframe)}.png"):
        try:
            return path.read_bytes()
        except OSError:
            return None
    return None
