"""How frames pass from the process that captures to the one that analyses: a local socket pair, nothing pickled.

From the child come messages of a fixed header and a body: raw pixels, or a note as JSON. To the child go lines of JSON.
A socket pair leaves nothing behind, whichever side is killed.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

import numpy as np

from streamer.frame import Frame, Pixels, SpacingFrom

# what, channels, where the spacing is from, height, width, epoch, bytes, index, dropped, captured_ns, pts, spacing
_HEADER: Final = struct.Struct("<BBBxIIIIQQqdd")
_NOTE, _FRAME = 0, 1
_SPACING_FROM: Final = (None, *get_args(SpacingFrom))
_LARGEST_BYTES: Final = 3 << 26  # of a frame: three channels of streamer.picture.MAX_PIXELS
_TICK_SECONDS: Final = 0.2
_BUFFERS: Final = 160  # with the last seconds of a stream, which are kept for clips


class Gone(Exception):
    """The other side has closed its end, or something unreadable came from it."""


class Silent(Exception):
    """Nothing has come for a tick, a fifth of a second."""


@dataclass(frozen=True, eq=False, slots=True)
class Handed:
    """A frame with the count of those that were dropped before it, for want of a reader."""

    frame: Frame
    dropped: int


Note = dict[str, Any]


class Sending:
    """The child's end. One thread sends; another may receive."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def frame(self, frame: Frame, dropped: int) -> None:
        """One frame.

        Raises:
            OSError: nobody reads any more.
        """
        pixels = np.ascontiguousarray(frame.pixels)
        header = _HEADER.pack(
            _FRAME, pixels.ndim, _SPACING_FROM.index(frame.spacing_from), frame.height, frame.width, frame.epoch,
            pixels.nbytes, frame.index, dropped, frame.captured_ns, frame.pts_seconds,
            math.nan if frame.spacing_mm is None else frame.spacing_mm,
        )  # fmt: skip
        self._channel.sendall(header)
        self._channel.sendall(pixels.data.cast("B"))

    def note(self, note: Mapping[str, Any]) -> None:
        """Plain values.

        Raises:
            OSError: nobody reads any more.
        """
        body = json.dumps(note).encode()
        self._channel.sendall(_HEADER.pack(_NOTE, 0, 0, 0, 0, 0, len(body), 0, 0, 0, 0.0, 0.0) + body)


class Receiving:
    """The parent's end. Pixels are received straight into buffers that are used again once nobody holds them."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        # The kernel waits for whole messages, a tick at most: Python is woken once for a frame, not for each piece.
        channel.setblocking(True)
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, round(_TICK_SECONDS * 1e6)))
        self._buffers: list[Pixels] = []
        self._header = bytearray(_HEADER.size)
        self._body: Pixels | None = None
        self._got = 0

    def next(self) -> Handed | Note:
        """What comes next. May be called again after `Silent`: what has come of a message is kept.

        Raises:
            Silent: not a byte has come for a tick.
            Gone: nothing more will come.
        """
        if self._body is None:
            self._fill(memoryview(self._header))
            self._got = 0
            self._body = self._taken(self._size())
        self._fill(self._body.data)
        body, self._body, self._got = self._body, None, 0
        return self._frame(body) if self._header[0] == _FRAME else _note(body)

    def _size(self) -> int:
        size = _HEADER.unpack(self._header)[6]
        if size > _LARGEST_BYTES:
            raise Gone("a message of an impossible size came")
        return size

    def _fill(self, space: memoryview) -> None:
        while self._got < len(space):
            try:
                count = self._channel.recv_into(space[self._got :], 0, socket.MSG_WAITALL)
            except BlockingIOError:
                raise Silent from None
            except OSError as error:
                raise Gone("the channel broke") from error
            if count == 0:
                raise Gone("the other side has ended")
            self._got += count

    def _taken(self, size: int) -> Pixels:
        """A buffer of that many bytes which nobody looks into: the list, the loop and the question hold it, no view."""
        self._buffers = [buffer for buffer in self._buffers if buffer.size == size or self._header[0] != _FRAME]
        for buffer in self._buffers:
            if buffer.size == size and sys.getrefcount(buffer) == 3:
                return buffer
        buffer = np.empty(size, np.uint8)
        if self._header[0] == _FRAME and len(self._buffers) < _BUFFERS:
            self._buffers.append(buffer)
        return buffer

    def _frame(self, body: Pixels) -> Handed:
        values = _HEADER.unpack(self._header)
        _, dimensions, spacing_from, height, width, epoch, _, index, dropped, captured_ns, pts, spacing = values
        shape = (height, width) if dimensions == 2 else (height, width, 3)
        try:
            frame = Frame(
                body.reshape(shape), index, pts, captured_ns, epoch,
                None if math.isnan(spacing) else spacing, _SPACING_FROM[spacing_from],
            )  # fmt: skip
        except (ValueError, IndexError) as error:
            raise Gone("a message that is no frame came") from error
        return Handed(frame, dropped)


def _note(body: Pixels) -> Note:
    try:
        return cast("Note", json.loads(body.tobytes()))
    except ValueError as error:
        raise Gone("a note that cannot be read came") from error
