"""The child process of `streamer.capture.subprocess_source`: opens a source, decodes, masks, and sends the frames.

Nothing unmasked leaves it. Its standard input is the socket to the parent. The first line of JSON that comes there is
its configuration: ``name``, ``spacing_mm``, ``depth_mm``, ``sector`` and its ``revision``, and ``skip``, the number of
frames that the parent has already. Later lines are lists of slots that are free again, or another ``sector`` with its
``revision``. When the socket ends, so does the child. The main thread decodes and sends; a second one reads what the
parent sends, and sends frames that had to wait; a third one sends heartbeats.
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
from fetalstream.streamer.status import SourceStatus

HEARTBEAT_SECONDS: Final = 0.2
STUCK_SECONDS: Final = 30.0
"""No single step of any source takes so long: its own timeouts are shorter."""

EXIT_STUCK: Final = 70
EXIT_MEMORY: Final = 71
EXIT_BROKEN: Final = 72
_READ_AHEAD: Final = 2
_IN_FLIGHT: Final = 2
_HEARTBEATS_UNREAD: Final = 5
_ADDRESSES_BYTES: Final = 8 << 30
_NS: Final = 1_000_000_000


def main() -> int:
    """Run until the source ends or the parent does; return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_the_parent()
    channel = socket.socket(fileno=os.dup(0))
    channel.setblocking(True)
    lines = channel.makefile("rb")
    config = json.loads(lines.readline())
    _limit()
    gc.freeze()  # what was imported is for good: no frame waits until it has been looked through
    capture = _Capture(channel, config)
    threading.Thread(target=_receive, args=(lines, capture), daemon=True).start()
    return capture.run()


def _receive(lines: Any, capture: _Capture) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in lines:
            message = json.loads(line)
            if isinstance(message, list):
                capture.acknowledge(message)
            else:
                capture.set_sector(message)
    # The parent is gone, or has had enough: there is nothing to be tidied up that the kernel does not.
    os._exit(0)


class _Capture:
    """One source between being opened and its end."""

    def __init__(self, channel: socket.socket, config: dict[str, Any]) -> None:
        self._writer = ChannelWriter(channel)
        self._config = config
        self._source: Source | None = None
        # What is cut out is written straight to where the parent reads it.
        self._masker = Masker(setting_from(config["sector"]), depth_mm=config["depth_mm"], space=self._writer.buffer)
        self._revision: int = config["revision"]
        self._changes: deque[dict[str, Any]] = deque()
        self._last_message: dict[str, Any] = {}  # of the masker, without what belongs to one frame alone
        self._size: tuple[int, int] | None = None
        self._outbox = _Outbox(self._writer, newest=False)
        self._step = (0, time.monotonic())
        self._steps = 0
        self._warnings_sent = 0

    def run(self) -> int:
        """Run until the source ends; return the exit code."""
        heartbeat = threading.Thread(target=self._send_heartbeats, daemon=True)
        end: dict[str, Any] = {}
        try:
            heartbeat.start()
            with open_source(self._config["name"], spacing_mm=self._config["spacing_mm"]) as source:
                self._source = source
                self._masker.hide_unknown = source.live
                self._outbox.newest = source.live
                self._outbox.send_note(_hello(source))
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
        self._outbox.send_note({"warnings": self._new_warnings()})
        self._outbox.send_note({"end": end})
        self._outbox.closed.set()
        heartbeat.join()
        return 0

    def acknowledge(self, slots: list[int]) -> None:
        """Count one more frame as taken by the reader, and free these slots."""
        self._outbox.acknowledge(slots)

    def set_sector(self, change: dict[str, Any]) -> None:
        """Set another sector while it runs; it holds from the next frame on."""
        self._changes.append(change)

    def _read(self, source: Source) -> None:
        skip = int(self._config["skip"])
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
            self._outbox.put(masked.frame, self._mask_note(masked))

    def _mask_note(self, masked: Masked) -> dict[str, Any] | None:
        """The masker's message, if it differs from the last one."""
        message = to_message(masked.frame.index, masked, self._revision)
        if message["events"] or {**message, "index": None} != self._last_message:
            self._last_message = {**message, "index": None, "events": []}
            return {"mask": message, "size": self._size}
        return None

    def _send_heartbeats(self) -> None:
        while not self._outbox.closed.wait(HEARTBEAT_SECONDS):
            self._watch()
            self._outbox.send_heartbeat(self._status_note)

    def _status_note(self) -> dict[str, Any]:
        status = self._status
        return {
            "trouble": status.trouble,
            "reconnects": status.reconnects,
            "dropped": self._outbox.dropped,
            "size": self._size,
            "warnings": self._new_warnings(),
        }

    def _watch(self) -> None:
        """End the process if a decoder does not come back: nothing else would get it out of there."""
        now_s = time.monotonic()
        steps = self._steps + self._status.steps
        if steps != self._step[0] or self._outbox.full:
            self._step = (steps, now_s)
        elif now_s - self._step[1] > STUCK_SECONDS:
            os._exit(EXIT_STUCK)

    @property
    def _status(self) -> SourceStatus:
        return SourceStatus() if self._source is None else self._source.status

    def _new_warnings(self) -> list[str]:
        if self._source is None:
            return []
        new = self._source.warnings[self._warnings_sent :]
        self._warnings_sent += len(new)
        return new


class _Outbox:
    """Sends frames and notes, at once if possible. Of live frames the newest wins; a recording waits for room.

    No more than ``_IN_FLIGHT`` frames are sent before the reader acknowledges one: those that wait here can still be
    replaced by newer ones. If nobody reads any more, the process ends.

    Attributes:
        newest: whether a newer frame replaces one that waits.
        dropped: frames that were replaced.
        closed: set after the last note.
    """

    def __init__(self, writer: ChannelWriter, *, newest: bool) -> None:
        self.newest = newest
        self.dropped = 0
        self.closed = threading.Event()
        self._writer = writer
        self._in_flight = 0  # frames sent and not acknowledged
        self._heartbeats = 0  # since the last acknowledgement
        self._waited_for = False
        self._changed = threading.Condition()
        self._frames: deque[QueuedFrame] = deque()

    @property
    def full(self) -> bool:
        """True if capture waits for the reader."""
        return self._waited_for or len(self._frames) >= _READ_AHEAD

    def put(self, frame: Frame, note: dict[str, Any] | None = None) -> None:
        """Send a frame, and a note before it; from one thread."""
        queued = self._writer.queue(frame)
        with self._changed:
            if self.newest:
                self.dropped += len(self._frames)
                while self._frames:
                    self._writer.drop(self._frames.popleft())
            else:
                self._changed.wait_for(lambda: not self.full)
            self._frames.append(queued)
            self._send(note)

    def send_note(self, note: dict[str, Any]) -> None:
        """Send a note after all frames that were put before it."""
        with self._changed:
            self._waited_for = True
            self._changed.wait_for(lambda: not self._frames)
            self._waited_for = False
            self._send(note)

    def send_heartbeat(self, status_note: Callable[[], dict[str, Any]]) -> None:
        """Send the status before all frames that wait, but not again and again to a reader who takes no frames.

        The reader would find all heartbeats later; until then they would fill the channel, and capture would wait.
        """
        with self._changed:
            if self._in_flight < _IN_FLIGHT or self._heartbeats < _HEARTBEATS_UNREAD:
                self._heartbeats += 1
                self._send(status_note())

    def acknowledge(self, slots: list[int]) -> None:
        """Count a frame that was sent as taken; these slots are free again."""
        self._writer.release(slots)
        with self._changed:
            self._in_flight -= 1
            self._heartbeats = 0
            self._send()
            self._changed.notify_all()

    def _send(self, note: dict[str, Any] | None = None) -> None:
        try:
            if note is not None:
                self._writer.send_note(note)
            while self._frames and self._in_flight < _IN_FLIGHT:
                self._writer.send_frame(self._frames.popleft(), self.dropped)
                self._in_flight += 1
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
    """Have Linux kill this process when its parent dies, even if a decoder does not come back."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _limit() -> None:
    """Let one allocation out of all proportion fail, and a crash leave no file behind that would hold pictures.

    The parent watches for slow growth.
    """
    if sys.platform != "win32":
        import resource

        for what, limit in ((resource.RLIMIT_AS, _ADDRESSES_BYTES), (resource.RLIMIT_CORE, 0)):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(what, (limit, limit))
