"""The control channel answers whoever must not lose anything, or wants something changed.

It is a ROUTER socket in a thread of its own, so that an answer never waits for a frame, unless it is the engine's to
give.
"""

from __future__ import annotations

import contextlib
import socket as sockets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import IO, Any, Final

import msgspec
import zmq
from msgspec.structs import replace

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.publisher import Publisher, bind, last_endpoint
from fetalstream.pipeline.bus.replies import Answered, Parts, Replies, Submit, done, failed
from fetalstream.pipeline.bus.requests import BadRequest, ControlRequest, one_line, parsed
from fetalstream.pipeline.wire import results

ANSWER_WITHIN_S: Final = 15.0
"""How long the engine may take to answer: a batch of a large model on a CPU takes seconds."""

_MAP_WITHIN_S: Final = 180.0  # maps are drawn one after another, by a thread that gives way

MAX_REQUEST_BYTES: Final = 2**20
_WAITING: Final = 256
_REPLIES_HWM: Final = 64
_QUIET_S: Final = 0.25
_TICK_MS: Final = 250


@dataclass(slots=True)
class _Waiting:
    """A request that the engine works on; ``peers``: envelopes of all who asked under this id."""

    command: wire.Command
    reply: Future[Any]
    since_s: float
    peers: list[Parts] = field(default_factory=list[Parts])

    def late(self, now_s: float) -> bool:
        within_s = _MAP_WITHIN_S if isinstance(self.command, wire.Explain) else ANSWER_WITHIN_S
        return now_s - self.since_s > within_s


class Control:
    """Serves the control channel until it is closed.

    ``submit`` carries out ``state``, ``keyframes``, ``keyframe`` (giving a `StoredKeyframe`), ``saved`` and all that
    changes something; ``since``, clips and the stamped headers come from ``publisher``.

    Args:
        publisher: whose run is served; its ``endpoints.control`` is bound.
        submit: see `Submit`.
        model: for the ``state`` result.
        versions: likewise, of what the results depend on, by name.
        supervised: says whether a foreground process looks after the engine; None if nobody knows.

    Attributes:
        endpoints: all three, as bound.

    Raises:
        ConfigError: the endpoint is in use by a living engine, or cannot be bound.
    """

    def __init__(
        self, publisher: Publisher, submit: Submit, model: wire.ModelState | None = None,
        versions: Mapping[str, str] | None = None, supervised: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        self._publisher = publisher
        self._submit = submit
        self._model = model or wire.ModelState()
        self._versions = dict(versions or {})
        self._supervised = supervised
        self._waiting: dict[str, _Waiting] = {}
        self._replied = Replies()
        self._done: deque[str] = deque()
        self._locks: list[IO[bytes]] = []
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._router.setsockopt(zmq.LINGER, 500)
        self._router.setsockopt(zmq.MAXMSGSIZE, MAX_REQUEST_BYTES)
        self._router.set_hwm(_REPLIES_HWM)
        self._wake_receiver, self._wake_sender = sockets.socketpair()
        self._wake_sender.setblocking(False)
        self._close_by_s: float | None = None
        self._heard_s = time.monotonic()
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        try:
            bind(self._router, publisher.endpoints.control, self._locks)
        except BaseException:
            self._free()
            raise
        bound = publisher.endpoints
        self.endpoints = wire.Endpoints(bound.pub, bound.preview, last_endpoint(self._router))
        self._thread.start()

    def close(self, grace_s: float = 1.0) -> None:
        """End the thread and free the endpoint; may be called twice.

        Call it after the goodbye and before ``Publisher.close``: for up to ``grace_s``, as long as somebody goes on
        asking or there are pictures or clips that nobody has saved, the last of them are still answered.
        """
        if self._close_by_s is None:
            self._close_by_s = time.monotonic() + grace_s
            self._ring_bell()
        self._thread.join()

    def _free(self) -> None:
        self._context.destroy()
        self._wake_receiver.close()
        self._wake_sender.close()
        for held in self._locks:
            held.close()

    # The thread ------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._wake_receiver, zmq.POLLIN)
        try:
            while not self._finished():
                ready = dict(poller.poll(_TICK_MS if self._close_by_s is None else 20))
                if self._wake_receiver.fileno() in ready:
                    self._wake_receiver.recv(4096)
                self._answer_done()
                if self._router in ready:
                    self._take_requests()
                self._give_up_late()
        finally:
            self._free()

    def _finished(self) -> bool:
        now_s = time.monotonic()
        if self._close_by_s is None or now_s < self._close_by_s:
            asked_all = not (self._waiting or self._publisher.pictures or self._publisher.clips.unsaved)
            quiet = now_s - self._heard_s > _QUIET_S and asked_all
            return self._close_by_s is not None and quiet
        return True

    def _ring_bell(self) -> None:
        with contextlib.suppress(OSError):  # full: it rings already; closed: nobody is left to hear it
            self._wake_sender.send(b"!")

    def _take_requests(self) -> None:
        for _ in range(_REPLIES_HWM):
            try:
                parts = self._router.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            self._heard_s = time.monotonic()
            # A REQ peer sends an empty part before its request and wants it back; a DEALER peer may leave it out.
            envelope = parts[:2] if len(parts) > 2 and parts[1] == b"" else parts[:1]
            try:
                self._handle(envelope, parts[len(envelope) :])
            except Exception as error:
                self._send(envelope, failed("", f"the request could not be handled: {one_line(error)}"))

    def _handle(self, envelope: Parts, body: Parts) -> None:
        try:
            request = parsed(body)
        except BadRequest as error:
            self._send(envelope, failed(error.request_id, str(error)))
            return
        if (earlier := self._replied.get(request.id)) is not None:
            self._send(envelope, earlier)
        elif request.id in self._waiting:
            self._waiting[request.id].peers.append(envelope)
        else:
            self._begin(envelope, request)

    def _begin(self, envelope: Parts, request: ControlRequest) -> None:
        try:
            reply = self._at_once(request)
        except Exception as error:
            reply = failed(request.id, one_line(error))
        if reply is not None:
            self._conclude(request.id, [envelope], reply)
        elif len(self._waiting) >= _WAITING:
            self._send(envelope, failed(request.id, "too many requests wait for the engine: ask again later"))
        else:
            self._hand_over(envelope, request)

    def _at_once(self, request: ControlRequest) -> Parts | None:
        """Return the reply that needs no engine; None if it is the engine's to give."""
        match request.command:
            case wire.GetSince() as since:
                return done(request.id, self._missed(since))
            case wire.GetKeyframe(keyframe=keyframe):
                picture = self._publisher.pictures.get(keyframe)
                return None if picture is None else done(request.id, self._header_of(keyframe), picture.png())
            case wire.ConfirmSaved(ids=ids, clips=clips):
                self._publisher.pictures.saved(ids)
                self._submit(wire.ConfirmSaved(ids=ids))  # its own store may forget them too; nobody waits for that
                return done(request.id, results.Saved(ids=ids, clips=self._publisher.clips.saved(clips)))
            case _:
                return None

    def _hand_over(self, envelope: Parts, request: ControlRequest) -> None:
        try:
            reply = self._future_of(request.command)
        except Exception as error:
            self._conclude(request.id, [envelope], failed(request.id, one_line(error)))
            return
        self._waiting[request.id] = _Waiting(request.command, reply, time.monotonic(), [envelope])

        def ready(_: Future[Any]) -> None:
            self._done.append(request.id)
            self._ring_bell()

        reply.add_done_callback(ready)

    def _future_of(self, command: wire.Command) -> Future[Any]:
        if not isinstance(command, wire.GetClip):
            return self._submit(command)
        try:
            return self._publisher.clips.fetch(command.keyframe)
        except KeyError:
            raise BadRequest(f"no clip of keyframe {command.keyframe!r} is kept: look in the session") from None

    def _answer_done(self) -> None:
        while self._done:
            waiting = self._waiting.pop(request_id := self._done.popleft(), None)
            if waiting is None:
                continue  # given up before
            try:
                reply = self._reply_of(request_id, waiting)
            except Exception as error:
                reply = failed(request_id, one_line(error))
            self._conclude(request_id, waiting.peers, reply)

    def _give_up_late(self) -> None:
        now_s = time.monotonic()
        for request_id in [key for key, waiting in self._waiting.items() if waiting.late(now_s)]:
            waiting = self._waiting.pop(request_id)
            waiting.reply.cancel()
            self._conclude(request_id, waiting.peers, failed(request_id, "the engine gave no answer: ask again later"))

    def _conclude(self, request_id: str, peers: list[Parts], reply: Parts) -> None:
        self._replied.add(request_id, reply)
        for envelope in peers:
            self._send(envelope, reply)

    def _send(self, envelope: Parts, reply: Parts) -> None:
        with contextlib.suppress(zmq.ZMQError):  # a peer that has gone, or reads nothing, asks again
            self._router.send_multipart([*envelope, *reply], zmq.DONTWAIT)

    # Results ---------------------------------------------------------------------------------------------------

    def _reply_of(self, request_id: str, waiting: _Waiting) -> Parts:
        """Return the reply to a command that the engine has carried out; raises what it failed with."""
        result = waiting.reply.result()
        if isinstance(result, Answered):
            return done(request_id, result.result, result.blob)
        match waiting.command:
            case wire.GetState():
                return done(request_id, self._state(result))
            case wire.GetKeyframe(keyframe=keyframe):
                return done(request_id, self._header_of(keyframe), result.png())
            case wire.GetKeyframes():
                return done(request_id, results.Keyframes(keyframes=self._as_published(result.keyframes)))
            case _:
                return done(request_id, result)

    def _state(self, engine: wire.EngineState) -> wire.EngineState:
        """Return the engine's state with what only the publisher and this channel know."""
        newest = self._publisher.newest_reading
        return replace(
            engine,
            streams=[replace(stream, reading=newest(stream.stream)) for stream in engine.streams],
            run=self._publisher.stamp.run,
            model=self._model,
            versions=self._versions,
            endpoints=self.endpoints,
            topics=self._publisher.topics(),
            supervised=None if self._supervised is None else self._supervised(),
        )

    def _as_published(self, keyframes: list[wire.Keyframe]) -> list[wire.Keyframe]:
        """Return the keyframes with the header that they were published with, but for the rank of now."""
        published: list[wire.Keyframe] = []
        for each in keyframes:
            header = self._publisher.keyframe_header(each.keyframe)
            if header is not None and isinstance(message := wire.decode(header), wire.Keyframe):
                published.append(replace(message, rank=each.rank))
        return published

    def _header_of(self, keyframe: str) -> msgspec.Raw | results.KeyframeFound:
        header = self._publisher.keyframe_header(keyframe)
        return results.KeyframeFound(keyframe=keyframe) if header is None else msgspec.Raw(header)

    def _missed(self, since: wire.GetSince) -> results.Missed:
        refill = self._publisher.ring.since(since.kind, since.stream, since.seq)
        headers = [msgspec.Raw(header) for header in refill.headers]
        return results.Missed(messages=headers, oldest=refill.oldest, newest=refill.newest, more=refill.more)
