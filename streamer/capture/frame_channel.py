"""How frames pass from the process that captures to the one that analyses: nothing is pickled, and copied at most once.

Pixels lie in memory that both see (`streamer.capture.shared_frames`). Over a local socket pair come messages from the
child: a
fixed header that says where a frame lies, or a header and a note as JSON. To the child go lines of JSON: orders, and
for each frame taken a list of places that are free again. None of it outlives its processes, whichever side is killed.
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

# what, channels, where the spacing is from, height, width, epoch, bytes, place, index, dropped, captured, pts, spacing
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
    """A frame with the count of those that were dropped before it, for want of a reader."""

    frame: Frame
    dropped: int


Note = dict[str, Any]


class QueuedFrame(NamedTuple):
    """A frame whose pixels lie where the other side can read them, at a place."""

    frame: Frame
    place: int


class ChannelWriter:
    """The child's end. One thread lays frames down; whoever sends holds a lock of the caller's."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._lender = SlotWriter()
        self._space: tuple[Pixels, int] | None = None

    def space(self, shape: tuple[int, ...]) -> Pixels:
        """Memory for the pixels of the next frame that is laid down, uint8: written there, they need not be copied.

        Raises:
            OSError: there is no memory.
        """
        if self._space is not None:  # that was not used
            self._lender.put_back(self._space[1])
            self._space = None
        place = self._lender.take(math.prod(shape))
        self._space = place.memory.reshape(shape), place.number
        return self._space[0]

    def lay(self, frame: Frame) -> QueuedFrame:
        """A frame to be sent or dropped, its pixels copied unless they lie in the `space` given out for them.

        Raises:
            OSError: there is no memory.
        """
        if self._space is None or frame.pixels is not self._space[0]:
            np.copyto(self.space(frame.pixels.shape), frame.pixels)
        assert self._space is not None
        place, self._space = self._space[1], None
        return QueuedFrame(frame, place)

    def drop(self, laid: QueuedFrame) -> None:
        """A frame that will not be sent."""
        self._lender.put_back(laid.place)

    def frame(self, laid: QueuedFrame, dropped: int) -> None:
        """One frame, in the order in which they were laid down.

        Raises:
            OSError: nobody reads any more.
        """
        frame = laid.frame
        header = _HEADER.pack(
            _FRAME, frame.pixels.ndim, _SPACING_FROM.index(frame.spacing_from), frame.height, frame.width, frame.epoch,
            frame.pixels.nbytes, laid.place, frame.index, dropped, frame.captured_ns, frame.pts_seconds,
            math.nan if frame.spacing_mm is None else frame.spacing_mm,
        )  # fmt: skip
        piece = self._lender.piece_of(laid.place)
        if piece is None:
            self._channel.sendall(header)
            return
        try:
            socket.send_fds(self._channel, [header], [piece])
        finally:
            os.close(piece)

    def note(self, note: Mapping[str, Any]) -> None:
        """Plain values.

        Raises:
            OSError: nobody reads any more.
        """
        body = json.dumps(note).encode()
        self._channel.sendall(_HEADER.pack(_NOTE, 0, 0, 0, 0, 0, len(body), 0, 0, 0, 0, 0.0, 0.0) + body)

    def given_back(self, places: Iterable[int]) -> None:
        """The other side has said that these are free."""
        self._lender.give_back(places)


class ChannelReader:
    """The parent's end. Pixels stay where the child put them, until nobody here holds them."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        # The kernel waits for whole messages, a tick at most: Python is woken once for a message, not for each piece.
        channel.setblocking(True)
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, round(_TICK_SECONDS * 1e6)))
        self._borrower = SlotReader()
        self._header = bytearray(_HEADER.size)
        self._note: bytearray | None = None
        self._piece: int | None = None
        self._got = 0
        self._owes_word = False  # to the child, of a frame that was returned

    def next(self) -> ReceivedFrame | Note:
        """What comes next; the frame before it counts as taken. May be called again after `Silent`: what has come of a
        message is kept.

        Raises:
            Silent: not a byte has come for a tick.
            Gone: nothing more will come.
        """
        if self._owes_word:
            self._owes_word = False
            self._give_back()
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
        """Of what has come and was not taken."""
        if self._piece is not None:
            os.close(self._piece)
            self._piece = None

    def _give_back(self) -> None:
        # A child that has ended says so by itself.
        with contextlib.suppress(OSError):
            self._channel.sendall(json.dumps(self._borrower.given_back()).encode() + b"\n")

    def _note_size(self) -> int:
        size = _HEADER.unpack(self._header)[6]
        if size > _LARGEST_NOTE_BYTES:
            raise ChannelClosed("a message of an impossible size came")
        return size

    def _fill(self, space: bytearray) -> None:
        view = memoryview(space)
        while self._got < len(space):
            try:
                count, beside, _, _ = self._channel.recvmsg_into(
                    [view[self._got :]], socket.CMSG_SPACE(_FD_BYTES), socket.MSG_WAITALL
                )
            except BlockingIOError:
                raise ReadTimeout from None
            except OSError as error:
                raise ChannelClosed("the channel broke") from error
            for level, kind, data in beside:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    self.close()
                    self._piece = array("i", data[:_FD_BYTES])[0]
            if count == 0:
                raise ChannelClosed("the other side has ended")
            self._got += count

    def _frame(self) -> ReceivedFrame:
        values = _HEADER.unpack(self._header)
        _, dimensions, spacing_from, height, width, epoch, size, place, index, dropped, captured_ns, pts, spacing = (
            values
        )
        shape = (height, width) if dimensions == 2 else (height, width, 3)
        try:
            if not 0 < size <= _LARGEST_BYTES:
                raise ValueError("a frame of an impossible size came")
            pixels = self._borrower.pixels(place, size, self._piece).reshape(shape)
            frame = Frame(
                pixels, index, pts, captured_ns, epoch,
                None if math.isnan(spacing) else spacing, _SPACING_FROM[spacing_from],
            )  # fmt: skip
        except (ValueError, IndexError, OSError) as error:
            raise ChannelClosed("a message that is no frame came") from error
        finally:
            self.close()
        self._owes_word = True
        return ReceivedFrame(frame, dropped)


def _note(body: bytearray) -> Note:
    try:
        return cast("Note", json.loads(body))
    except ValueError as error:
        raise ChannelClosed("a note that cannot be read came") from error
