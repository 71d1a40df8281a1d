"""An engine without a model: made-up readings and keyframes over the real publisher and control channel.

As a process: ``python -m tests.scripted_engine FOLDER SECONDS`` publishes 100 readings a second, and a keyframe every
100 ms, then says goodbye.
"""

from __future__ import annotations

import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from msgspec.structs import replace

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.control import Control
from fetalstream.pipeline.bus.endpoints import endpoints_in
from fetalstream.pipeline.bus.publisher import Publisher
from fetalstream.pipeline.bus.stamper import MessageStamper, new_run
from fetalstream.pipeline.keyframes.clip_buffer import Cut, Still
from fetalstream.pipeline.keyframes.stored_keyframe import StoredKeyframe
from fetalstream.pipeline.wire import results

CAPTURED_AGO_NS = 20_000_000
LABELS = ("abdomen", "brain", "femur", "other")


def frame_info(index: int) -> wire.FrameInfo:
    return wire.FrameInfo(
        index=index, epoch=0, pts_seconds=index / 30, captured_ns=time.monotonic_ns() - CAPTURED_AGO_NS, spacing_mm=0.2,
        spacing_from="phantom",
    )  # fmt: skip


def reading(index: int, stream: str = "stream-1", exam: str = "exam-a", **fields: Any) -> wire.Reading:
    given: dict[str, Any] = {
        "frame": frame_info(index),
        "state": "live",
        "reused": False,
        "planes": {label: wire.LabelScore(cosine=0.2, raw=0.25, smoothed=0.25) for label in LABELS},
        "plane": "brain",
        "subplanes": None,
        "subplane": None,
        "gestation": wire.Gestation(
            days=143.0, low_days=134.0, high_days=152.0, frame_days=None, frames=9, zooms=1, method="zoom histogram"
        ),
        "gestation_missing": None,
        "quality": wire.Quality(sharpness=0.5, steadiness=0.5),
        "ask": None,
        "latency_ms": wire.Latency(total=12.5),
        "model": "mini",
        "calibrated": False,
        "dropped": 0,
    }
    return wire.Reading(stream=stream, exam=exam, **{**given, **fields})


def health(stream: str = "stream-1") -> wire.Health:
    return wire.Health(
        stream=stream, exam="exam-a", state="live", fps_in=30.0, fps_out=30.0, counts=wire.Counts(),
        reconnects=0, last_frame_age_ms=1.0, latency_ms=wire.Percentiles(), device="cpu", memory_mb=1.0,
    )  # fmt: skip


class Kept:
    """A kept frame, as ``pipeline.keyframes.stored_keyframe.StoredKeyframe`` is to the bus."""

    def __init__(self, keyframe: str, side_px: int = 64) -> None:
        self.keyframe = keyframe
        # The picture says whose it is, so that a test can tell that the right one was saved.
        self.pixels = np.random.default_rng(uuid.UUID(keyframe).int).integers(0, 256, (side_px, side_px), np.uint8)

    def png(self) -> bytes:
        return cv2.imencode(".png", self.pixels)[1].tobytes()


class ScriptedEngine:
    """``publisher`` and ``control`` are the real ones; ``asked`` holds what the engine was told to do.

    ``deaf``: commands are taken in and never answered.
    """

    def __init__(
        self, endpoints: wire.Endpoints, *, run: str | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
    ):
        self.keyframe_store: dict[str, Kept] = {}
        self.asked: list[wire.Command] = []
        self.deaf = False
        self.publisher = Publisher(
            endpoints, MessageStamper(run or new_run(), clock_ns),
            picture_of=lambda each: self.keyframe_store.get(each), clock_ns=clock_ns,
        )  # fmt: skip
        try:
            self.control = Control(self.publisher, self.submit, wire.ModelState(name="mini"), {"python": "3"})
        except BaseException:
            self.publisher.close()
            raise
        self.endpoints = self.control.endpoints
        self.run = self.publisher.stamp.run
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def __enter__(self) -> ScriptedEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def submit(self, command: Any) -> Future[Any]:
        self.asked.append(command)
        reply: Future[Any] = Future()
        if self.deaf:
            return reply
        match command:
            case wire.GetKeyframe(keyframe=keyframe) if keyframe not in self.keyframe_store:
                reply.set_exception(ValueError(f"keyframe {keyframe!r} is not kept any more"))
            case wire.GetKeyframe(keyframe=keyframe):
                reply.set_result(self.keyframe_store[keyframe])
            case wire.GetKeyframes():
                kept = [self._listed(each, rank) for rank, each in enumerate(self.keyframe_store)]
                reply.set_result(results.Keyframes(keyframes=kept))
            case wire.GetState():
                stream = wire.StreamState(stream="stream-1", kind="phantom")
                reply.set_result(wire.EngineState(exam="exam-a", streams=[stream]))
            case _:
                reply.set_result({"did": wire.name_of(command)})
        return reply

    def _listed(self, keyframe: str, rank: int) -> wire.Keyframe:
        """As the engine lists it: the plane is not known here, the publisher has it."""
        return wire.Keyframe(
            keyframe=keyframe, plane="", subplane=None, score=None, parts={}, frame=frame_info(0), gestation=None,
            rank=rank,
        )  # fmt: skip

    def read(self, count: int, stream: str = "stream-1") -> None:
        for index in range(count):
            self.publisher.send(reading(index, stream))

    def keyframe(self, plane: str = "brain", side_px: int = 64) -> str:
        kept = Kept(uuid.uuid4().hex, side_px)
        self.keyframe_store[kept.keyframe] = kept
        self.publisher.send(
            wire.Keyframe(
                stream="stream-1",
                exam="exam-a",
                keyframe=kept.keyframe,
                plane=plane,
                subplane=None,
                score=0.5,
                parts={"sharpness": 0.5},
                frame=frame_info(0),
                gestation=None,
            )
        )
        return kept.keyframe

    def clip(self, keyframe: str, frames: int = 3) -> None:
        """A clip of that many frames, the same as `Kept` in each."""
        pixels = Kept(keyframe).pixels
        best = StoredKeyframe(pixels, "brain", None, 0.5, {}, frame_info(0), None, keyframe=keyframe)
        stills = [Still(number / 30, pixels) for number in range(frames)]
        self.publisher.clip("stream-1", Cut(best, "exam-a", stills))

    def mark(self, text: str = "") -> None:
        self.publisher.send(wire.Event(stream="stream-1", exam="exam-a", event="mark", detail={"text": text}))

    def goodbye(self, stream: str = "stream-1") -> None:
        self.publisher.send(wire.Goodbye(stream=stream, exam="exam-a", reason="over"))

    def play(self, until: Callable[[], bool] = lambda: False, period_s: float = 0.01) -> None:
        """Publishes until told to stop: readings, pictures, a keyframe every tenth, health now and then."""
        picture = np.full((48, 64), 90, np.uint8)
        index = 0
        while not self._stop.wait(period_s) and not until():
            self.publisher.send(reading(index))
            self.publisher.preview("stream-1", "exam-a", frame_info(index), picture)
            if index % 10 == 0:
                self.clip(self.keyframe(side_px=256))
                self.mark(f"at {index}")
                self.publisher.send(health())
            index += 1

    def play_in_thread(self, period_s: float = 0.01) -> None:
        self._thread = threading.Thread(target=self.play, kwargs={"period_s": period_s}, daemon=True)
        self._thread.start()

    def stop_playing(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def end(self, grace_s: float = 0.2) -> None:
        self.stop_playing()
        self.control.close(grace_s)
        self.publisher.close()


def published(engine: ScriptedEngine, kind: str, stream: str = "stream-1") -> list[dict[str, Any]]:
    return [msgspec.json.decode(header) for header in engine.publisher.ring.since(kind, stream, -1).headers]


def on_tcp(endpoints: wire.Endpoints) -> wire.Endpoints:
    """The same on any free loopback ports."""
    any_port = "tcp://127.0.0.1:*"
    return replace(endpoints, pub=any_port, preview=any_port, control=any_port)


def main(folder: str, seconds: str) -> None:
    until_s = time.monotonic() + float(seconds)
    with ScriptedEngine(endpoints_in(Path(folder))) as engine:
        print(engine.run, flush=True)  # noqa: T201
        engine.play(lambda: time.monotonic() > until_s)
        engine.goodbye()


if __name__ == "__main__":
    main(*sys.argv[1:])
