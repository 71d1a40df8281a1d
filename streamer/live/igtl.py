"""OpenIGTLink over TCP: pictures that another program sends (PLUS, 3D Slicer, a research scanner).

The protocol is read here and not by pyigtl's client, which does not notice that its server has gone, loses its place
if a header comes in two parts, and accepts any length that a message states.
"""

from __future__ import annotations

import contextlib
import math
import re
import socket
import time
from collections.abc import Callable, Generator
from fractions import Fraction
from typing import Final, NoReturn
from urllib.parse import unquote, urlsplit

import numpy as np

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.live.addresses import identity_of, redacted
from fetalstream.streamer.live.igtl_message import (
    HEADER_BYTES,
    IgtlHeader,
    Image,
    Malformed,
    Unusable,
    read_header,
    read_image,
)
from fetalstream.streamer.live.live_source import FIRST_PICTURE_SECONDS, SILENCE_SECONDS, Arrival, LiveSource
from fetalstream.streamer.live.sender_clock import DOUBT, SenderClock
from fetalstream.streamer.readers.picture import square_pixels

DEFAULT_PORT: Final = 18944
_CONNECT_SECONDS: Final = 4.0
_TICK_SECONDS: Final = 0.2
_SAME_SPACING: Final = 1e-3  # matrices are sent in single precision, and turn with a tracked probe
_MAX_ASPECT: Final = 4
_MAX_DENOMINATOR: Final = 10_000
_NS: Final = 1_000_000_000
_COMPRESSED: Final = (
    "it sends compressed VIDEO messages, which are not read; set the sender to IMAGE messages (without encoding)"
)


class _Over(Exception):
    """The connection has ended, for the reason in ``trouble``."""


def open_igtl(
    url: str, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
) -> OpenIgtLink:
    """Make a source that connects when it is iterated, and again whenever it is lost.

    Args:
        url: ``igtl://host:port``, and ``/DEVICE`` if one of several pictures is meant; the port is 18944 if none is
            given.
        spacing_mm: see `LiveSource`.
        clock_ns: the monotonic clock.

    Raises:
        SourceError: the address cannot be used.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SourceError("the address cannot be read; give igtl://host:port", redacted(url)) from None
    if not host or parts.query or parts.fragment or port == 0 or not re.fullmatch(r"/?[^/]*", parts.path):
        raise SourceError("an address of OpenIGTLink is igtl://host:port or igtl://host:port/DEVICE", redacted(url))
    device = unquote(parts.path.removeprefix("/"))
    return OpenIgtLink((host, port or DEFAULT_PORT), device, identity_of(url), spacing_mm=spacing_mm, clock_ns=clock_ns)


class OpenIgtLink(LiveSource):
    """Receives the pictures of one device of one sender.

    Args:
        address: host and port.
        device: the sender's name of the device that is meant; empty for the first that sends a picture.
        identity: see `LiveSource`.
        spacing_mm: likewise.
        clock_ns: likewise.
    """

    def __init__(
        self, address: tuple[str, int], device: str, identity: str, *, spacing_mm: float | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        super().__init__("igtl", identity, spacing_mm=spacing_mm, clock_ns=clock_ns)
        self._address = address
        self._asked = device.encode(errors="replace")
        self._clock = SenderClock()
        self._held_mm: tuple[float, float] | None = None
        self._seen_ns = 0
        self._patience_s = 0.0
        self._why: str | None = None  # no picture of this connection can be used

    def _arrivals(self) -> Generator[Arrival]:
        device = self._asked
        self._patience_s, self._why = FIRST_PICTURE_SECONDS, None
        self._clock.connect()
        with contextlib.suppress(_Over), socket.create_connection(self._address, _CONNECT_SECONDS) as peer:
            peer.settimeout(_TICK_SECONDS)
            self._seen_ns = self._clock_ns()
            self.trouble = "connected, and no picture has come yet"
            while True:
                header, body = self._message(peer)
                if header.kind == b"VIDEO":
                    self.trouble = self._why = _COMPRESSED
                if header.kind != b"IMAGE":
                    continue
                device = device or header.device
                if header.device != device:
                    self._other_device()
                    continue
                arrival = self._arrival(header, body)
                if arrival is None:
                    continue
                yield arrival
                # Afterwards: the time that a reader takes over a picture is no silence.
                self._patience_s, self._seen_ns = SILENCE_SECONDS, self._clock_ns()

    def _message(self, peer: socket.socket) -> tuple[IgtlHeader, Pixels]:
        """Receive the next message. Raises _Over."""
        head = bytearray(HEADER_BYTES)
        self._fill(peer, memoryview(head))
        try:
            header = read_header(head)
        except Malformed as error:
            self._end(str(error))
        # A body of its own for each: its pixels live on in a frame. Memory that nothing is written to costs nothing.
        body = np.empty(header.size, np.uint8)
        self._fill(peer, body.data)
        return header, body

    def _fill(self, peer: socket.socket, space: memoryview) -> None:
        got = 0
        while got < len(space):
            self.steps += 1
            if self._closed.is_set():
                raise _Over
            # Bytes are no pictures: whoever sends a byte now and then is silent.
            if self._clock_ns() - self._seen_ns > self._patience_s * _NS:
                self._end(self._why or f"no picture came for {self._patience_s:g} seconds")
            with contextlib.suppress(TimeoutError):
                count = peer.recv_into(space[got:])
                if not count:
                    self._end(self._why or "the other side has ended the connection")
                got += count

    def _end(self, why: str) -> NoReturn:
        self.trouble = why
        raise _Over

    def _other_device(self) -> None:
        # Its name is not shown: it may be anything.
        if self._asked:
            self._why = self._why or "the sender names its pictures otherwise; check igtl://host:port/DEVICE"
        else:
            self.warn("it sends several pictures, and the first is used; choose with igtl://host:port/DEVICE")

    def _arrival(self, header: IgtlHeader, body: Pixels) -> Arrival | None:
        try:
            image = read_image(header, body)
        except Unusable as error:
            self.trouble = self._why = str(error)
            return None
        if image.doubt is not None and self._spacing_mm is None:
            self.warn(f"the sender {image.doubt}")
        return Arrival(*self._squared(image, self._seconds(header)))

    def _seconds(self, header: IgtlHeader) -> float | None:
        if header.seconds is None:
            return None
        seconds = self._clock.seconds(header.seconds, self._clock_ns() / _NS)
        if self._clock.doubted:
            self.warn(DOUBT)
        return seconds

    def _squared(self, image: Image, seconds: float | None) -> tuple[Pixels, float | None, float | None]:
        spacing = self._held(image.spacing_mm)
        if spacing is None:
            return image.pixels, seconds, None
        across, down = spacing
        if not 1 / _MAX_ASPECT <= across / down <= _MAX_ASPECT:
            self.warn("the sender says pixels that are far from square; they are not believed: give --spacing MM")
            return image.pixels, seconds, None
        if math.isclose(across, down, rel_tol=_SAME_SPACING):
            return image.pixels, seconds, (across + down) / 2
        pixels = square_pixels(image.pixels, Fraction(across / down).limit_denominator(_MAX_DENOMINATOR))
        columns, rows = (pixels.shape[axis] / image.pixels.shape[axis] for axis in (1, 0))
        return pixels, seconds, (across / columns + down / rows) / 2

    def _held(self, spacing: tuple[float, float] | None) -> tuple[float, float] | None:
        """The spacing before this one if they differ by rounding only: any other spacing would be another layout."""
        held = self._held_mm
        if held is None or spacing is None or not all(map(_alike, held, spacing)):
            self._held_mm = spacing
        return self._held_mm


def _alike(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_SAME_SPACING)
