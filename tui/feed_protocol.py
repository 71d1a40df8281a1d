"""What the dashboard asks of whatever brings it messages: a running engine, a recording, or a test's own list."""

from __future__ import annotations

from typing import Any, Protocol

from pipeline.wire import Message


class RequestFailed(Exception):
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

    async def close(self) -> None:
        """Lets go of sockets and threads; may be called twice."""
        ...
