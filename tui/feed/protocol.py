"""What the dashboard asks of whatever brings it messages: a running engine, a recording, or a test's own list."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from fetalstream.pipeline.wire import Message
from fetalstream.tui.errors import UserError


class RequestFailed(UserError):
    """A control request got no answer, or the answer was no; ``str()`` is one line that says what to do."""


class Feed(Protocol):
    """A source of messages that the dashboard polls; it never blocks the drawing."""

    @property
    def last_heard_ns(self) -> int | None:
        """Monotonic time of the last message of any kind, None before the first."""
        ...

    async def start(self) -> dict[str, Any]:
        """Connects and returns the ``state`` result.

        Raises:
            RequestFailed: nobody answers.
        """
        ...

    def drain(self) -> list[tuple[Message, bytes | None]]:
        """All messages since the last call, with their blobs; of previews only the newest of each stream."""
        ...

    async def request(self, command: str, args: dict[str, Any] | None = None) -> dict[str, Any]:
        """One control command and its result.

        Raises:
            RequestFailed: no answer in time, or the engine refused.
        """
        ...

    async def picture(self, keyframe: str) -> bytes | None:
        """A kept frame's picture as the bytes of a PNG; None where it is not to be had (any more)."""
        ...

    async def close(self) -> None:
        """Lets go of sockets and threads; may be called twice."""
        ...


@runtime_checkable
class Player(Protocol):
    """A feed that is a recording: it has an end, and can be played at any speed from anywhere."""

    @property
    def folder(self) -> Path:
        """Where the recording is on disk."""
        ...

    @property
    def seconds(self) -> float:
        """Where in the recording it is."""
        ...

    @property
    def duration(self) -> float:
        """Seconds from its first message to its last."""
        ...

    @property
    def speed(self) -> float:
        """Recorded seconds a second; 0 while it is held."""
        ...

    def set_speed(self, speed: float) -> None:
        """From now on."""
        ...

    def seek(self, seconds: float) -> list[tuple[Message, bytes | None]]:
        """Goes on from another moment; what is to be known there, to be folded into an empty session."""
        ...
