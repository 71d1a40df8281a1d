"""A session on disk of a made-up scan: two examinations, kept frames with pictures, decisions, and hostile words."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from fetalstream.pipeline.bus.stamper import MessageStamper
from fetalstream.pipeline.wire import Counts, Event, Goodbye, Message, StreamState
from fetalstream.tui.record.store import SessionStore
from tests.tui import scan

HOSTILE = "<script>document.title=1</script><img src=x onerror=alert(1)> \x1b[31m\u202e$\\frac$ {{7*7}}"
PER_SECOND = 10
STATE = msgspec.structs.replace(
    scan.STATE,
    versions={"fetalstream": "0.1.0", "python": "3.11.7"},
    streams=[StreamState(stream="stream-1", kind="file", source_sha256="cd" * 32)],
)


def png(seed: int, shape: tuple[int, ...] = (48, 64)) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8)).save(out, "PNG")
    return out.getvalue()


class Scan:
    """Writes messages a tenth of a second apart; ``store`` is open until the block ends."""

    def __init__(self, out_dir: Path) -> None:
        self.now_ns = scan.START
        self.exam = "exam-a"
        self._stamp = MessageStamper("run-a", clock_ns=lambda: self.now_ns, wall_seconds=lambda: self.now_ns / 1e9)
        self.store = SessionStore(out_dir, STATE, started_s=1000.0)
        self.readings = 0

    def __enter__(self) -> Scan:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def say(self, message: Message, blob: bytes | None = None) -> None:
        self.store.send(self._stamp.stamp(message), blob)

    def look(self, plane: str | None, times: int, **fields: object) -> None:
        for _ in range(times):
            seen = fields.get("frame", scan.frame(self.now_ns, self.readings))
            self.say(scan.reading(self.now_ns, plane, exam=self.exam, **{**fields, "frame": seen}))
            self.readings += 1
            self.now_ns += scan.SECOND // PER_SECOND

    def keep(self, keyframe: str, plane: str, score: float | None, picture: bytes | None, **fields: object) -> None:
        parts = {"probability": 0.9, "margin": 0.8, "contrast": 0.6, "sharpness": 0.7, "steadiness": 0.95}
        made = {"keyframe": keyframe, "parts": parts, "exam": self.exam, "frame": scan.frame(self.now_ns), **fields}
        self.say(scan.keyframe(self.now_ns, plane, score, **made), picture)  # type: ignore[arg-type]

    def tell(self, event: str, **detail: object) -> None:
        self.say(Event(stream="stream-1", exam=self.exam, event=event, detail=dict(detail)))


def recorded(out_dir: Path) -> Path:
    """The folder of a session that is over."""
    with Scan(out_dir) as made:
        made.look("brain", 30)
        made.keep("a" * 32, "brain", 0.41, png(1))
        made.keep("b" * 32, "brain", 0.62, png(2, (48, 64, 3)), subplane="trans-ventricular")
        made.look(None, 10)
        made.look("femur", 20)
        made.keep("c" * 32, "femur", 0.55, png(3))
        made.keep("d" * 32, "heart", 0.3, None)
        made.tell("mark", text=HOSTILE)
        made.tell("freeze", state="frozen")
        made.look("femur", 10, state="frozen")
        made.keep("e" * 32, "other", None, png(4), chosen_by="operator", parts={}, subplane=None)
        made.tell("decision", number=1, keyframe="a" * 32, verdict="accept")
        made.tell("decision", number=2, keyframe="c" * 32, verdict="reject")
        counts = Counts(captured=80, analysed=66, reused=4, dropped=8, failed=2)
        made.say(scan.health(made.now_ns, counts=counts, exam="exam-a"))
        made.exam = "exam-b"
        made.tell("new_exam", previous="exam-a")
        made.look("heart", 10, frame=scan.frame(made.now_ns))
        made.say(Goodbye(stream="stream-1", exam="exam-b", reason="stopped"))
    return made.store.folder
