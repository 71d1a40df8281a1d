"""The dashboard's cost and lag are measured on a real pseudo-terminal over the real sockets.

    python benchmarks/dashboard.py [--seconds 20]

Each row is a ``watch`` of its own in a process of its own: 120 x 45 cells, readings at 30 a second, previews of a
phantom scan at 15 a second. CPU is the watching process's own CPU time as a share of the wall time, so that other
programs disturb it little. ``pictures_s`` are those drawn, of all streams. ``late`` is how much later than asked a
10 ms sleep in its event loop ends. The lag is measured from outside: a mark whose text is the time is published twice
a second, and seen on the terminal's other end; its 0.2 s of drawing pace are in it. ``throttled`` reads the
terminal at 150 kB/s. ``in pixels`` is drawn by Kitty's protocol, for a terminal that takes it all and paints nothing:
what a real one costs beside is not in it. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

import psutil

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.endpoints import endpoints_in
from fetalstream.streamer.sources import open_source
from tests.scripted_engine import ScriptedEngine, health, reading

CHILD = """
import asyncio, json, sys, time
from fetalstream.tui.dashboard.app import FetalstreamApp
from fetalstream.tui.feed.engine_feed import Feed
from fetalstream.tui.widgets.preview import Preview

show, drawn = Preview.show, [0]
def counted(*given, **named):
    new = show(*given, **named)
    drawn[0] += new
    return new
Preview.show = counted

class Watched(FetalstreamApp):
    def on_mount(self):  # Textual calls that of the class above by itself
        self.run_worker(self.look())

    async def look(self):
        late = []
        while True:
            asked = time.perf_counter() + 0.01
            await asyncio.sleep(0.01)
            late.append(time.perf_counter() - asked)
            if len(late) % 100 == 0:
                late = late[-3000:]
                late_sorted = sorted(late)
                with open(sys.argv[2], "w") as out:
                    json.dump([late_sorted[int(len(late) * 0.95)] * 1000, drawn[0], time.monotonic()], out)

Watched(Feed(sys.argv[1]), in_pixels=sys.argv[3] == "kitty").run()
"""
WARM_UP_S = 5.0
WRAP_MS = 10**7
THROTTLE_BYTES_S = 150_000
_MARK = re.compile(rb"T-(\d{7})")  # no picture holds a hyphen


class Terminal:
    """Reads all that the dashboard writes, at full speed or throttled, and keeps the lags of the marks in it."""

    def __init__(self, master: int, bytes_s: int | None) -> None:
        self.lags_s: list[float] = []
        self.bytes = 0
        self.first_picture_s: float | None = None
        self._master, self._bytes_s = master, bytes_s
        self._seen: set[bytes] = set()
        self._began_s = time.monotonic()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        tail = b""
        while not self.over.is_set():
            if not select.select([self._master], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self._master, 65536 if self._bytes_s is None else 1500)
            except OSError:
                return
            self.bytes += len(data)
            tail = (tail + data)[-4096:] if self._bytes_s else tail[-64:] + data
            if self.first_picture_s is None and ("▀".encode() * 2 in tail or b"\x1b_Ga=T" in tail):
                self.first_picture_s = time.monotonic() - self._began_s
            for mark in _MARK.findall(tail):
                if mark not in self._seen:
                    self._seen.add(mark)
                    self.lags_s.append((time.monotonic() * 1000 - int(mark)) % WRAP_MS / 1000)
            if self._bytes_s is not None:
                time.sleep(len(data) / self._bytes_s)


def play(engine: ScriptedEngine, streams: int, over: threading.Event) -> None:
    """Publish readings at 30 a second a stream, previews at 15, and marks at 2 a second on the first stream."""
    pictures = [frame.pixels for _, frame in zip(range(300), open_source("phantom:7"), strict=False)]
    names = [f"stream-{number}" for number in range(1, streams + 1)]
    step, began_s = 0, time.monotonic()
    while not over.is_set():
        for name in names:
            plane = ("brain", "femur", None)[step // 90 % 3]
            sent = reading(step, name, plane=plane)
            engine.publisher.send(sent)
            if step % 2 == 0:
                engine.publisher.preview(name, "exam-a", sent.frame, pictures[step % len(pictures)])
            if step % 30 == 0:
                engine.publisher.send(health(name))
        if step % 15 == 0:
            text = f"T-{int(time.monotonic() * 1000) % WRAP_MS:07d}"
            engine.publisher.send(wire.Event(stream="stream-1", exam="exam-a", event="mark", detail={"text": text}))
        step += 1
        over.wait(max(0.0, began_s + step / 30 - time.monotonic()))


def measure(
    name: str, seconds: float, *, streams: int = 1, bytes_s: int | None = None, overview: bool = False,
    pictures: str = "blocks",
) -> dict[str, object]:  # fmt: skip
    """Measure one row of the table."""
    with tempfile.TemporaryDirectory(prefix="fs") as folder, ScriptedEngine(endpoints_in(Path(folder))) as engine:
        late = Path(folder) / "late"
        over = threading.Event()
        player = threading.Thread(target=play, args=(engine, streams, over), daemon=True)
        player.start()
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 120, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, engine.endpoints.control, str(late), pictures],
            stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        terminal = Terminal(master, bytes_s)
        try:
            time.sleep(WARM_UP_S)
            if overview:
                os.write(master, b"o")
                time.sleep(1.0)
            watched = psutil.Process(child.pid)
            before, began_s, bytes_before = watched.cpu_times(), time.monotonic(), terminal.bytes
            terminal.lags_s.clear()
            _, drawn_before, at_s = _last_report(late)
            time.sleep(seconds)
            after, took_s = watched.cpu_times(), time.monotonic() - began_s
            late_ms, drawn, until_s = _last_report(late)
            cpu_s = after.user - before.user + after.system - before.system
            return {
                "what": name,
                "cpu_percent": round(100 * cpu_s / took_s, 1),
                "pictures_s": round((drawn - drawn_before) / (until_s - at_s), 1),
                "late_p95_ms": round(late_ms, 2),
                "lag_p50_s": _percentile(terminal.lags_s, 0.5),
                "lag_p95_s": _percentile(terminal.lags_s, 0.95),
                "kB_s": round((terminal.bytes - bytes_before) / took_s / 1000),
                "first_picture_s": None if terminal.first_picture_s is None else round(terminal.first_picture_s, 2),
            }
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
            over.set()
            player.join()
            terminal.over.set()
            terminal.thread.join()
            os.close(master)


def _last_report(path: Path) -> tuple[float, int, float]:
    """Read what the child wrote last, about once a second: lateness, pictures drawn, and when."""
    while True:
        with contextlib.suppress(OSError, ValueError):  # not begun yet, or being written
            late_ms, drawn, at_s = json.loads(path.read_text())
            return late_ms, drawn, at_s
        time.sleep(0.05)


def _percentile(values: list[float], share: float) -> float | None:
    return round(sorted(values)[int(share * len(values))], 2) if values else None


def main() -> None:
    """Print all rows, then one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="measured, each row (20)")
    seconds = parser.parse_args().seconds
    rows = [
        measure("one stream", seconds),
        measure("four streams, all shown", seconds, streams=4, overview=True),
        measure("one stream, throttled", seconds, bytes_s=THROTTLE_BYTES_S),
        measure("one stream, in pixels", seconds, pictures="kitty"),
        measure("one stream, in pixels, throttled", seconds, bytes_s=THROTTLE_BYTES_S, pictures="kitty"),
    ]
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
