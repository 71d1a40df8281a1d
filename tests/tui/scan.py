"""Messages of a made-up scan, and a feed that delivers whatever a test puts into it."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import numpy as np
from PIL import Image

from fetalstream.pipeline.wire import (
    Command,
    Counts,
    EngineState,
    Event,
    FrameInfo,
    Gestation,
    GetKeyframes,
    GetState,
    Health,
    Keyframe,
    LabelScore,
    Latency,
    Message,
    ModelState,
    Percentiles,
    Preview,
    Quality,
    Reading,
    StreamState,
    name_of,
)
from fetalstream.tui.feed.protocol import RequestFailed
from fetalstream.tui.state.session import PLANES, SUBPLANES, Session, StreamView, opened, reduce

SECOND = 1_000_000_000
START = 1000 * SECOND


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self, now_ns: int = START) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns

    def forward(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND)


class ListFeed:
    """A feed of what a test puts in; ``refusal`` makes every request fail, ``away`` the first starts."""

    def __init__(self, state: EngineState | None = None) -> None:
        self.state = state or EngineState()
        self.waiting: list[tuple[Message, bytes | None]] = []
        self.asked: list[Command] = []
        self.refusal: str | None = None
        self.away = 0
        self.keyframes: list[dict[str, Any]] = []
        self.pictures: dict[str, bytes] = {}
        self.closed = False
        self.last_heard_ns: int | None = None

    @property
    def names(self) -> list[str]:
        """The names of the commands that were asked."""
        return [name_of(command) for command in self.asked]

    async def start(self) -> EngineState:
        if self.away:
            self.away -= 1
            raise RequestFailed("no engine answers: start one with fetalstream run")
        return self.state

    def drain(self) -> list[tuple[Message, bytes | None]]:
        taken, self.waiting = self.waiting, []
        return taken

    def put(self, *messages: Message, blob: bytes | None = None) -> None:
        self.waiting.extend((message, blob) for message in messages)

    async def request(self, command: Command) -> dict[str, Any]:
        self.asked.append(command)
        if self.refusal is not None:
            raise RequestFailed(self.refusal)
        if isinstance(command, GetKeyframes):
            return {"keyframes": self.keyframes}
        return msgspec.to_builtins(self.state) if isinstance(command, GetState) else {}

    async def picture(self, keyframe: str) -> bytes | None:
        return self.pictures.get(keyframe)

    async def close(self) -> None:
        self.closed = True


def common(now_ns: int, **fields: Any) -> dict[str, Any]:
    given = {"run": "run-a", "exam": "exam-a", "stream": "stream-1", "seq": 0, "wall_time": "2026-01-02T10:00:00Z"}
    return {**given, "published_ns": now_ns, **fields}


def frame(now_ns: int, index: int = 0) -> FrameInfo:
    return FrameInfo(
        index=index, epoch=0, pts_seconds=index / 30, captured_ns=now_ns, spacing_mm=0.21, spacing_from="phantom"
    )


def scores(labels: tuple[str, ...], peak: str | None, raw: float = 0.9, smoothed: float = 0.8) -> dict[str, LabelScore]:
    others = max(1, len(labels) - 1)
    return {
        label: LabelScore(
            cosine=None if label == "other" else 0.2,
            raw=raw if label == peak else (1 - raw) / others,
            smoothed=smoothed if label == peak else (1 - smoothed) / others,
        )
        for label in labels
    }


def age(days: float = 143.0, *, half: float = 9.0, frame_days: float | None = 145.0) -> Gestation:
    return Gestation(
        days=days,
        low_days=days - half,
        high_days=days + half,
        frame_days=frame_days,
        frames=124,
        zooms=3,
        method="zoom histogram",
    )


def reading(now_ns: int, plane: str | None = "brain", **fields: Any) -> Reading:
    header = {key: fields.pop(key) for key in ("run", "exam", "stream", "seq") if key in fields}
    brain = plane == "brain"
    given: dict[str, Any] = {
        "frame": frame(now_ns),
        "state": "live",
        "reused": False,
        "planes": scores((*PLANES, "other"), plane or "other"),
        "plane": plane,
        "subplanes": scores(SUBPLANES, "trans-thalamic", 0.6, 0.7) if brain else None,
        "subplane": "trans-thalamic" if brain else None,
        "gestation": age() if brain else None,
        "gestation_missing": None if brain else "not_brain",
        "quality": Quality(sharpness=0.71, steadiness=0.88, contrast=0.58),
        "ask": None,
        "latency_ms": Latency(total=20.0),
        "model": "mini",
        "calibrated": False,
        "dropped": 0,
    }
    return Reading(**common(now_ns, **header), **{**given, **fields})


def keyframe(now_ns: int, plane: str = "brain", score: float = 0.8, **fields: Any) -> Keyframe:
    header = {key: fields.pop(key) for key in ("run", "exam", "stream", "seq") if key in fields}
    given: dict[str, Any] = {
        "keyframe": f"id-{plane}-{score}",
        "plane": plane,
        "subplane": "trans-thalamic" if plane == "brain" else None,
        "score": score,
        "parts": {},
        "frame": frame(now_ns),
        "gestation": age() if plane == "brain" else None,
    }
    return Keyframe(**common(now_ns, **header), **{**given, **fields})


def health(now_ns: int, **fields: Any) -> Health:
    header = {key: fields.pop(key) for key in ("run", "exam", "stream", "seq") if key in fields}
    given: dict[str, Any] = {
        "state": "live",
        "fps_in": 30.0,
        "fps_out": 29.7,
        "counts": Counts(captured=2400, analysed=2290, reused=100, dropped=8, failed=0, in_flight=2),
        "reconnects": 0,
        "last_frame_age_ms": 31.0,
        "latency_ms": Percentiles(p50=23.4, p90=31.0, p99=61.2, max=70.0),
        "device": "cpu",
        "memory_mb": 412.0,
    }
    return Health(**common(now_ns, **header), **{**given, **fields})


def event(now_ns: int, name: str = "mark", **detail: Any) -> Event:
    return Event(**common(now_ns), event=name, detail=detail)


def jpeg(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    return out.getvalue()


def ramp(width: int = 64, height: int = 48) -> bytes:
    """Dark on the left, bright on the right."""
    return jpeg(np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1)))


def preview(now_ns: int, **fields: Any) -> Preview:
    return Preview(**common(now_ns, **fields), width=64, height=48, frame=frame(now_ns))


STATE = EngineState(
    run="run-a",
    exam="exam-a",
    streams=[StreamState(stream="stream-1", kind="phantom", width=640, height=480, spacing_mm=0.21)],
    model=ModelState(name="mini", device="cpu", precision="fp32", calibrated=False, weights_sha256="ab"),
)


def session(*messages: Message, blob: bytes | None = None) -> Session:
    """Return the session after the messages, each of which came as soon as it was published."""
    folded = opened(Session(), STATE)
    for message in messages:
        folded = reduce(folded, message, message.published_ns, blob)
    return folded


def view(*messages: Message, blob: bytes | None = None) -> StreamView:
    """Return the first stream of that session."""
    return session(*messages, blob=blob).streams["stream-1"]
