"""The connection to the engine: it starts the feed, catches up on what was published before, and folds what comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from fetalstream.pipeline.wire import (
    ChooseProtocol,
    EngineState,
    Event,
    GetKeyframes,
    GetSince,
    GetState,
    Keyframe,
    Message,
)
from fetalstream.tui.dashboard.host import Host
from fetalstream.tui.feed.protocol import CountsUnreadable, Feed, Player, RequestFailed, state_from
from fetalstream.tui.state.session import Session, opened, reduce

RECONNECT_EVERY_S: Final = 1.0


class Connection:
    """Keeps ``host.session`` as the feed says; the app calls ``connect`` once and ``take`` at each tick.

    Args:
        host: the app, whose session is written.
        feed: where messages and replies come from.
        clock_ns: the monotonic clock that ages are counted by.
        read_only: the engine is told nothing.
    """

    def __init__(self, host: Host, feed: Feed, clock_ns: Callable[[], int], *, read_only: bool = False) -> None:
        self._host, self._feed, self._clock_ns, self._read_only = host, feed, clock_ns, read_only
        self._state = EngineState()
        self._run: str | None = None  # whose state is known; None before the first reply
        self._told_unreadable = False
        self._measured_run: str | None = None  # whose frames' sizes were asked for

    async def connect(self) -> None:
        """Start the feed, again and again until the engine answers; then fetch what was published before."""
        while True:
            try:
                state = await self._feed.start()
            except RequestFailed as error:
                self._host.say(f"Waiting for the engine: {error}", "warn")
                await asyncio.sleep(RECONNECT_EVERY_S)
            else:
                break
        self._host.unsay()
        self._open(state)
        if state.amiss is not None:
            self._host.say(state.amiss, "warn")
        await self._catch_up()
        await self._send_protocol()

    def take(self, now_ns: int) -> None:
        """Fold what came since the last call; ask for the state again if the engine is another run or lacked a size."""
        # Before the state is known (when the examination began, for one) what comes waits in the feed.
        for message, blob in self._feed.drain() if self._run is not None else ():
            self._host.session = reduce(self._host.session, message, now_ns, blob)
        if isinstance(self._feed, CountsUnreadable) and self._feed.unreadable and not self._told_unreadable:
            self._told_unreadable = True
            self._host.say("Messages of the engine cannot be read and are left out: use its own version here", "warn")
        run = self._host.session.run
        if not isinstance(self._feed, Player) and self._measured_run != run and _lacks_a_size(self._host.session):
            # This dashboard was there before the first frame; now that one has come, its size is known.
            self._measured_run = run
            self._host.start(self._measure(), "measure", exclusive=True)
        if run and self._run not in (None, run):
            # The engine came back as another run: its streams and model may differ.
            self._run = run
            self._host.start(self._reopen(), "reopen", exclusive=True)

    def rebuild(self, messages: list[tuple[Message, bytes | None]]) -> None:
        """Make the session again from the messages of a recording up to a moment, the last of them just now."""
        now_ns = self._clock_ns()
        last_ns = max((message.published_ns for message, _ in messages), default=0)
        session = opened(Session(), self._state)
        for message, blob in messages:
            session = reduce(session, message, now_ns - (last_ns - message.published_ns), blob)
        self._host.session = session
        self._host.redraw()

    def _open(self, state: EngineState) -> None:
        self._state = state
        self._host.session = opened(self._host.session, state)
        self._run = self._host.session.run
        self._host.redraw()

    async def _catch_up(self) -> None:
        """Fetch the best frames and events from before this dashboard was there."""
        try:
            result = await self._feed.request(GetKeyframes())
        except RequestFailed:
            return  # the checklist then fills with what comes
        self._fold(result.get("keyframes"), "keyframe")
        # Best frames that were replaced since, and the operator's decisions about them.
        for stream in self._host.session.names:
            for kind in ("keyframe", "event"):
                with contextlib.suppress(RequestFailed):
                    result = await self._feed.request(GetSince(kind=kind, stream=stream, seq=-1))
                    self._fold(result.get("messages"), kind)

    def _fold(self, headers: Any, kind: str) -> None:
        for header in cast("list[Any]", headers) if isinstance(headers, list) else []:
            try:
                message = msgspec.convert({**header, "kind": kind}, Keyframe if kind == "keyframe" else Event)
            except (msgspec.ValidationError, TypeError):
                continue
            self._host.session = reduce(self._host.session, message, self._clock_ns())

    async def _send_protocol(self) -> None:
        """Put the protocol on record; without a word if that fails, for nothing depends on it."""
        if self._host.protocol is not None and not self._read_only:
            with contextlib.suppress(RequestFailed):
                await self._feed.request(ChooseProtocol(protocol=self._host.protocol.name))

    async def _measure(self) -> None:
        with contextlib.suppress(RequestFailed):  # the header does without
            self._open(state_from(await self._feed.request(GetState())))

    async def _reopen(self) -> None:
        try:
            self._open(state_from(await self._feed.request(GetState())))
        except RequestFailed as error:
            self._host.say(str(error), "warn")
        else:
            await self._send_protocol()


def _lacks_a_size(session: Session) -> bool:
    """Return whether frames come of a stream whose size the state reply did not have."""
    return any(
        view.reading is not None and view.facts is not None and view.facts.width is None
        for view in session.streams.values()
    )
