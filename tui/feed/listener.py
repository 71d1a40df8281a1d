"""Listens to all that an engine publishes, without gaps.

PUB may drop, and a late joiner misses what went before: every message carries its place in its topic, and what is
missing is asked for on the control channel.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, cast

import msgspec
import zmq

from fetalstream.pipeline.wire import (
    MESSAGES_HWM,
    PREVIEWS_HWM,
    REFILLED,
    EngineState,
    GetSince,
    Message,
    RefilledKind,
    decode,
    kind_of,
)
from fetalstream.tui.feed.control_client import Context, ControlClient, EngineAddress, NoEndpoint, connected
from fetalstream.tui.feed.protocol import RequestFailed

REFILL_S: Final = 2.0
_BATCH: Final = 256
_MESSAGE_BYTES: Final = 16 << 20  # libzmq ends the connection to whoever sends more, and does not make it again
_HEADER_BYTES: Final = 256 << 10
_PAGES: Final = 256  # of a refill: an engine keeps 64 MB packed, and answers 4 MB at a time
_CATCH_UP_S: Final = 20.0
_JOINED_WITHIN_S: Final = 0.5
_CATCH_UP_EVERY_S: Final = 5.0


class ReceivedMessage(NamedTuple):
    """A message, its header as it came, and its blob."""

    message: Message
    header: bytes
    blob: bytes | None


class Listener:
    """Everything one engine publishes, in order and without gaps; to be used by one thread.

    Args:
        context: for the sockets.
        asker: for what is missing.
        found: the engine.
        seen: the last ``seq`` already known of each topic of its run; what came after it is fetched.

    Attributes:
        run: of the newest message; another one than before means that the engine was started again.
        unanswered: a gap was seen and nobody answered for it; who must not lose anything attaches anew.
        lost: messages that could not be had any more, or not yet.
        unreadable: messages that were left out: of a kind of a later version, malformed, or out of bounds.
    """

    def __init__(self, context: Context, asker: ControlClient, found: EngineAddress, seen: dict[str, int]) -> None:
        self.run = found.state.run
        self.unanswered = False
        self.lost = 0
        self.unreadable = 0
        self.control = found.control
        self._asker = asker
        self._context = context
        self._seen = dict(seen)
        self._topics = _refilled_topics(found.state)
        # What was published while the subscription was on its way is lost without a gap that could be seen.
        self._catch_up_s = time.monotonic() + _JOINED_WITHIN_S
        endpoints = found.state.endpoints
        if endpoints is None:
            raise RequestFailed(f"the engine on {found.control} does not say where it publishes: use the same version")
        self._pub = self._subscribed(endpoints.pub, MESSAGES_HWM)
        try:
            self._preview = self._subscribed(endpoints.preview, PREVIEWS_HWM)
        except RequestFailed:
            self._pub.close()
            raise
        self._preview_endpoint = endpoints.preview

    def receive(self, timeout_s: float) -> Iterator[ReceivedMessage]:
        """Yield the messages that have come, after a wait of at most ``timeout_s`` for the first.

        Every few seconds it also asks for what should have come.
        """
        poller = zmq.Poller()
        poller.register(self._pub, zmq.POLLIN)
        poller.register(self._preview, zmq.POLLIN)
        ready = dict(poller.poll(int(timeout_s * 1000)))
        for socket in (self._pub, self._preview):
            if socket in ready:
                for heard in self._read_all(socket):
                    yield from self._placed(heard)
        if time.monotonic() >= self._catch_up_s:
            self._catch_up_s = time.monotonic() + _CATCH_UP_EVERY_S
            with contextlib.suppress(RequestFailed):  # it is away; once it is back, all is asked for again
                yield from self.catch_up()

    def catch_up(self) -> Iterator[ReceivedMessage]:
        """Yield the messages of every topic that were published and have not come: a silence could hide the loss.

        Raises:
            NoAnswer: the engine is away.
        """
        until_s = time.monotonic() + _CATCH_UP_S
        for topic in sorted(self._topics):
            if time.monotonic() >= until_s:
                return  # the rest is asked for the next time
            yield from self._refill(self.run, topic)

    def close(self) -> None:
        """Let go of the sockets."""
        self._pub.close(0)
        self._preview.close(0)

    def _subscribed(self, endpoint: str, hwm: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.SUB)
        socket.set_hwm(hwm)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.SUBSCRIBE, b"")
        socket.setsockopt(zmq.MAXMSGSIZE, _MESSAGE_BYTES)
        try:
            return connected(socket, endpoint)
        except NoEndpoint:  # not what the user gave, but what somebody answered: that may be another engine next time
            raise RequestFailed("the engine says that it publishes on what is no endpoint") from None

    def _placed(self, heard: ReceivedMessage) -> Iterator[ReceivedMessage]:
        message, kind = heard.message, kind_of(heard.message)
        if message.run != self.run:
            if kind == "preview":
                return  # of a run that is over, or has not said anything else yet
            self._begin_run(message.run)
        if kind not in REFILLED:
            yield heard
            return
        topic = f"{kind}/{message.stream}"
        self._topics.add(topic)
        if message.seq > self._seen.get(topic, -1) + 1:
            try:
                yield from self._refill(message.run, topic)
            except RequestFailed:  # busy, or it went away with them
                self.unanswered = True
        yield from self._taken(heard, topic)

    def _taken(self, heard: ReceivedMessage, topic: str) -> list[ReceivedMessage]:
        last = self._seen.get(topic, -1)
        if heard.message.seq <= last:
            return []
        self.lost += heard.message.seq - last - 1
        self._seen[topic] = heard.message.seq
        return [heard]

    def _refill(self, run: str, topic: str) -> Iterator[ReceivedMessage]:
        kind, _, stream = topic.partition("/")
        until_s = time.monotonic() + _CATCH_UP_S
        for _ in range(_PAGES):
            before = self._seen.get(topic, -1)
            since = GetSince(kind=cast("RefilledKind", kind), stream=stream, seq=before)
            result, _ = self._asker.ask(self.control, since, REFILL_S)
            messages = result.get("messages")
            for plain in cast("list[Any]", messages) if isinstance(messages, list) else []:
                each = self._heard_again(plain)
                if (
                    each is not None
                    and each.message.run == run
                    and f"{kind_of(each.message)}/{each.message.stream}" == topic
                ):
                    yield from self._taken(each, topic)
            if not result.get("more") or self._seen.get(topic, -1) <= before or time.monotonic() >= until_s:
                return

    def _begin_run(self, run: str) -> None:
        self.run = run
        self._topics.clear()
        self._seen.clear()
        try:
            bound = self._asker.state(self.control).endpoints
            if bound is None or bound.preview == self._preview_endpoint:
                return
            preview = self._subscribed(bound.preview, PREVIEWS_HWM)
        except RequestFailed:
            return
        self._preview.close(0)
        self._preview, self._preview_endpoint = preview, bound.preview

    def _read_all(self, socket: zmq.Socket[bytes]) -> Iterator[ReceivedMessage]:
        for _ in range(_BATCH):
            try:
                parts = socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            heard = _heard(parts)
            if heard is not None:
                yield heard
            else:
                self.unreadable += 1

    def _heard_again(self, plain: Any) -> ReceivedMessage | None:
        try:
            heard = _heard([b"", msgspec.json.encode(plain)])
        except (OverflowError, RecursionError):  # an integer of more than 64 bits
            heard = None
        self.unreadable += heard is None
        return heard


def _refilled_topics(state: EngineState) -> set[str]:
    """Return the topics to refill: those published so far, and those of all streams."""
    published = {topic for topic in state.topics if topic.partition("/")[0] in REFILLED}
    return published | {f"{kind}/{each.stream}" for kind in REFILLED for each in state.streams}


def _heard(parts: list[bytes]) -> ReceivedMessage | None:
    """Return the message in these parts; None if it cannot be read: a kind of a later version, or no message."""
    if not 2 <= len(parts) <= 3 or len(parts[1]) > _HEADER_BYTES:
        return None
    try:
        parts[1].decode()  # fields that nobody knows are not read, and may hold bytes that are no UTF-8
        return ReceivedMessage(decode(parts[1]), parts[1], parts[2] if len(parts) > 2 else None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
