"""Stand-ins: a scan whose frames say what a model will find in them, the model that finds it, a source and a sink."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from fetalstream.pipeline.model.heads import HeadOutputs
from fetalstream.pipeline.model.model_info import ModelInfo
from fetalstream.pipeline.readout.gestation import GRID_DAYS
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.status import SourceStatus

PLANES = ("abdomen", "brain", "femur")
OTHER = len(PLANES)
NOT_FINITE = 250
SUBPLANE_COSINES = (0.2, 0.1)
FACTS = ModelInfo(
    name="double",
    calibrated=False,
    image_size=224,
    planes=PLANES,
    subplanes=("trans-thalamic", "trans-cerebellum"),
)
_TEXTURE = np.random.default_rng(0).integers(40, 200, (400, 64, 64), dtype=np.uint8)


def picture(number, finds=OTHER, day=143):
    """64x64 gray, different for every number; its corner says what is found: plane number, and brain's age in days."""
    pixels = np.kron(_TEXTURE[number % 400][::8, ::8], np.ones((8, 8), np.uint8))
    pixels[0, :3] = (finds, day - 98, number % 251)
    return pixels


def black():
    return np.zeros((64, 64), np.uint8)


def frame(index, pixels=None, *, fps=30.0, epoch=0, spacing_mm=4.0, captured_ns=None):
    return Frame(
        pixels=picture(index) if pixels is None else pixels,
        index=index,
        pts_seconds=index / fps,
        captured_ns=round(index / fps * 1e9) if captured_ns is None else captured_ns,
        epoch=epoch,
        spacing_mm=spacing_mm,
        spacing_from=None if spacing_mm is None else "source",
    )


def scores(pixels):
    """What the double finds: None where it says that the output is not finite."""
    finds, day = int(pixels[0, 0]), int(pixels[0, 1]) + 98
    if finds == NOT_FINITE:
        return None
    cosines = np.full(len(PLANES) + 1, 0.1)
    cosines[finds] = 0.2
    row = -(((GRID_DAYS - day) / 12.0) ** 2)
    return HeadOutputs(
        embedding=row.astype(np.float32),
        plane_cosines=cosines[:-1].astype(np.float32),
        subplane_cosines=np.array(SUBPLANE_COSINES, np.float32),
        other_cosine=float(cosines[-1]),
        gestation_row=None,
    )


def bank(spacing_mm):
    """Sentences that read the age back out of the double's vector."""
    return np.eye(175, dtype=np.float32) / 100


@dataclass
class Done:
    scores: list
    queue_ms: float = 0.5
    preprocess_ms: float = 1.0
    encode_ms: float = 2.0

    def wait(self, timeout_s):
        return True

    def result(self):
        return self.scores


@dataclass
class EncoderDouble:
    """Reads the corners; ``gate`` holds it up where a test wants a slow model."""

    batches: list = field(default_factory=list)
    gate: threading.Event | None = None
    batch: int = 8
    live_batches: int = 1

    def submit(self, items):
        if self.gate is not None:
            assert self.gate.wait(10)
        self.batches.append(len(items))
        return Done([scores(item.pixels) for item in items])


class ListSource:
    """Frames from a list; ``trouble`` is raised after them."""

    kind = "file"
    live = False
    masker = None
    status = SourceStatus()
    frames_expected = None
    rate_hz = 30.0
    identity = "0" * 64

    def __init__(self, frames, trouble=None):
        self.frames = list(frames)
        self.trouble = trouble
        self.warnings = []
        self.closed = False

    def __iter__(self):
        yield from self.frames
        if self.trouble is not None:
            raise self.trouble

    def resume(self):
        pass

    def close(self):
        self.closed = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@dataclass
class ListSink:
    messages: list = field(default_factory=list)
    previews: list = field(default_factory=list)
    clips: list = field(default_factory=list)

    def send(self, message, blob=None):
        self.messages.append(message)

    def preview(self, stream, exam, frame, pixels):
        self.previews.append((stream, frame.index, pixels))

    def clip(self, stream, cut):
        self.clips.append(cut)

    def of(self, kind, stream=None):
        return [m for m in self.messages if isinstance(m, kind) and stream in (None, m.stream)]

    def events(self, name=None):
        from fetalstream.pipeline.wire import Event

        return [m for m in self.of(Event) if name in (None, m.event)]
