"""A sender of OpenIGTLink, pyigtl's server, as a process of its own, with known pictures.

Started by tests as ``python -m tests.streamer.igtl_server PORT WIDTH HEIGHT RATE CHANNELS MM``. Each picture carries
its number in its first four bytes, so that a reader knows which it should be.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pyigtl

from tests.streamer.ts_server import TsServer
from tests.streamer.ts_server import picture as texture

ROOT = Path(__file__).parents[2]
BEGAN_S = 1_700_000_000.0


def picture(index, width, height, channels=1):
    """Gray ``(H, W)`` or RGB ``(H, W, 3)``."""
    made = texture(index, width, height)
    if channels == 3:
        made = np.stack([made, 255 - made, made // 2], axis=2)
    made.reshape(-1)[:4] = np.frombuffer(index.to_bytes(4, "little"), np.uint8)
    return made


def number_of(pixels):
    return int.from_bytes(pixels.reshape(-1)[:4].tobytes(), "little")


def message(index, width, height, rate, channels=1, mm=0.25, device="Image"):
    return pyigtl.ImageMessage(
        picture(index, width, height, channels)[None],
        ijk_to_world_matrix=np.diag([mm, mm, mm, 1.0]),
        timestamp=BEGAN_S + index / rate,
        device_name=device,
    )


def serve(port, width, height, rate, channels, mm):
    server = pyigtl.OpenIGTLinkServer(port=port, local_server=True)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    begun = time.monotonic()
    for index in range(1 << 30):
        # Its queue would grow while nobody listens, and be old when somebody does.
        if server.is_connected():
            server.send_message(pyigtl.TransformMessage(np.eye(4), device_name="Probe"), wait=False)
            server.send_message(message(index, width, height, rate, channels, mm), wait=False)
        time.sleep(max(0.0, begun + (index + 1) / rate - time.monotonic()))


class IgtlServer(TsServer):
    """The server's process, as a test holds it."""

    def __init__(self, port=0, width=320, height=240, rate=30, channels=1, mm=0.25):
        numbers = map(str, (port, width, height, rate, channels, mm))
        self._start([sys.executable, "-m", "tests.streamer.igtl_server", *numbers])

    @property
    def url(self):
        return f"igtl://127.0.0.1:{self.port}"


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:6]), float(sys.argv[6]))
