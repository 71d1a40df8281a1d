"""The control channel: whoever must not lose anything, or wants something changed, asks here.

A ROUTER socket in a thread of its own, so that an answer never waits for a frame, unless it is the engine's to give.
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

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.endpoints import Endpoints
from fetalstream.pipeline.bus.publisher import Publisher, bind, last_endpoint
from fetalstream.pipeline.bus.replay_buffer import KINDS
from fetalstream.pipeline.bus.replies import Answered, Parts, Replies, done, failed
from fetalstream.pipeline.bus.requests import BadRequest, ids_of, one_line, parsed, whole_number, word

Submit = Callable[[str, Mapping[str, Any]], "Future[Any]"]
"""``Engine.command``: hands a command to the engine; its future holds a result, or an error of one line."""

ANSWER_WITHIN_S: Final = 15.0
"""Of the engine; a batch of a large model on a CPU takes seconds."""

_LONGER_S: Final = {"explain": 180.0}  # maps are drawn one after another, by a thread that gives way

MAX_REQUEST_BYTES: Final = 2**20
_WAITING: Final = 256
_REPLIES_HWM: Final = 64
_QUIET_S: Final = 0.25
_TICK_MS: Final = 250


@dataclass(slots=True)
class _Waiting:
    """A request that the engine has; ``peers``: envelopes of all who asked under this id."""

    command: str
    args: dict[str, Any]
    reply: Future[Any]
    since_s: float
    peers: list[Parts] = field(default_factory=list[Parts])

    def late(self, now_s: float) -> bool:
        return now_s - self.since_s > _LONGER_S.get(self.command, ANSWER_WITHIN_S)


class Control:
    """Serves the control channel until it is closed.

    ``submit`` carries out ``state``, ``keyframes``, ``keyframe`` (giving a `Picture`), ``saved`` and all that changes
    something; ``since`` and the stamped headers come from ``publisher``.

    Args:
        publisher: whose run is served; its ``endpoints.control`` is bound.
        submit: see `Submit`.
        about: more for the ``state`` result: ``model`` {name, weights_sha256, prompts_sha256, calibrated, device,
            precision}, ``versions``, ...

    Attributes:
        endpoints: all three, as bound.

    Raises:
        ConfigError: the endpoint is in use by a living engine, or cannot be bound.
    """

    def __init__(self, publisher: Publisher, submit: Submit, about: Mapping[str, Any] | None = None) -> None:
        self._publisher = publisher
        self._submit = submit
        self._about = dict(about or {})
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
        self.endpoints = Endpoints(bound.pub, bound.preview, last_endpoint(self._router))
        self._thread.start()

    def close(self, grace_s: float = 1.0) -> None:
        """Ends the thread and frees the endpoint; may be called twice.

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

    def _begin(self, envelope: Parts, request: wire.Request) -> None:
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

    def _at_once(self, request: wire.Request) -> Parts | None:
        """The reply that needs no engine; None where it is the engine's to give."""
        if request.command == "since":
            return done(request.id, self._since(request.args))
        if request.command == "keyframe":
            wanted = word(request.args, "keyframe")
            picture = self._publisher.pictures.get(wanted)
            return None if picture is None else done(request.id, self._header_of(wanted), picture.png())
        if request.command == "saved":
            ids, clips = ids_of(request.args), ids_of(request.args, "clips") if "clips" in request.args else []
            self._publisher.pictures.saved(ids)
            self._submit("saved", {"ids": ids})  # its own shelf may forget them as well; nobody waits for that
            return done(request.id, {"ids": ids, "clips": self._publisher.clips.saved(clips)})
        return None

    def _hand_over(self, envelope: Parts, request: wire.Request) -> None:
        try:
            reply = self._asked(request)
        except Exception as error:
            self._conclude(request.id, [envelope], failed(request.id, one_line(error)))
            return
        self._waiting[request.id] = _Waiting(request.command, request.args, reply, time.monotonic(), [envelope])

        def ready(_: Future[Any]) -> None:
            self._done.append(request.id)
            self._ring_bell()

        reply.add_done_callback(ready)

    def _asked(self, request: wire.Request) -> Future[Any]:
        if request.command != "clip":
            return self._submit(request.command, request.args)
        wanted = word(request.args, "keyframe")
        try:
            return self._publisher.clips.fetch(wanted)
        except KeyError:
            raise BadRequest(f"no clip of keyframe {wanted!r} is kept: look in the session") from None

    def _answer_done(self) -> None:
        while self._done:
            waiting = self._waiting.pop(request_id := self._done.popleft(), None)
            if waiting is None:
                continue  # given up before
            try:
                reply = self._told(request_id, waiting)
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

    def _told(self, request_id: str, waiting: _Waiting) -> Parts:
        result = waiting.reply.result()
        if isinstance(result, Answered):
            return done(request_id, result.result, result.blob)
        if waiting.command == "state":
            return done(request_id, self._state(result))
        if waiting.command == "keyframe":
            return done(request_id, self._header_of(str(waiting.args["keyframe"])), result.png())
        if waiting.command == "keyframes":
            found = [(self._publisher.keyframe_header(str(each["keyframe"])), each.get("rank")) for each in result]
            # As published, but for the place, which may be another by now.
            said = [{**msgspec.json.decode(header), "rank": rank} for header, rank in found if header is not None]
            return done(request_id, {"keyframes": said})
        return done(request_id, result)

    def _state(self, engine: Mapping[str, Any]) -> dict[str, Any]:
        streams = [dict(stream) for stream in engine.get("streams", [])]
        for stream in streams:
            header = self._publisher.newest_reading(str(stream["stream"]))
            stream["reading"] = None if header is None else msgspec.Raw(header)
        return {
            **self._about,
            **engine,
            "streams": streams,
            "schema": wire.SCHEMA,
            "notice": wire.NOTICE,
            "run": self._publisher.stamp.run,
            "endpoints": self.endpoints.plain(),
            "topics": self._publisher.topics(),
        }

    def _header_of(self, keyframe: str) -> Any:
        header = self._publisher.keyframe_header(keyframe)
        return {"keyframe": keyframe} if header is None else msgspec.Raw(header)

    def _since(self, args: Mapping[str, Any]) -> dict[str, Any]:
        kind = word(args, "kind")
        if kind not in KINDS:
            raise BadRequest(f"nothing is kept of kind {kind!r}: choose {', '.join(KINDS)}")
        refill = self._publisher.ring.since(kind, word(args, "stream"), whole_number(args, "seq"))
        headers = [msgspec.Raw(header) for header in refill.headers]
        return {"messages": headers, "oldest": refill.oldest, "newest": refill.newest, "more": refill.more}
