"""A channel from the process that captures frames to the one that analyses them: pixels are copied at most once.

Pixels lie in memory that both see (`streamer.capture.shared_frames`). Over a local socket pair come messages from the
child: a fixed header that says where a frame lies, or a header and a note as JSON. To the child go lines of JSON:
changes of its settings, and for each frame received a list of slots that are free again. Nothing is pickled, and
nothing outlives the two processes, whichever side is killed.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import struct
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast, get_args

import numpy as np

from fetalstream.streamer.capture.shared_frames import SlotReader, SlotWriter
from fetalstream.streamer.frame import Frame, Pixels, SpacingFrom

# what, channels, where the spacing is from, height, width, epoch, bytes, slot, index, dropped, captured, pts, spacing
_HEADER: Final = struct.Struct("<BBBxIIIIIQQqdd")
_NOTE, _FRAME = 0, 1
_SPACING_FROM: Final = (None, *get_args(SpacingFrom))
_LARGEST_BYTES: Final = 3 << 26  # of a frame: three channels of streamer.readers.picture.MAX_PIXELS
_LARGEST_NOTE_BYTES: Final = 1 << 20
_TICK_SECONDS: Final = 0.2
_FD_BYTES: Final = array("i").itemsize


class ChannelClosed(Exception):
    """The other side has closed its end, or something unreadable came from it."""


class ReadTimeout(Exception):
    """Nothing has come for a tick, a fifth of a second."""


@dataclass(frozen=True, eq=False, slots=True)
class ReceivedFrame:
    """A frame with the count of those that were dropped before it, because nobody had read them."""

    frame: Frame
    dropped: int


Note = dict[str, Any]
"""Plain values by name, as they came in a JSON object."""


class QueuedFrame(NamedTuple):
    """A frame whose pixels lie in the numbered slot, where the other side can read them."""

    frame: Frame
    slot: int


class ChannelWriter:
    """The end of the child. One thread queues frames; whoever sends holds a lock of the caller's."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._slots = SlotWriter()
        self._next: tuple[Pixels, int] | None = None  # the memory given out for the next frame, and its slot

    def buffer(self, shape: tuple[int, ...]) -> Pixels:
        """Return memory for the pixels of the next frame, uint8: if they are written there, they need not be copied.

        Raises:
            OSError: there is no memory.
        """
        if self._next is not None:  # it was not used
            self._slots.cancel(self._next[1])
            self._next = None
        slot = self._slots.acquire(math.prod(shape))
        self._next = slot.memory.reshape(shape), slot.number
        return self._next[0]

    def queue(self, frame: Frame) -> QueuedFrame:
        """Lay a frame where the other side can read it; it is copied unless its pixels lie in the `buffer` already.

        Raises:
            OSError: there is no memory.
        """
        if self._next is None or frame.pixels is not self._next[0]:
            np.copyto(self.buffer(frame.pixels.shape), frame.pixels)
        assert self._next is not None
        slot, self._next = self._next[1], None
        return QueuedFrame(frame, slot)

    def drop(self, queued: QueuedFrame) -> None:
        """Forget a frame that will not be sent."""
        self._slots.cancel(queued.slot)

    def send_frame(self, queued: QueuedFrame, dropped: int) -> None:
        """Send one frame, in the order in which they were queued; ``dropped``: see `ReceivedFrame`.

        Raises:
            OSError: nobody reads any more.
        """
        frame = queued.frame
        header = _HEADER.pack(
            _FRAME, frame.pixels.ndim, _SPACING_FROM.index(frame.spacing_from), frame.height, frame.width, frame.epoch,
            frame.pixels.nbytes, queued.slot, frame.index, dropped, frame.captured_ns, frame.pts_seconds,
            math.nan if frame.spacing_mm is None else frame.spacing_mm,
        )  # fmt: skip
        file = self._slots.send(queued.slot)
        if file is None:
            self._channel.sendall(header)
            return
        try:
            socket.send_fds(self._channel, [header], [file])
        finally:
            os.close(file)

    def send_note(self, note: Mapping[str, Any]) -> None:
        """Send a note, after all that was sent before.

        Raises:
            OSError: nobody reads any more.
        """
        body = json.dumps(note).encode()
        self._channel.sendall(_HEADER.pack(_NOTE, 0, 0, 0, 0, 0, len(body), 0, 0, 0, 0, 0.0, 0.0) + body)

    def release(self, slots: Iterable[int]) -> None:
        """Let slots be written again: the other side has said that they are free."""
        self._slots.release(slots)


class ChannelReader:
    """The end of the parent. Pixels stay where the child put them, until nobody here holds them."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        # The kernel waits for whole messages, a tick at most: Python is woken once for a message, not for each part.
        channel.setblocking(True)
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, round(_TICK_SECONDS * 1e6)))
        self._slots = SlotReader()
        self._header = bytearray(_HEADER.size)
        self._note: bytearray | None = None
        self._file: int | None = None  # of a new block of slots
        self._got = 0  # bytes of the header or note that is being read
        self._unacknowledged = False  # a frame was returned, and the child does not know yet that it was taken

    def next(self) -> ReceivedFrame | Note:
        """Return what comes next; the frame before it counts as taken.

        May be called again after `ReadTimeout`: the part of a message that has come is kept.

        Raises:
            ReadTimeout: not a byte has come for a tick.
            ChannelClosed: nothing more will come.
        """
        if self._unacknowledged:
            self._unacknowledged = False
            self._acknowledge()
        if self._note is None:
            self._fill(self._header)
            self._got = 0
            if self._header[0] == _FRAME:
                return self._frame()
            self._note = bytearray(self._note_size())
        self._fill(self._note)
        note, self._note, self._got = self._note, None, 0
        return _note(note)

    def close(self) -> None:
        """Close a file that came and was not mapped."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _acknowledge(self) -> None:
        # A child that has ended says so by itself.
        with contextlib.suppress(OSError):
            self._channel.sendall(json.dumps(self._slots.released()).encode() + b"\n")

    def _note_size(self) -> int:
        size = _HEADER.unpack(self._header)[6]
        if size > _LARGEST_NOTE_BYTES:
            raise ChannelClosed("a message of an impossible size came")
        return size

    def _fill(self, buffer: bytearray) -> None:
        view = memoryview(buffer)
        while self._got < len(buffer):
            try:
                count, ancillary, _, _ = self._channel.recvmsg_into(
                    [view[self._got :]], socket.CMSG_SPACE(_FD_BYTES), socket.MSG_WAITALL
                )
            except BlockingIOError:
                raise ReadTimeout from None
            except OSError as error:
                raise ChannelClosed("the channel broke") from error
            for level, kind, data in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    self.close()
                    self._file = array("i", data[:_FD_BYTES])[0]
            if count == 0:
                raise ChannelClosed("the other side has ended")
            self._got += count

    def _frame(self) -> ReceivedFrame:
        values = _HEADER.unpack(self._header)
        _, dimensions, spacing_from, height, width, epoch, size, slot, index, dropped, captured_ns, pts, spacing = (
            values
        )
        shape = (height, width) if dimensions == 2 else (height, width, 3)
        try:
            if not 0 < size <= _LARGEST_BYTES:
                raise ValueError("a frame of an impossible size came")
            pixels = self._slots.pixels(slot, size, self._file).reshape(shape)
            frame = Frame(
                pixels, index, pts, captured_ns, epoch,
                None if math.isnan(spacing) else spacing, _SPACING_FROM[spacing_from],
            )  # fmt: skip
        except (ValueError, IndexError, OSError) as error:
            raise ChannelClosed("a message that is no frame came") from error
        finally:
            self.close()
        self._unacknowledged = True
        return ReceivedFrame(frame, dropped)


def _note(body: bytearray) -> Note:
    try:
        return cast("Note", json.loads(body))
    except ValueError as error:
        raise ChannelClosed("a note that cannot be read came") from error
