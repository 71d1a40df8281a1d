"""The interface between the dashboard and what brings it messages: a running engine, a recording, or a test's list."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from fetalstream.pipeline.wire import Command, EngineState, Message
from fetalstream.tui.errors import UserError


class RequestFailed(UserError):
    """A control request got no answer, or the answer was no; ``str()`` is one line that says what to do."""


def state_from(result: dict[str, Any]) -> EngineState:
    """Return the state in a ``state`` result.

    Raises:
        RequestFailed: it is of a version that cannot be read.
    """
    try:
        return msgspec.convert(result, EngineState)
    except (msgspec.ValidationError, RecursionError) as error:
        raise RequestFailed(f"the engine's state cannot be read ({error}): use its own version here") from None


class Feed(Protocol):
    """A source of messages that the dashboard polls; it never blocks the drawing."""

    @property
    def last_heard_ns(self) -> int | None:
        """Monotonic time of the last message of any kind, None before the first."""
        ...

    async def start(self) -> EngineState:
        """Connect and return the ``state`` result.

        Raises:
            RequestFailed: nobody answers.
        """
        ...

    def drain(self) -> list[tuple[Message, bytes | None]]:
        """Return all messages since the last call, with their blobs; of previews only the newest of each stream."""
        ...

    async def request(self, command: Command) -> dict[str, Any]:
        """Send one control command and return its result.

        Raises:
            RequestFailed: no answer in time, or the engine refused.
        """
        ...

    async def picture(self, keyframe: str) -> bytes | None:
        """Return a kept frame's picture as the bytes of a PNG; None if it is not to be had (any more)."""
        ...

    async def close(self) -> None:
        """Let go of sockets and threads; may be called twice."""
        ...


@runtime_checkable
class CountsUnreadable(Protocol):
    """A feed that counts the messages that it left out because they could not be read."""

    @property
    def unreadable(self) -> int:
        """The number of messages that were left out so far."""
        ...


@runtime_checkable
class Player(Protocol):
    """A feed that is a recording: it has an end, and can be played at any speed from anywhere."""

    @property
    def folder(self) -> Path:
        """The recording's folder on disk."""
        ...

    @property
    def seconds(self) -> float:
        """The moment that is shown, seconds from the recording's first message."""
        ...

    @property
    def duration(self) -> float:
        """Seconds from its first message to its last."""
        ...

    @property
    def speed(self) -> float:
        """Recorded seconds played a second; 0 while it is held."""
        ...

    def set_speed(self, speed: float) -> None:
        """Play at another speed from now on."""
        ...

    def seek(self, seconds: float) -> list[tuple[Message, bytes | None]]:
        """Go on from another moment; return the messages to be folded into an empty session there."""
        ...
