"""The client of an engine's control channel; each request goes over a socket of its own."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
import zmq

from fetalstream.pipeline.wire import Command, EngineState, GetState, Reply, encode, request_of
from fetalstream.tui.feed.protocol import RequestFailed, state_from

ANSWER_S: Final = 15.0
_RESEND_S: Final = 2.0
_TICK_MS: Final = 100
_REPLY_BYTES: Final = 128 << 20  # twice the clips that an engine keeps
_ERROR_CHARACTERS: Final = 500

Context: TypeAlias = "zmq.Context[zmq.Socket[bytes]]"
ControlReply = tuple[dict[str, Any], bytes | None]


def new_context() -> Context:
    """Return a context for one listener's sockets."""
    return zmq.Context()


class NoAnswer(RequestFailed):
    """Nobody answered in time; the same request may be tried again."""


class EngineAddress(NamedTuple):
    """The control endpoint of a living engine, and its ``state`` result."""

    control: str
    state: EngineState


class ControlClient:
    """Sends commands over the control channel; from any thread, one socket a request.

    Args:
        context: whose sockets are used; it ends after the last request.
        closed: when set, nobody waits for an answer any more.
    """

    def __init__(self, context: Context, closed: threading.Event | None = None) -> None:
        self._context = context
        self.closed = closed or threading.Event()

    def ask(self, control: str, command: Command, timeout_s: float = ANSWER_S) -> ControlReply:
        """Return the result of a command and its blob.

        Raises:
            NoAnswer: within ``timeout_s``.
            RequestFailed: the engine refused; it says why.
        """
        request = request_of(command)
        body = encode(request)
        deadline_s = time.monotonic() + timeout_s
        with self._dealer(control) as dealer:
            while (left_s := deadline_s - time.monotonic()) > 0 and not self.closed.is_set():
                # A repeated id is carried out once only, so asking again is safe when the engine was away.
                dealer.send(body)
                reply = self._reply(dealer, request.id, min(left_s, _RESEND_S))
                if reply is not None:
                    return reply
        raise NoAnswer(f"no engine answered on {control}: start one with fetalstream run")

    def state(self, control: str, timeout_s: float = ANSWER_S) -> EngineState:
        """Return the engine's state.

        Raises:
            NoAnswer: within ``timeout_s``.
            RequestFailed: the engine refused, or is of a version whose state cannot be read.
        """
        return state_from(self.ask(control, GetState(), timeout_s)[0])

    def first(
        self, candidates: Iterable[str], fits: Callable[[EngineState], bool], timeout_s: float,
        *, better_within_s: float = 0.0,
    ) -> EngineAddress:  # fmt: skip
        """Return the first of the candidates, by their order, that answers ``state`` with what fits.

        Args:
            candidates: control endpoints, the best first.
            fits: judges a ``state`` result.
            timeout_s: for the first answer.
            better_within_s: how long, after an answer, those before it in the order may still answer: the engine that
                is meant may be in the middle of a batch.

        Raises:
            NoAnswer: none did within ``timeout_s``.
        """
        request = request_of(GetState())
        dealers: dict[str, zmq.Socket[bytes]] = {}
        poller = zmq.Poller()
        answers: dict[str, EngineState] = {}
        try:
            for candidate in candidates:
                dealers[candidate] = dealer = self._dealer(candidate)
                poller.register(dealer, zmq.POLLIN)
            send_s = time.monotonic()
            deadline_s = send_s + timeout_s
            while (left_s := deadline_s - time.monotonic()) > 0 and not self.closed.is_set() and dealers:
                if time.monotonic() >= send_s:
                    send_s += _RESEND_S
                    for dealer in dealers.values():
                        with contextlib.suppress(zmq.Again):  # full: nobody is there yet
                            dealer.send(encode(request), zmq.DONTWAIT)
                ready = dict(poller.poll(min(_TICK_MS, int(left_s * 1000) + 1)))
                for candidate, dealer in dealers.items():
                    if dealer in ready and (state := _state_in(dealer, request.id)) is not None and fits(state):
                        answers[candidate] = state
                if next(iter(dealers)) in answers:
                    break
                if answers:
                    deadline_s = min(deadline_s, time.monotonic() + better_within_s)
        finally:
            for dealer in dealers.values():
                dealer.close(0)
        for candidate in dealers:
            if candidate in answers:
                return EngineAddress(candidate, answers[candidate])
        raise NoAnswer("no engine answers: start one with fetalstream run")

    def _dealer(self, control: str) -> zmq.Socket[bytes]:
        dealer = self._context.socket(zmq.DEALER)
        dealer.setsockopt(zmq.LINGER, 0)
        dealer.setsockopt(zmq.MAXMSGSIZE, _REPLY_BYTES)
        return connected(dealer, control)

    def _reply(self, dealer: zmq.Socket[bytes], request_id: str, timeout_s: float) -> ControlReply | None:
        until_s = time.monotonic() + timeout_s
        while (left_s := until_s - time.monotonic()) > 0 and not self.closed.is_set():
            if dealer.poll(min(_TICK_MS, int(left_s * 1000) + 1)):
                reply = _read_reply(dealer, request_id)
                if reply is not None:
                    return reply
        return None


def _read_reply(dealer: zmq.Socket[bytes], request_id: str) -> ControlReply | None:
    parts = [part for part in dealer.recv_multipart() if part]
    try:
        reply = msgspec.json.decode(parts[0], type=Reply)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError):
        return None
    if reply.id != request_id:
        return None
    if not reply.ok:
        raise RequestFailed(_one_line(reply.error or "the engine refused without a reason"))
    result: Any = reply.result
    return (result if isinstance(result, dict) else {}), (parts[1] if len(parts) > 1 else None)


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text[:_ERROR_CHARACTERS])


def _state_in(dealer: zmq.Socket[bytes], request_id: str) -> EngineState | None:
    """Return the state that was answered; None if the engine is just ending."""
    with contextlib.suppress(RequestFailed):
        reply = _read_reply(dealer, request_id)
        return None if reply is None else state_from(reply[0])
    return None


class NoEndpoint(RequestFailed):
    """The endpoint that was given is none: trying again is of no use."""


def connected(socket: zmq.Socket[bytes], endpoint: str) -> zmq.Socket[bytes]:
    """Connect the socket and return it; it is closed on failure, for the context could not end otherwise.

    Raises:
        NoEndpoint: ``endpoint`` is malformed.
    """
    if endpoint.startswith("tcp://["):
        socket.setsockopt(zmq.IPV6, 1)
    try:
        socket.connect(endpoint)
    except zmq.ZMQError as error:
        socket.close()
        raise NoEndpoint(f"{endpoint!r} is no endpoint: write tcp://127.0.0.1:PORT or ipc:///path") from error
    return socket
