"""A source on the network, from another process: lost, stalled, and back again with other pictures."""

import contextlib
import http.server
import socket
import threading
import time
from types import SimpleNamespace

import av
import cv2
import pytest

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.live.network import open_network
from fetalstream.streamer.sources import open_source
from tests.streamer.ts_server import TsServer, picture
from tests.waiting import until


class Listener:
    """Reads a source in a thread, as the engine does."""

    def __init__(self, source):
        self.source = source
        self.frames = []
        self.error = None
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        try:
            for frame in self.source:
                self.frames.append(frame)
        except SourceError as error:
            self.error = error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.source.close()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def more(self, count=5):
        wanted = len(self.frames) + count
        until(lambda: len(self.frames) >= wanted)
        return self.frames[wanted - count :]


def test_frames_come_and_a_source_that_returns_begins_a_new_epoch():
    with TsServer() as server, Listener(open_source(server.url, spacing_mm=0.2)) as listener:
        first = listener.more()[0]
        assert first.pixels.shape == (240, 320)
        assert abs(first.pixels.astype(int) - picture(0, 320, 240)).mean() < 12
        assert (first.epoch, first.spacing_mm, first.spacing_from) == (0, 0.2, "operator")
        source = listener.source
        assert (source.kind, source.live, source.trouble) == ("network", True, None)
        assert source.rate_hz == pytest.approx(30)

        server.kill()
        until(lambda: source.trouble is not None)
        before = len(listener.frames)
        with TsServer(server.port, 640, 480):
            back = listener.more()[-1]
        assert back.pixels.shape == (480, 640)
        assert back.epoch == 1
        assert back.spacing_mm is None
        assert back.pts_seconds > listener.frames[before - 1].pts_seconds
        assert [frame.index for frame in listener.frames] == list(range(len(listener.frames)))
        assert source.reconnects == 1
        assert any("given spacing" in line for line in source.warnings)


def test_nobody_there_is_no_end():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    with Listener(open_source(f"tcp://me:s3cret@127.0.0.1:{port}")) as listener:
        until(lambda: listener.source.trouble == "connection refused")
        assert listener.error is None
        assert "s3cret" not in repr(vars(listener.source))


def test_a_protocol_that_is_not_built_in_is_named_with_its_remedy():
    try:
        with Listener(open_source("srt://me:s3cret@127.0.0.1:9")) as listener:
            until(lambda: listener.error or listener.source.trouble != "not connected yet")
    finally:
        listener.source.close()
    if listener.error is None:
        pytest.skip("this PyAV knows srt")
    assert "pip install --no-binary av av" in str(listener.error)
    assert "s3cret" not in str(listener.error)
    assert listener.error.__cause__ is None
    assert listener.error.__suppress_context__


@pytest.mark.parametrize("url", ["rtsp://", "tcp://host", "http://me:s3cret@host:port/", "rtsp://me:s3cret@host/#x"])
def test_an_address_that_cannot_be_right_is_refused_at_once(url):
    with pytest.raises(SourceError) as caught:
        open_network(url)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("udp://@:5004", "udp://0.0.0.0:5004"),
        ("udp://:1234", "udp://0.0.0.0:1234"),
        ("http://me:s3cret@host/live/index.m3u8?token=s3cret", "play lists"),
        ("https://host/a.MPD", "rtsp://"),
    ],
)
def test_a_refusal_says_what_to_write_instead(url, words):
    with pytest.raises(SourceError) as caught:
        open_network(url)
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


class Camera(http.server.BaseHTTPRequestHandler):
    """A camera that sends JPEG after JPEG to whoever knows the password."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.headers.get("Authorization") != "Basic bWU6czNjcmV0":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=next")
        self.end_headers()
        with contextlib.suppress(OSError):
            for index in range(1 << 30):
                jpeg = cv2.imencode(".jpg", picture(index, 320, 240))[1].tobytes()
                head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
                self.wfile.write(head + jpeg + b"\r\n")
                time.sleep(0.03)


def test_a_camera_over_http_is_asked_with_its_password():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        with Listener(open_source(f"http://me:s3cret@127.0.0.1:{port}/video")) as listener:
            assert listener.more()[-1].pixels.shape == (240, 320)
        with Listener(open_source(f"http://127.0.0.1:{port}/video")) as listener:
            until(lambda: listener.source.trouble != "not connected yet")
            assert "unauthorized" in listener.source.trouble
        server.shutdown()


class Sounding:
    """A connection whose picture ceases while its sound goes on: MPEG-TS would hold the sound back to wait for it."""

    def __init__(self):
        self._container = av.open("testsrc=size=64x48:rate=30", format="lavfi")
        self.streams = self._container.streams
        self.format = self._container.format

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._container.close()

    def demux(self):
        yield next(self._container.demux())
        while True:
            time.sleep(0.01)
            yield SimpleNamespace(stream="sound")


def test_sound_that_goes_on_does_not_hide_that_the_picture_has_ceased(monkeypatch):
    monkeypatch.setattr("fetalstream.streamer.live.live_video.SILENCE_SECONDS", 0.2)
    source = open_source("tcp://127.0.0.1:9")
    source._connect = lambda _: Sounding()
    with Listener(source) as listener:
        until(lambda: source.trouble == "no picture came for 0.2 seconds")
        assert len(listener.frames) >= 1
