"""The cost of capture in a child process is measured: 1080p at 60 frames a second, gray and RGB, in the real child.

The child's source is drawn beforehand, so that decoding is not measured, only what follows it: masking (a rectangle,
and an outline of eight corners), the queue, the message about a frame, and the parent's work on it. The hand-over is
the time from the child's stamp until the parent has the frame. In the same run two baselines are measured: the same
frames, unmasked, through a pipe of `multiprocessing`; and how late the machine wakes a process that only sleeps until
the next frame, since no hand-over can be faster. With --busy a thread of the parent uses half a core for other work.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import numpy as np
import psutil

from fetalstream.streamer.capture import child_main, child_process
from fetalstream.streamer.capture.subprocess_source import SubprocessSource
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.region.masker import SectorSetting
from fetalstream.streamer.region.sector import Polygon, Rectangle

HEIGHT, WIDTH, RATE_HZ = 1080, 1920, 60
OUTLINE = Polygon(((700, 60), (1220, 60), (1700, 700), (1500, 900), (1100, 1040), (820, 1040), (420, 900), (220, 700)))
SETTINGS: dict[str, SectorSetting] = {"whole": None, "rectangle": Rectangle(210, 30, 1500, 1020), "outline": OUTLINE}
WARM_UP = 60


def paced() -> Iterator[tuple[int, float]]:
    """Yield each frame's index when it is due, and by how many seconds it is late."""
    begun_s = time.monotonic()
    for index in itertools.count():
        due_s = begun_s + index / RATE_HZ
        time.sleep(max(0.0, due_s - time.monotonic()))
        yield index, time.monotonic() - due_s


class Drawn:
    """A live source of frames drawn beforehand."""

    kind = "camera"
    live = True
    frames_expected = None
    rate_hz = float(RATE_HZ)
    identity = ""

    def __init__(self, channels: int) -> None:
        self.warnings: list[str] = []
        shape = (HEIGHT, WIDTH) if channels == 1 else (HEIGHT, WIDTH, 3)
        self._pictures = [np.random.default_rng(i).integers(0, 255, shape, dtype=np.uint8) for i in range(4)]

    def __enter__(self) -> Drawn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        pass

    def __iter__(self) -> Iterator[Frame]:
        for index, _ in paced():
            # A decoder has just written its picture when it is stamped: it comes from the cache, not from memory.
            yield Frame(self._pictures[index % 4].copy(), index, index / RATE_HZ, time.monotonic_ns())


def child() -> int:
    """Run the child process, `streamer.capture.child_main` with the drawn source."""
    child_main.open_source = lambda name, **_: Drawn(int(name))  # type: ignore[assignment]
    return child_main.main()


def measured(channels: int, setting: SectorSetting, seconds: float) -> dict[str, float]:
    """Measure milliseconds of hand-over and shares of one core."""
    with SubprocessSource(str(channels), sector=setting) as source:
        frames = iter(source)
        return timed(lambda: next(frames).captured_ns, source.pid or 0, seconds, lambda: source.link.dropped)


def plainly(channels: int, seconds: float) -> dict[str, float]:
    """Measure the same through a pipe, pickled."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_pour, args=(theirs, channels), daemon=True)
    child.start()
    try:
        return timed(lambda: ours.recv()[1], child.pid or 0, seconds, lambda: 0)
    finally:
        child.kill()


def timed(take: Callable[[], int], pid: int, seconds: float, dropped: Callable[[], int]) -> dict[str, float]:
    """Measure frames that ``take`` waits for; it returns the stamp of the next one."""
    handovers_ms: list[float] = []
    process = psutil.Process(pid)
    for _ in range(WARM_UP):
        take()
    ours, theirs, lost = time.process_time(), sum(process.cpu_times()[:2]), dropped()
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < seconds:
        stamp_ns = take()
        handovers_ms.append((time.monotonic_ns() - stamp_ns) / 1e6)
    took_s = time.monotonic() - begun_s
    parent, worker = time.process_time() - ours, sum(process.cpu_times()[:2]) - theirs
    p50, p99 = np.percentile(handovers_ms, (50, 99)).tolist()
    return {
        "fps": round(len(handovers_ms) / took_s, 1),
        "dropped": dropped() - lost,
        "handover_p50_ms": round(p50, 2),
        "handover_p99_ms": round(p99, 2),
        "parent_core": round(parent / took_s, 3),
        "child_core": round(worker / took_s, 3),
        "core": round((parent + worker) / took_s, 3),
    }


def lateness(seconds: float) -> dict[str, float]:
    """Measure the machine's milliseconds from the time at which a sleep should end until it ends."""
    late_ms = [1e3 * late_s for _, late_s in itertools.islice(paced(), round(seconds * RATE_HZ))]
    p50, p99 = np.percentile(late_ms, (50, 99)).tolist()
    return {"p50_ms": round(p50, 2), "p99_ms": round(p99, 2)}


def _pour(pipe: Connection, channels: int) -> None:
    for frame in Drawn(channels):
        pipe.send((frame.pixels, frame.captured_ns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement (10)")
    parser.add_argument("--busy", action="store_true", help="a thread of the parent computes half of the time")
    options = parser.parse_args()
    child_process._SCRIPT = (
        "import os, sys; sys.path[:] = {path!r}; from benchmarks.handover import child; os._exit(child())"
    )
    if options.busy:
        threading.Thread(target=_compute, daemon=True).start()
    found = {
        f"{name} {mask}": measured(channels, setting, options.seconds)
        for name, channels in (("gray", 1), ("rgb", 3))
        for mask, setting in SETTINGS.items()
    } | {f"{name} plain": plainly(channels, options.seconds) for name, channels in (("gray", 1), ("rgb", 3))}
    found["machine wakes late"] = lateness(options.seconds)
    for name, values in found.items():
        print(f"{name:18}", "  ".join(f"{key} {value}" for key, value in values.items()), file=sys.stderr)
    print(json.dumps({"size": [WIDTH, HEIGHT], "rate_hz": RATE_HZ, "busy": options.busy, **found}))


def _compute() -> None:
    while True:
        until_s = time.monotonic() + 0.005
        while time.monotonic() < until_s:
            np.sort(np.random.default_rng(0).random(10_000))
        time.sleep(0.005)


if __name__ == "__main__":
    sys.path.insert(0, ".")
    main()
