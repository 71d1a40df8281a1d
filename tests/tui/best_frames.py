"""A stream with best frames for the screens that show them, their pictures, and decisions that are only noted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fetalstream.pipeline.wire import Message
from fetalstream.tui.pictures.kept_pictures import KeptPictures
from fetalstream.tui.state.freshness import Tone
from fetalstream.tui.state.protocol_progress import ChecklistItem, items
from fetalstream.tui.state.scan_protocol import Protocol
from fetalstream.tui.state.session import StreamView
from tests.tui import scan
from tests.tui.scan import SECOND, START

PARTS = {"probability": 0.9, "in_plane": 0.95, "sharpness": 0.41, "steadiness": 0.8}
FRAMES = (
    scan.reading(START),
    scan.keyframe(START, "femur", 0.5, parts=PARTS),
    scan.keyframe(START + SECOND, "femur", 0.7, seq=1, parts=PARTS),
    scan.keyframe(START + SECOND, "spine", 0.6, seq=2),
)
NOW_NS = START + 61 * SECOND


class Reviewed:
    """A stream with its pictures, for the screens to look at.

    Attributes:
        view: the stream; None for no stream.
        made: the decisions, each its verdict and its frame.
        said: the answer to the last one.
        kept: pictures that the engine has, by frame.
        fetches: fetches that were begun.
    """

    def __init__(self, *messages: Message, protocol: Protocol | None = None) -> None:
        self.view: StreamView | None = scan.view(*(messages or FRAMES))
        self.made: list[tuple[str, ...]] = []
        self.said: tuple[str, Tone] | None = None
        self.kept: dict[str, bytes] = {}
        self.fetches: list[Callable[[], Awaitable[None]]] = []
        self.pictures = KeptPictures(self._picture, self.fetches.append)
        self._protocol = protocol

    def look(self) -> tuple[StreamView, list[ChecklistItem], int] | None:
        return None if self.view is None else (self.view, items(self._protocol, self.view, NOW_NS), NOW_NS)

    async def fetch(self) -> None:
        """Carry out all fetches that were begun."""
        while self.fetches:
            await self.fetches.pop(0)()

    async def _picture(self, keyframe: str) -> bytes | None:
        return self.kept.get(keyframe)

    # Decisions -------------------------------------------------------------------------------------------------

    def decide(self, keyframe: str, verdict: str) -> None:
        self.made.append((verdict, keyframe))

    def relabel(self, keyframe: str) -> None:
        self.made.append(("relabel", keyframe))

    def undo(self) -> None:
        self.made.append(("undo",))
