"""A running engine as a ``Feed``: its messages, with gaps refilled, and its control channel."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from fetalstream.pipeline.wire import Command, EngineState, GetKeyframe, Message, Preview
from fetalstream.tui.feed.control_client import ControlClient, new_context
from fetalstream.tui.feed.discover import discover
from fetalstream.tui.feed.listener import Listener, ReceivedMessage
from fetalstream.tui.feed.protocol import RequestFailed

_TICK_S: Final = 0.1
_UNREAD: Final = 20_000
_STREAMS: Final = 256


class EngineFeed:
    """Listens to an engine, from a thread of its own; the interface is ``tui.feed.protocol.Feed``.

    Args:
        endpoint: of its control channel or its publisher; None for the newest engine of this user.
        clock_ns: monotonic.
    """

    def __init__(self, endpoint: str | None = None, *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._endpoint = endpoint
        self._clock_ns = clock_ns
        self._context = new_context()
        self._asker = ControlClient(self._context)
        self._control: str | None = None
        self._unread: deque[tuple[Message, bytes | None]] = deque(maxlen=_UNREAD)
        self._previews: dict[str, tuple[Message, bytes | None]] = {}
        self._swap = threading.Lock()
        self._last_heard_ns: int | None = None
        self._thread: threading.Thread | None = None
        self._listener: Listener | None = None

    @property
    def last_heard_ns(self) -> int | None:
        """Monotonic time of the last message of any kind, None before the first."""
        return self._last_heard_ns

    @property
    def unreadable(self) -> int:
        """Messages that were left out because they could not be read."""
        return 0 if self._listener is None else self._listener.unreadable

    async def start(self) -> EngineState:
        """Connect and return the ``state`` result.

        Raises:
            RequestFailed: nobody answers.
        """
        found = await asyncio.to_thread(discover, self._asker, self._endpoint)
        if self._thread is None:
            self._control = found.control
            self._listener = Listener(self._context, self._asker, found, found.state.topics)
            self._thread = threading.Thread(target=self._listen, args=(self._listener,), name="feed", daemon=True)
            self._thread.start()
        return found.state

    def drain(self) -> list[tuple[Message, bytes | None]]:
        """Return all messages since the last call, with their blobs; of previews only the newest of each stream."""
        with self._swap:
            taken = [*self._unread, *self._previews.values()]
            self._unread.clear()
            self._previews.clear()
        return taken

    async def request(self, command: Command) -> dict[str, Any]:
        """Send one control command and return its result.

        Raises:
            RequestFailed: no answer in time, or the engine refused.
        """
        if self._control is None:
            raise RequestFailed("there is no engine yet: start one with fetalstream run")
        return (await asyncio.to_thread(self._asker.ask, self._control, command))[0]

    async def picture(self, keyframe: str) -> bytes | None:
        """Return a kept frame's picture as the bytes of a PNG; None if the engine keeps it no longer."""
        if self._control is None:
            return None
        try:
            return (await asyncio.to_thread(self._asker.ask, self._control, GetKeyframe(keyframe=keyframe)))[1]
        except RequestFailed:
            return None

    async def close(self) -> None:
        """Let go of sockets and threads; may be called twice."""
        self._asker.closed.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        await asyncio.to_thread(self._context.term)

    def _listen(self, listener: Listener) -> None:
        try:
            while not self._asker.closed.is_set():
                heard = list(listener.receive(_TICK_S))
                if heard:
                    self._last_heard_ns = self._clock_ns()
                    self._put(heard)
        finally:
            listener.close()

    def _put(self, heard: list[ReceivedMessage]) -> None:
        with self._swap:
            for message, _, blob in heard:
                if isinstance(message, Preview):
                    if message.stream in self._previews or len(self._previews) < _STREAMS:
                        self._previews[message.stream] = (message, blob)
                else:
                    self._unread.append((message, blob))
