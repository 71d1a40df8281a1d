"""A scanner on the network, as a process of its own: MPEG-TS over TCP, with known pictures.

Started by tests as ``python -m tests.streamer.ts_server PORT WIDTH HEIGHT RATE``. SIGSTOP makes it stall, SIGKILL makes
it vanish. Every connection begins with a whole picture, and time stamps begin anew with every connection.
"""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).parents[2]


def picture(index, width, height):
    """Gray ``(H, W)``: a texture that moves."""
    rows, columns = np.mgrid[0:height, 0:width]
    return (90 + 60 * np.sin(columns / 9 + index / 5) + 60 * np.sin(rows / 7)).clip(0, 255).astype(np.uint8)


class _Sink:
    """What PyAV writes goes out over the socket."""

    def __init__(self, peer):
        self._peer = peer

    def write(self, data):
        self._peer.sendall(data)
        return len(data)


def _stream(peer, width, height, rate):
    with av.open(_Sink(peer), "w", format="mpegts", options={"flush_packets": "1"}) as out:
        video = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "tune": "zerolatency"})
        video.width, video.height, video.pix_fmt, video.gop_size = width, height, "yuv420p", rate // 2
        begun = time.monotonic()
        for index in range(1 << 30):
            chroma = np.full((height // 2, width), 128, np.uint8)
            planes = np.concatenate([picture(index, width, height), chroma])
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, rate)
            out.mux(video.encode(frame))
            time.sleep(max(0.0, begun + (index + 1) / rate - time.monotonic()))


def serve(port, width, height, rate):
    with socket.create_server(("127.0.0.1", port)) as server:
        sys.stdout.write(f"{server.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            peer, _ = server.accept()
            threading.Thread(target=_serve_one, args=(peer, width, height, rate), daemon=True).start()


def _serve_one(peer, *layout):
    with contextlib.suppress(Exception), peer:  # PyAV wraps what the socket raises
        _stream(peer, *layout)


class TsServer:
    """The server's process, as a test holds it."""

    def __init__(self, port=0, width=320, height=240, rate=30):
        command = [sys.executable, "-m", "tests.streamer.ts_server", *map(str, (port, width, height, rate))]
        self._start(command)

    def _start(self, command):
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            self.port = int(self._process.stdout.readline())
        except ValueError:
            self.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def url(self):
        return f"tcp://127.0.0.1:{self.port}"

    def stall(self):
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
