"""The child process of `streamer.capture.subprocess_source`: opens a source, decodes, masks, and hands frames over.

Nothing unmasked leaves it. It is told by lines of JSON on standard input, which is the socket; when that ends, so does
it. The main thread decodes and sends; one listens, and sends what had to wait; one beats.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from fetalstream.streamer.capture.frame_channel import ChannelWriter, QueuedFrame
from fetalstream.streamer.capture.remote_masker import to_message
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.region.masker import Masked, Masker, setting_from
from fetalstream.streamer.sources import Source, open_source

BEAT_SECONDS: Final = 0.2
STUCK_SECONDS: Final = 30.0
"""No single step of any source takes so long: its own timeouts are shorter."""

EXIT_STUCK: Final = 70
EXIT_MEMORY: Final = 71
EXIT_BROKEN: Final = 72
_READ_AHEAD: Final = 2
_UNDERWAY: Final = 2
_BEATS_UNREAD: Final = 5
_ADDRESSES_BYTES: Final = 8 << 30
_NS: Final = 1_000_000_000


def main() -> int:
    """Runs until the source ends or the parent does; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_the_parent()
    channel = socket.socket(fileno=os.dup(0))
    channel.setblocking(True)
    lines = channel.makefile("rb")
    orders = json.loads(lines.readline())
    _limit()
    gc.freeze()  # what was imported is for good: no frame waits until it has been looked through
    worker = _Worker(channel, orders)
    threading.Thread(target=_listen, args=(lines, worker), daemon=True).start()
    return worker.run()


def _listen(lines: Any, worker: _Worker) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in lines:
            order = json.loads(line)
            if isinstance(order, list):
                worker.taken(order)
            else:
                worker.obey(order)
    # The parent is gone, or has had enough: there is nothing to be tidied up that the kernel does not.
    os._exit(0)


class _Worker:
    """One source between being opened and its end."""

    def __init__(self, channel: socket.socket, orders: dict[str, Any]) -> None:
        self._sending = ChannelWriter(channel)
        self._orders = orders
        self._source: Source | None = None
        # What is cut out is written straight to where the parent reads it.
        self._masker = Masker(setting_from(orders["sector"]), depth_mm=orders["depth_mm"], space=self._sending.space)
        self._revision: int = orders["revision"]
        self._changes: deque[dict[str, Any]] = deque()
        self._said: dict[str, Any] = {}
        self._size: tuple[int, int] | None = None
        self._outbox = _Outbox(self._sending, newest=False)
        self._step = (0, time.monotonic())
        self._steps = 0
        self._told = 0

    def run(self) -> int:
        """See `main`."""
        beating = threading.Thread(target=self._beat, daemon=True)
        end: dict[str, Any] = {}
        try:
            beating.start()
            with open_source(self._orders["name"], spacing_mm=self._orders["spacing_mm"]) as source:
                self._source = source
                self._masker.hide_unknown = source.live
                self._outbox.newest = source.live
                self._outbox.say(_hello(source))
                self._read(source)
        except SourceError as error:
            end = {"reason": error.reason, "text": str(error)}
        except MemoryError:
            return EXIT_MEMORY
        except Exception as error:  # its words may hold an address with a password
            if self._source is not None:
                # A new start may help, and a live source must not end for it.
                at = traceback.extract_tb(error.__traceback__)[-1]
                sys.stderr.write(f"capture broke down: {type(error).__name__} in {at.name}, line {at.lineno}\n")
                return EXIT_BROKEN
            end = {"reason": f"the source broke down ({type(error).__name__})"}
        self._outbox.say({"warnings": self._new_warnings()})
        self._outbox.say({"end": end})
        self._outbox.closed.set()
        beating.join()
        return 0

    def taken(self, places: list[int]) -> None:
        """The reader has a frame more; these places are free again."""
        self._outbox.taken(places)

    def obey(self, order: dict[str, Any]) -> None:
        """A change while it runs; it holds from the next frame on."""
        self._changes.append(order)

    def _read(self, source: Source) -> None:
        skip = int(self._orders["skip"])
        for frame in source:
            self._steps += 1
            if frame.index < skip:
                continue
            self._size = (frame.width, frame.height)
            # Between two frames, for the masker is not for two threads.
            while self._changes:
                change = self._changes.popleft()
                self._masker.set_sector(setting_from(change["sector"]))
                self._revision = change["revision"]
            masked = self._masker.update(frame)
            self._outbox.put(masked.frame, self._news(masked))

    def _news(self, masked: Masked) -> dict[str, Any] | None:
        """What the masker says now that it has not said before."""
        said = to_message(masked.frame.index, masked, self._revision)
        if said["events"] or {**said, "index": None} != self._said:
            self._said = {**said, "index": None, "events": []}
            return {"mask": said}
        return None

    def _beat(self) -> None:
        while not self._outbox.closed.wait(BEAT_SECONDS):
            self._watch()
            self._outbox.beat(self._condition)

    def _condition(self) -> dict[str, Any]:
        source = self._source
        return {
            "trouble": getattr(source, "trouble", None),
            "reconnects": getattr(source, "reconnects", 0),
            "dropped": self._outbox.dropped,
            "size": self._size,
            "warnings": self._new_warnings(),
        }

    def _watch(self) -> None:
        """Ends the process where a decoder does not come back: nothing else would get it out of there."""
        now_s = time.monotonic()
        steps = self._steps + getattr(self._source, "steps", 0)
        if steps != self._step[0] or self._outbox.full or self._patient():
            self._step = (steps, now_s)
        elif now_s - self._step[1] > STUCK_SECONDS:
            os._exit(EXIT_STUCK)

    def _patient(self) -> bool:
        """Whether the source may wait for its frames for ever, and does not say what it does meanwhile."""
        return self._source is not None and self._source.live and not hasattr(self._source, "steps")

    def _new_warnings(self) -> list[str]:
        if self._source is None:
            return []
        new = self._source.warnings[self._told :]
        self._told += len(new)
        return new


class _Outbox:
    """What is to be sent, at once where that may be. Of live frames the newest wins; a recording waits for room.

    No more than ``_UNDERWAY`` frames are sent before the reader has `taken` them: those that wait here can still be
    replaced by newer ones. Where nobody reads any more, the process ends.
    """

    def __init__(self, sending: ChannelWriter, *, newest: bool) -> None:
        self.newest = newest
        self.dropped = 0
        self.closed = threading.Event()
        self._sending = sending
        self._underway = self._beats = 0  # frames sent and not taken; beats since one was
        self._waited_for = False
        self._changed = threading.Condition()
        self._frames: deque[QueuedFrame] = deque()

    @property
    def full(self) -> bool:
        """Whether the reader is what is waited for."""
        return self._waited_for or len(self._frames) >= _READ_AHEAD

    def put(self, frame: Frame, note: dict[str, Any] | None = None) -> None:
        """A frame, and what is to be said before it; from one thread."""
        laid = self._sending.lay(frame)
        with self._changed:
            if self.newest:
                self.dropped += len(self._frames)
                while self._frames:
                    self._sending.drop(self._frames.popleft())
            else:
                self._changed.wait_for(lambda: not self.full)
            self._frames.append(laid)
            self._send(note)

    def say(self, note: dict[str, Any]) -> None:
        """A note, after all frames that were put before it."""
        with self._changed:
            self._waited_for = True
            self._changed.wait_for(lambda: not self._frames)
            self._waited_for = False
            self._send(note)

    def beat(self, condition: Callable[[], dict[str, Any]]) -> None:
        """How things are, whatever waits; not again and again to a reader who has frames and takes none.

        It would find them all later, and until then they would fill the channel, where whoever captures waited.
        """
        with self._changed:
            if self._underway < _UNDERWAY or self._beats < _BEATS_UNREAD:
                self._beats += 1
                self._send(condition())

    def taken(self, places: list[int]) -> None:
        """A frame that was sent has been taken; these places are free again."""
        self._sending.given_back(places)
        with self._changed:
            self._underway -= 1
            self._beats = 0
            self._send()
            self._changed.notify_all()

    def _send(self, note: dict[str, Any] | None = None) -> None:
        try:
            if note is not None:
                self._sending.note(note)
            while self._frames and self._underway < _UNDERWAY:
                self._sending.frame(self._frames.popleft(), self.dropped)
                self._underway += 1
        except OSError:
            os._exit(0)


def _hello(source: Source) -> dict[str, Any]:
    return {
        "hello": {
            "kind": source.kind,
            "live": source.live,
            "frames_expected": source.frames_expected,
            "rate_hz": source.rate_hz,
            "identity": source.identity,
        }
    }


def _end_with_the_parent() -> None:
    """Linux kills this process when its parent dies, even where a decoder has it by the throat."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _limit() -> None:
    """One allocation out of all proportion fails and does not take the machine down; the parent watches for growth.

    And a crash leaves no file behind that would hold pictures.
    """
    if sys.platform != "win32":
        import resource

        for what, limit in ((resource.RLIMIT_AS, _ADDRESSES_BYTES), (resource.RLIMIT_CORE, 0)):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(what, (limit, limit))
