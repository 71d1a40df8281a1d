"""Stands between a source and its listener on TCP, and spoils what passes."""

import contextlib
import socket
import struct
import threading
import time

FAULTS = ("stall", "reset", "trickle", "close")


class FaultProxy:
    """Passes bytes on from another port, until ``fault`` says otherwise.

    "stall": nothing passes, and nothing ends. "trickle": a byte now and then. "reset", "close": connections end at
    once, the new ones too. None: all passes.
    """

    def __init__(self, port):
        self._upstream = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.fault = None
        self._closed = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closed = True
        # Closing alone would not wake who waits in accept.
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    @property
    def url(self):
        return f"tcp://127.0.0.1:{self.port}"

    def _accept(self):
        with contextlib.suppress(OSError):
            while not self._closed:
                peer, _ = self._server.accept()
                self._threads.append(threading.Thread(target=self._pass, args=(peer,)))
                self._threads[-1].start()

    def _pass(self, peer):
        with peer, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._upstream)) as source:
            source.settimeout(0.05)
            while not self._closed and not _left(peer):
                if self.fault in ("reset", "close"):
                    if self.fault == "reset":
                        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if self.fault == "stall":
                    time.sleep(0.02)
                    continue
                with contextlib.suppress(TimeoutError):
                    data = source.recv(1 if self.fault == "trickle" else 1 << 16)
                    if not data:
                        return
                    peer.sendall(data)
                if self.fault == "trickle":
                    time.sleep(0.05)


def _left(peer):
    """Whether the listener has gone; it never says anything."""
    with contextlib.suppress(BlockingIOError):
        return peer.recv(1, socket.MSG_DONTWAIT) == b""
    return False
