"""OpenIGTLink from pyigtl's server in another process, and from peers that mean no good."""

import contextlib
import socket
import struct
import threading
import time

import numpy as np
import pyigtl
import pytest

from fetalstream.streamer.capture.subprocess_source import SubprocessSource
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.live import igtl
from fetalstream.streamer.live.igtl_message import LARGEST_BYTES
from fetalstream.streamer.sources import open_source
from tests.streamer.igtl_server import IgtlServer, message, number_of, picture
from tests.streamer.live.test_network import Listener
from tests.waiting import until


@pytest.mark.parametrize("channels", [1, 3])
def test_frames_are_identical_and_carry_their_spacing_and_times(channels):
    with IgtlServer(channels=channels) as server, Listener(SubprocessSource(server.url)) as listener:
        frames = listener.more(20)
        assert (listener.source.kind, listener.source.live) == ("igtl", True)
    numbers = [number_of(frame.pixels) for frame in frames]
    assert numbers == sorted(set(numbers))
    for number, frame in zip(numbers, frames, strict=True):
        np.testing.assert_array_equal(frame.pixels, picture(number, 320, 240, channels))
        assert (frame.spacing_mm, frame.spacing_from, frame.epoch) == (pytest.approx(0.25), "igtl", 0)
        assert frame.pts_seconds - frames[0].pts_seconds == pytest.approx((number - numbers[0]) / 30, abs=1e-4)


def test_a_sender_that_returns_begins_a_new_epoch_at_its_new_spacing():
    with IgtlServer() as server, Listener(SubprocessSource(server.url)) as listener:
        before = listener.more()[-1]
        server.kill()
        until(lambda: listener.source.status.trouble)
        with IgtlServer(server.port, 400, 304, mm=0.5):
            back = listener.more()[-1]
        assert (back.pixels.shape, back.spacing_mm) == ((304, 400), pytest.approx(0.5))
        assert back.epoch > before.epoch
        until(lambda: listener.source.status.reconnects == 1)
        assert [frame.pts_seconds for frame in listener.frames] == sorted(f.pts_seconds for f in listener.frames)


def test_the_operators_spacing_goes_before_the_senders():
    with IgtlServer() as server, Listener(open_source(server.url, spacing_mm=0.2)) as listener:
        frame = listener.more()[-1]
        assert (frame.spacing_mm, frame.spacing_from) == (0.2, "operator")


@pytest.mark.parametrize(
    "url", ["igtl://", "igtl://host:port", "igtl://host:0", "igtl://host/a/b", "igtl://me:s3cret@host:1/?x"]
)
def test_an_address_that_cannot_be_right_is_refused_at_once(url):
    with pytest.raises(SourceError) as caught:
        open_source(url)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


class Peer:
    """Sends what a test gives it to whoever connects, one connection after the other."""

    def __init__(self, *parts, hold=True):
        self._parts, self._hold = parts, hold
        self.connections = 0
        self._over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._over.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def url(self):
        return f"igtl://127.0.0.1:{self.port}"

    def _serve(self):
        with contextlib.suppress(OSError):
            while not self._over.is_set():
                peer, _ = self._server.accept()
                self.connections += 1
                with peer, contextlib.suppress(OSError):
                    for part in self._parts:
                        peer.sendall(part)
                        time.sleep(0.005)
                    peer.settimeout(0.05)
                    while self._hold and not self._over.is_set() and not _gone(peer):
                        pass


def _gone(peer):
    with contextlib.suppress(TimeoutError):
        return peer.recv(1) == b""
    return False


def first(listener, count):
    """What came first, whether or not it was there before it was asked for."""
    until(lambda: len(listener.frames) >= count)
    return listener.frames[:count]


def image(index=0, **more):
    return message(index, 32, 24, 30, **more).pack()


def test_messages_that_come_in_crumbs_are_put_together():
    data = image(7)
    with Peer(*(data[at : at + 29] for at in range(0, len(data), 29))) as peer, Listener(open_source(peer.url)) as got:
        np.testing.assert_array_equal(first(got, 1)[0].pixels, picture(7, 32, 24))


def test_of_several_devices_the_one_asked_for_is_read_or_the_first():
    parts = [image(1), image(2, device="Other one"), image(3)]
    with Peer(*parts) as peer:
        with Listener(open_source(peer.url)) as listener:
            assert [number_of(frame.pixels) for frame in first(listener, 2)] == [1, 3]
            assert any("several pictures" in line for line in listener.source.warnings)
        with Listener(open_source(f"{peer.url}/Other%20one")) as listener:
            assert number_of(first(listener, 1)[0].pixels) == 2


def oblong(across, down):
    made = message(0, 32, 24, 30)
    made.ijk_to_world_matrix = np.diag([across, down, 1.0, 1.0])
    return made.pack()


def test_pixels_that_are_not_square_are_made_square_or_their_spacing_refused():
    with Peer(oblong(0.4, 0.2), oblong(0.2, 1.9), image()) as peer, Listener(open_source(peer.url)) as listener:
        wide, refused, plain = first(listener, 3)
        assert wide.pixels.shape == (24, 64)
        assert wide.spacing_mm == pytest.approx(0.2)
        assert (refused.pixels.shape, refused.spacing_mm) == ((24, 32), None)
        assert any("far from square" in line for line in listener.source.warnings)
        assert plain.spacing_mm == pytest.approx(0.25)
        # Another spacing is another depth.
        assert [frame.epoch for frame in (wide, refused, plain)] == [0, 1, 2]


def test_a_spacing_that_differs_by_its_rounding_is_the_same():
    parts = [oblong(0.25 * (1 + step * 1e-6), 0.25) for step in (0, 3, -2)]
    with Peer(*parts) as peer, Listener(open_source(peer.url)) as listener:
        frames = first(listener, 3)
        assert {(frame.epoch, frame.spacing_mm) for frame in frames} == {(0, frames[0].spacing_mm)}


def too_long(size):
    head = bytearray(image()[:58])
    head[42:50] = size.to_bytes(8, "big")
    return bytes(head)


def compressed():
    return struct.pack(">H12s20sIIQQ", 1, b"VIDEO", b"Image", 1, 0, 70, 0) + bytes(70)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"], "not OpenIGTLink"),
        ([too_long((1 << 64) - 1)], "more than"),
        ([too_long(LARGEST_BYTES), b"x" * 100], "no picture came"),
        ([image()[:500]], "no picture came"),
        ([], "no picture came"),
        ([pyigtl.ImageMessage(np.zeros((3, 4, 5), np.uint8), device_name="x").pack()], "volumes"),
        ([compressed()], "compressed VIDEO messages, which are not read; set the sender to IMAGE"),
        ([image(device="Other")], "names its pictures otherwise"),
    ],
)
def test_a_peer_that_means_no_good_is_left_and_tried_again(monkeypatch, parts, words):
    monkeypatch.setattr(igtl, "FIRST_PICTURE_SECONDS", 0.3)
    url = "" if words != "names its pictures otherwise" else "/Image"
    with Peer(*parts) as peer, Listener(open_source(peer.url + url)) as listener:
        until(lambda: words in listener.source.trouble)
        until(lambda: peer.connections >= 2)
        assert listener.frames == []
        assert listener.source.reconnects == 0


def test_a_senders_clock_in_milliseconds_is_told_and_not_followed():
    parts = []
    for index in range(8):
        data = bytearray(image(index))
        data[34:42] = (1_000_000 + 33 * index).to_bytes(4, "big") + bytes(4)  # seconds, and their fraction
        parts.append(bytes(data))
    with Peer(*parts) as peer, Listener(open_source(peer.url)) as listener:
        frames = first(listener, 8)
        assert any("do not go like a clock" in line for line in listener.source.warnings)
    assert {frame.epoch for frame in frames} == {0}
    elapsed_s = (frames[-1].captured_ns - frames[0].captured_ns) / 1e9
    assert frames[-1].pts_seconds - frames[0].pts_seconds == pytest.approx(elapsed_s, abs=0.05)


def test_bytes_that_trickle_are_no_pictures(monkeypatch):
    monkeypatch.setattr(igtl, "SILENCE_SECONDS", 0.3)
    with Peer(image(), *[b"\0"] * 4000) as peer, Listener(open_source(peer.url)) as listener:
        until(lambda: peer.connections >= 2)
        assert listener.source.reconnects <= peer.connections
        first(listener, 1)


def test_a_connection_that_ends_is_made_again():
    with Peer(image(), hold=False) as peer, Listener(open_source(peer.url)) as listener:
        frames = first(listener, 3)
        assert [frame.epoch for frame in frames] == [0, 1, 2]
        assert listener.source.reconnects >= 2
