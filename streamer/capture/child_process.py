"""The child process of a capture, as its parent sees it: started, read from, and killed when it hangs or grows."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

import psutil

from fetalstream.streamer.capture.frame_channel import ChannelClosed, ChannelReader, Note, ReadTimeout, ReceivedFrame

SILENT_TICKS: Final = 5
"""A live child that has sent nothing for so many fifths of a second hangs."""

_STOPPED_TICKS: Final = 2
"""A child that the system says is stopped can send nothing."""

PATIENT_TICKS: Final = 100
"""A child that reads a recording may be busy with one huge picture for so many fifths of a second."""

_SCRIPT: Final = (
    "import os, sys; sys.path[:] = {path!r}; from fetalstream.streamer.capture.child_main import main; os._exit(main())"
)
_STRETCH: Final = 3
_LAST_BREATH_SECONDS: Final = 0.5


class ChildDied(Exception):
    """The child has died, or must be killed because it hangs or grows; ``str()`` says which."""


class ChildProcess:
    """One child and the channel to it.

    Args:
        config: what it is to do, plain values; see `streamer.capture.child_main`.
        memory_bytes: the most that it may hold.
    """

    def __init__(self, config: Mapping[str, Any], memory_bytes: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    (sys.executable, "-c", _SCRIPT.format(path=sys.path)),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        self._channel = ours
        self._reader = ChannelReader(ours)
        self._memory_bytes = memory_bytes
        self._silent_ticks = 0
        self.pid = self._process.pid
        self.send(config)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send plain values to the child; a child that has died is noticed elsewhere."""
        try:
            self._channel.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return

    def next(self, patience_ticks: int) -> ReceivedFrame | Note | None:
        """Return the next message; None after a tick without one.

        Args:
            patience_ticks: so many ticks of silence mean that the child hangs.

        Raises:
            ChildDied: it has died, has been silent for too long, or holds too much memory.
        """
        try:
            message = self._reader.next()
        except ReadTimeout:
            # Ticks are counted, not seconds: time that this process did not get is not held against the child.
            self._silent_ticks += 1
            if self._silent_ticks >= patience_ticks * self._patience_factor(patience_ticks):
                raise ChildDied("capture hung and was ended") from None
            return None
        except ChannelClosed:
            raise ChildDied(self._how()) from None
        self._silent_ticks = 0
        if not isinstance(message, ReceivedFrame) and self._grown():
            raise ChildDied(f"capture took more than {self._memory_bytes >> 20} MB of memory and was ended")
        return message

    def kill(self) -> None:
        """End the child at once, and wait for its end."""
        self._process.kill()
        self._process.wait()
        # Closing alone would leave a reader in another thread waiting for its tick.
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._channel.close()
        self._reader.close()

    def _how(self) -> str:
        from fetalstream.streamer.capture.child_main import EXIT_BROKEN, EXIT_MEMORY, EXIT_STUCK

        try:
            code = self._process.wait(_LAST_BREATH_SECONDS)
        except subprocess.TimeoutExpired:
            return "capture broke off and was ended"
        if code == EXIT_STUCK:
            return "capture hung and was ended"
        if code == EXIT_MEMORY:
            return "capture ran out of memory"
        if code == EXIT_BROKEN:
            return "capture broke down"
        return f"capture died (signal {-code})" if code < 0 else f"capture died (code {code})"

    def _patience_factor(self, patience_ticks: int) -> int:
        """Factor for the limit of silence: 3 if the child is running or in disk I/O, 0 if it is stopped, else 1.

        A child that computes, on a busy machine or over a large picture, has merely not come to send.
        """
        if self._silent_ticks < min(patience_ticks, _STOPPED_TICKS):
            return 1
        try:
            status = psutil.Process(self.pid).status()
        except psutil.Error:
            return 1
        return {psutil.STATUS_STOPPED: 0, psutil.STATUS_RUNNING: _STRETCH, psutil.STATUS_DISK_SLEEP: _STRETCH}.get(
            status, 1
        )

    def _grown(self) -> bool:
        try:
            held = psutil.Process(self.pid).memory_info()
            # Frames lie in memory of both processes; how many are kept is decided on this side.
            return held.rss - getattr(held, "shared", 0) > self._memory_bytes
        except psutil.Error:
            return False
