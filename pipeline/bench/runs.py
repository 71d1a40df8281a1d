"""Throughput is measured of the encoder alone and of the whole pipeline, and the cost of all but the encoder."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.engine import Encoding, Engine, PendingBatch
from fetalstream.pipeline.engine.stream_runner import make_stream
from fetalstream.pipeline.inference.encoder import HeadOutputs, Item
from fetalstream.pipeline.keyframes.clip_buffer import Cut
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.model.heads import Heads
from fetalstream.pipeline.model.preprocess import Preprocess
from fetalstream.pipeline.model.textbank import Vectors
from fetalstream.pipeline.stream.probabilities import BankLookup
from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.sources import Source

BATCH = 8
"""Pictures a batch if the encoder is measured alone."""

_FRAMES_FOR_COST = 300


class CountingSink:
    """A sink that encodes each message as a publisher would, and keeps latencies and counts of readings."""

    def __init__(self) -> None:
        self.totals_ms: list[float] = []
        self.by_stream: dict[str, int] = {}
        self.dropped: dict[str, int] = {}

    def send(self, message: wire.Message, blob: bytes | None = None) -> None:  # noqa: ARG002 - a sink's
        wire.encode(message)
        if isinstance(message, wire.Reading) and not message.reused:
            self.by_stream[message.stream] = self.by_stream.get(message.stream, 0) + 1
            self.dropped[message.stream] = message.dropped
            if message.latency_ms.total is not None:
                self.totals_ms.append(message.latency_ms.total)

    def preview(self, stream: str, exam: str, frame: wire.FrameInfo, pixels: Pixels) -> None: ...

    def clip(self, stream: str, cut: Cut) -> None: ...


class TimedEncoder:
    """An encoder that adds up the encoding time of its batches and their number of pictures."""

    def __init__(self, encoder: Encoding) -> None:
        self._encoder = encoder
        self.live_batches = encoder.live_batches
        self.encode_ms = 0.0
        self.images = 0

    @property
    def batch(self) -> int:
        return self._encoder.batch

    def submit(self, items: Sequence[Item]) -> PendingBatch:
        self.images += len(items)
        return _TimedBatch(self._encoder.submit(items), self)


class _TimedBatch:
    def __init__(self, pending: PendingBatch, watch: TimedEncoder) -> None:
        self._pending = pending
        self._watch = watch
        self.queue_ms = self.preprocess_ms = self.encode_ms = 0.0

    def wait(self, timeout_s: float) -> bool:
        return self._pending.wait(timeout_s)

    def result(self) -> list[HeadOutputs | None]:
        scores = self._pending.result()
        self.queue_ms = self._pending.queue_ms
        self.preprocess_ms, self.encode_ms = self._pending.preprocess_ms, self._pending.encode_ms
        self._watch.encode_ms += self.encode_ms
        return scores


class EncoderWithoutTower:
    """An encoder that prepares the pictures and computes head outputs, of a constant vector instead of the tower's."""

    batch = BATCH
    live_batches = 1

    def __init__(self, pipeline: LoadedPipeline) -> None:
        model = pipeline.model
        config = model.config
        self._preprocess = Preprocess(model.image_size, config.mean, config.std, model.device, model.dtype)
        self._heads = Heads(pipeline.banks)
        width = pipeline.banks.planes.shape[1]
        self._vector = np.full(width, width**-0.5, np.float32)

    def submit(self, items: Sequence[Item]) -> PendingBatch:
        for item in items:
            self._preprocess(item.pixels)
        return _BatchWithoutTower(self._heads, np.stack([self._vector] * len(items)), items)


class _BatchWithoutTower:
    """A batch whose vectors are known from the start; the heads run in ``result``, as for a real batch."""

    def __init__(self, heads: Heads, vectors: Vectors, items: Sequence[Item]) -> None:
        self._heads = heads
        self._vectors = vectors
        self._banks = [item.gestation_bank for item in items]
        self.queue_ms = self.preprocess_ms = self.encode_ms = 0.0

    def wait(self, timeout_s: float) -> bool:  # noqa: ARG002 - the vectors are there
        return True

    def result(self) -> list[HeadOutputs | None]:
        return self._heads.outputs(self._vectors, self._banks)


class TimeLimited:
    """A source that ends after a given time."""

    def __init__(self, source: Source, seconds: float) -> None:
        self._source, self._seconds = source, seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def __iter__(self) -> Iterator[Frame]:
        end_s = time.perf_counter() + self._seconds
        for frame in self._source:
            yield frame
            if time.perf_counter() >= end_s:
                return


def encoder_fps(pipeline: LoadedPipeline, pictures: list[Pixels], seconds: float, batch: int = BATCH) -> float:
    """Measure pictures a second of the encoder alone: full batches one after another, without preprocessing."""
    watch = TimedEncoder(pipeline.encoder)
    begun_s = time.perf_counter()
    start = 0
    while not start or time.perf_counter() - begun_s < seconds:
        items = [Item(pictures[(start + place) % len(pictures)]) for place in range(batch)]
        watch.submit(items).result()
        start += batch
    return watch.images / (watch.encode_ms / 1000)


def pipeline_fps(pipeline: LoadedPipeline, source: Source, bank: BankLookup, seconds: float) -> tuple[float, float]:
    """Measure frames a second of the whole pipeline on every frame of a source, and the encoder's share of the time."""
    sink, watch = CountingSink(), TimedEncoder(pipeline.encoder)
    timed: Any = TimeLimited(source, seconds)
    stream = make_stream(timed, "stream-1", "bench", pipeline.model_info, bank, every_frame=True)
    begun_s = time.perf_counter()
    Engine(watch, [stream], sink).run()
    took_s = time.perf_counter() - begun_s
    return sink.by_stream["stream-1"] / took_s, watch.encode_ms / 1000 / took_s


def overhead_cpu_ms(
    pipeline: LoadedPipeline, source: Source, bank: BankLookup, frames: int = _FRAMES_FOR_COST
) -> float:
    """Measure processor time a frame (ms) of all but decoding and the encoder; ``source`` gives ``frames`` frames."""
    sink = CountingSink()
    stream = make_stream(source, "stream-1", "bench", pipeline.model_info, bank, every_frame=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # idle threads of torch that spin during preprocessing would count as work
    try:
        begun_s = time.process_time()
        Engine(EncoderWithoutTower(pipeline), [stream], sink).run()
        return (time.process_time() - begun_s) * 1000 / frames
    finally:
        torch.set_num_threads(threads)
