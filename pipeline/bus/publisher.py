"""The engine's sink stamps messages, publishes them, and remembers what a listener may ask for again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, Protocol

import zmq
from msgspec.structs import replace

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.clip_cache import ClipCache
from fetalstream.pipeline.bus.preview import PreviewMaker
from fetalstream.pipeline.bus.replay_buffer import ReplayBuffer
from fetalstream.pipeline.bus.stamper import MessageStamper
from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.keyframes.clip_buffer import Cut
from fetalstream.streamer.frame import Pixels

PREVIEW_HZ: Final = 15.0
LINGER_MS: Final = 500
SUBSCRIPTION_BYTES: Final = 4_096
"""The longest subscription; whoever sends a longer one is disconnected. A stream's name has 500 characters."""

PICTURES_BYTES: Final = 32 * 2**20
_HEADERS_KEPT: Final = 512


class KeyframePicture(Protocol):
    """A kept frame whose ``png`` may be called from any thread, and whose ``pixels`` say what it costs to keep."""

    @property
    def pixels(self) -> Pixels: ...
    def png(self) -> bytes: ...


class Publisher:
    """Publishes what the engine sends. Sends never wait: what a slow subscriber has no room for is dropped for it.

    Args:
        endpoints: local ones; see `pipeline.bus.endpoints`.
        stamp: fills in the common header fields.
        picture_of: the kept frame of a keyframe's id, None if there is none. Asked, in the sending thread, as a
            keyframe is published, so that a listener can fetch its picture even when a better frame has replaced it.
        clock_ns: monotonic, for the rate of previews.
        preview_hz: most previews a second of one stream.

    Attributes:
        endpoints: as bound, with real ports.
        ring: for the ``since`` command.

    Raises:
        ConfigError: an endpoint is in use by a living engine, or cannot be bound.
    """

    def __init__(
        self, endpoints: wire.Endpoints, stamp: MessageStamper, *,
        picture_of: Callable[[str], KeyframePicture | None] = lambda _: None,
        clock_ns: Callable[[], int] = time.monotonic_ns, preview_hz: float = PREVIEW_HZ,
    ) -> None:  # fmt: skip
        self.stamp = stamp
        self.ring = ReplayBuffer()
        self.pictures = PictureCache()
        self.clips = ClipCache()
        self._picture_of = picture_of
        self._clock_ns = clock_ns
        self._previews = PreviewMaker(preview_hz)
        self._newest: dict[str, wire.Reading] = {}
        self._topics: dict[str, int] = {}
        self._keyframes: OrderedDict[str, bytes] = OrderedDict()
        self._sending = threading.Lock()
        self._closed = False
        self._context = zmq.Context()
        self._locks: list[IO[bytes]] = []
        try:
            self._pub = self._bound(endpoints.pub, wire.MESSAGES_HWM)
            self._preview = self._bound(endpoints.preview, wire.PREVIEWS_HWM)
        except ConfigError:
            self.close()
            raise
        self.endpoints = wire.Endpoints(last_endpoint(self._pub), last_endpoint(self._preview), endpoints.control)

    def _bound(self, endpoint: str, hwm: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.PUB)
        # All of it before bind: later it would not hold for this endpoint.
        socket.set_hwm(hwm)
        socket.setsockopt(zmq.LINGER, LINGER_MS)
        socket.setsockopt(zmq.MAXMSGSIZE, SUBSCRIPTION_BYTES)
        bind(socket, endpoint, self._locks)
        return socket

    def send(self, message: wire.Message, blob: bytes | None = None) -> None:
        """Publish a message, with ``run``, ``seq``, ``published_ns`` and ``wall_time`` filled in.

        Raises:
            NotFinite: it holds a number that JSON cannot carry; nothing was sent and no ``seq`` spent.
        """
        kind = wire.kind_of(message)
        with self._sending:
            if self._closed:
                return
            with self.stamp.stamped(message) as stamped:
                stamped = _timed(stamped)
                header = wire.encode(stamped)
            topic = wire.topic_of(stamped)
            self._remember(kind, stamped, header)
            socket = self._preview if kind == "preview" else self._pub
            parts = [topic, header] if blob is None else [topic, header, blob]
            socket.send_multipart(parts, zmq.DONTWAIT)

    def preview(self, stream: str, exam: str, frame: wire.FrameInfo, pixels: Pixels) -> None:
        """Publish a masked picture, uint8 (H, W) or (H, W, 3), if it is time for one."""
        made = self._previews.update(stream, exam, frame, pixels, self._clock_ns())
        if made is not None:
            self.send(*made)

    def clip(self, stream: str, cut: Cut) -> None:
        """Keep a clip until somebody has saved it, and say that it can be fetched."""
        about = self.clips.add(cut)
        if about is not None:
            self.send(wire.Event(exam=cut.exam, stream=stream, event="clip", detail={**about}))

    def newest_reading(self, stream: str) -> wire.Reading | None:
        """Return the stream's newest reading, as published; None before the first."""
        return self._newest.get(stream)

    def keyframe_header(self, keyframe: str) -> bytes | None:
        """Return the header that announced a keyframe; None if it is not known any more."""
        return self._keyframes.get(keyframe)

    def topics(self) -> dict[str, int]:
        """Return the ``seq`` last published in each topic."""
        return dict(self._topics)

    def close(self) -> None:
        """Let the last messages out, for half a second at most, and free the endpoints; may be called twice."""
        with self._sending:
            if self._closed:
                return
            self._closed = True
        self.clips.close()
        self._context.destroy(LINGER_MS)
        for held in self._locks:
            held.close()

    def _remember(self, kind: str, message: wire.Message, header: bytes) -> None:
        self._topics[f"{kind}/{message.stream}"] = message.seq
        self.ring.add(kind, message.stream, message.seq, header)
        if isinstance(message, wire.Reading):
            self._newest[message.stream] = message
        elif isinstance(message, wire.Keyframe):
            self._keyframes[message.keyframe] = header
            if len(self._keyframes) > _HEADERS_KEPT:
                self._keyframes.popitem(last=False)
            picture = self._picture_of(message.keyframe)
            if picture is not None:
                self.pictures.add(message.keyframe, picture)


class PictureCache:
    """Keeps pictures of keyframes until they are saved; bounded, the oldest go first. For several threads."""

    def __init__(self, capacity_bytes: int = PICTURES_BYTES) -> None:
        self._capacity_bytes = capacity_bytes
        self._held: OrderedDict[str, KeyframePicture] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, keyframe: str, picture: KeyframePicture) -> None:
        """Keep the picture of a keyframe."""
        with self._lock:
            self._held[keyframe] = picture
            self._bytes += picture.pixels.nbytes
            while self._bytes > self._capacity_bytes and len(self._held) > 1:
                self._bytes -= self._held.popitem(last=False)[1].pixels.nbytes

    def get(self, keyframe: str) -> KeyframePicture | None:
        """Return the picture of a keyframe; None if it is not held."""
        with self._lock:
            return self._held.get(keyframe)

    def saved(self, keyframes: list[str]) -> None:
        """Forget these pictures: they are on a recorder's disk."""
        with self._lock:
            for keyframe in keyframes:
                picture = self._held.pop(keyframe, None)
                self._bytes -= 0 if picture is None else picture.pixels.nbytes

    def __len__(self) -> int:
        return len(self._held)


def _timed(message: wire.Message) -> wire.Message:
    """Return a reading with its last hop, from the end of its analysis to now, and so with its total latency."""
    if not isinstance(message, wire.Reading) or message.latency_ms.total is None:
        return message
    total_ms = (message.published_ns - message.frame.captured_ns) / 1e6
    latency = replace(message.latency_ms, publish=total_ms - message.latency_ms.total, total=total_ms)
    return replace(message, latency_ms=latency)


def bind(socket: zmq.Socket[bytes], endpoint: str, locks: list[IO[bytes]]) -> None:
    """Bind the socket, and add to ``locks`` what must be held until it is gone.

    libzmq takes an ipc name over from whoever listens there, without a word; hence a lock beside the socket's file.

    Raises:
        ConfigError: the endpoint is in use or cannot be bound.
    """
    path = Path(endpoint.removeprefix("ipc://")) if endpoint.startswith("ipc://") else None
    if endpoint.startswith("tcp://["):
        socket.setsockopt(zmq.IPV6, 1)
    try:
        if path is not None:
            if path.exists() and not path.is_socket():
                raise ConfigError(f"{path} is a file, not a socket: choose another endpoint")
            locks.append(wire.lock(path.with_name(f"{path.name}.lock")))
        socket.bind(endpoint)
        if path is not None:
            path.chmod(0o600)
    except BlockingIOError as error:
        raise ConfigError(f"{endpoint} is in use by another engine: stop it, or choose another endpoint") from error
    except zmq.ZMQError as error:
        if error.errno == zmq.EADDRINUSE:
            raise ConfigError(f"{endpoint} is in use: stop who listens there, or choose another port") from error
        raise ConfigError(f"{endpoint} cannot be bound: {error.strerror}") from error
    except OSError as error:
        raise ConfigError(f"{endpoint} cannot be bound: {error.strerror}") from error


def last_endpoint(socket: zmq.Socket[bytes]) -> str:
    """Return the endpoint that a socket is bound to, a wildcard port resolved."""
    return socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0")
