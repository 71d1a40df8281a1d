"""A decoder that tells more than libav's Python interface: the shape of each picture's pixels, and hidden damage."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import av.logging
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_REMEMBERED: Final = 128  # packets: no decoder holds back more pictures
# These decoders leave broken parts in their pictures and say so in the log alone.
_TELL_LOG_ONLY: Final = frozenset(
    {"mjpeg", "hevc", "ffv1", "vp8", "vp9", "huffyuv", "ffvhuff", "utvideo", "prores", "dnxhd", "dvvideo"}
)
# What libav says of these streams is what it saw of the video while it looked ahead, perhaps behind a change.
_SAY_NO_SHAPE: Final = frozenset({"mpegts", "mpeg", "mpegvideo", "h264", "hevc", "m4v"})
_END_OF_JPEG: Final = b"\xff\xd9"
_TAIL_BYTES: Final = 64  # in which the mark lies: some writers fill up with zeros


class CheckedDecoder:
    """Decodes the packets of a stream one by one.

    Errors are counted in libav's log, which is one for the whole process: a second decoder that works at the same time
    may add to them.

    Attributes:
        broken: packets with errors that neither an exception nor a mark on a picture told.

    Args:
        stream: the stream of the packets; its decoder must not use threads by frame.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._context = stream.codec_context
        self._context.copy_opaque = True
        self._number = 0
        self._shapes: dict[object, Fraction | None] = {}
        self._first_shape: Fraction | None = None
        self._checked = self._context.name in _TELL_LOG_ONLY
        self.broken = 0
        if self._checked and av.logging.get_level() is None:
            av.logging.set_level(av.logging.PANIC)  # errors are counted, and printed nowhere

    def decode(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        """Return the pictures that are ready.

        Raises:
            Exception: the packet is damaged; libav, numpy and PyAV fail in many ways.
        """
        packet.opaque = self._number
        errors = _errors()
        pictures = packet.decode()
        self._shapes[self._number] = self._context.sample_aspect_ratio
        if self._number == 0:
            self._first_shape = self._context.sample_aspect_ratio
        self._shapes.pop(self._number - _REMEMBERED, None)
        self._number += 1
        marked = any(picture.is_corrupt for picture in pictures)
        if self._checked and not marked and (_errors() > errors or self._is_cut(packet)):
            self.broken += 1
        return pictures

    def aspect(self, picture: VideoFrame) -> Fraction | None:
        """Return width over height of a pixel, as the stream said when this picture came; None if it does not say.

        The word of the container goes first, until the video says something else than at its beginning.
        """
        shape = self._shapes.get(picture.opaque, self._first_shape)
        if self._stream.container.format.name in _SAY_NO_SHAPE:
            return shape or Fraction(1)
        return self._stream.sample_aspect_ratio if shape == self._first_shape else shape or Fraction(1)

    def _is_cut(self, packet: Packet[Any]) -> bool:
        """Whether a JPEG picture ends before its end: the decoder fills it up without a word."""
        if self._context.name != "mjpeg" or not packet.size:
            return False
        return _END_OF_JPEG not in bytes(memoryview(packet)[-_TAIL_BYTES:])


def _errors() -> int:
    return av.logging.get_last_error()[0]
