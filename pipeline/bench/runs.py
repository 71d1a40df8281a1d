"""What the product does in a second: the encoder alone, the whole pipeline, and what all but the encoder costs."""

from __future__ import annotations

import copy
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
from fetalstream.pipeline.stream.probabilities import BankLookup
from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.sources import Source

BATCH = 8
"""Pictures a batch where the encoder is measured alone."""

_FRAMES_FOR_COST = 300


class Counting:
    """A sink that encodes each message as a publisher would, and keeps how long readings took and what was dropped."""

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


class Stopwatch:
    """An encoder that adds up how long its batches were being encoded, and how many pictures they held."""

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
        return _Timed(self._encoder.submit(items), self)


class _Timed:
    def __init__(self, pending: PendingBatch, watch: Stopwatch) -> None:
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


class NoTower:
    """Everything that an encoder does but for the model: prepares the pictures, and scores vectors of its own."""

    batch = BATCH
    live_batches = 1

    def __init__(self, ready: LoadedPipeline) -> None:
        self.queue_ms = self.preprocess_ms = self.encode_ms = 0.0
        model = ready.model
        config = model.config
        self._preprocess = Preprocess(model.image_size, config.mean, config.std, model.device, model.dtype)
        self._heads = Heads(ready.banks)
        width = ready.banks.planes.shape[1]
        self._vector = np.full(width, width**-0.5, np.float32)
        self._items: Sequence[Item] = ()

    def submit(self, items: Sequence[Item]) -> NoTower:
        for item in items:
            self._preprocess(item.pixels)
        pending = copy.copy(self)  # several may be on the way
        pending._items = items
        return pending

    def wait(self, timeout_s: float) -> bool:  # noqa: ARG002 - it is there at once
        return True

    def result(self) -> list[HeadOutputs | None]:
        vectors = np.stack([self._vector] * len(self._items))
        return self._heads.score(vectors, [item.gestation_bank for item in self._items])


class Until:
    """A source's frames until the time is over."""

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


def encoder_fps(ready: LoadedPipeline, pictures: list[Pixels], seconds: float, batch: int = BATCH) -> float:
    """Pictures a second of the encoder alone: full batches one after another, without preparing them."""
    watch = Stopwatch(ready.encoder)
    begun_s = time.perf_counter()
    start = 0
    while not start or time.perf_counter() - begun_s < seconds:
        items = [Item(pictures[(start + place) % len(pictures)]) for place in range(batch)]
        watch.submit(items).result()
        start += batch
    return watch.images / (watch.encode_ms / 1000)


def pipeline_fps(ready: LoadedPipeline, source: Source, bank: BankLookup, seconds: float) -> tuple[float, float]:
    """Frames a second of the whole pipeline, every frame of a source; and the encoder's share of the time (0 to 1)."""
    sink, watch = Counting(), Stopwatch(ready.encoder)
    timed: Any = Until(source, seconds)
    stream = make_stream(timed, "stream-1", "bench", ready.model_info, bank, every_frame=True)
    begun_s = time.perf_counter()
    Engine(watch, [stream], sink).run()
    took_s = time.perf_counter() - begun_s
    return sink.by_stream["stream-1"] / took_s, watch.encode_ms / 1000 / took_s


def overhead_cpu_ms(ready: LoadedPipeline, source: Source, bank: BankLookup, frames: int = _FRAMES_FOR_COST) -> float:
    """Processor time a frame of everything but decoding and the encoder, ms; ``source`` gives so many from memory."""
    sink = Counting()
    stream = make_stream(source, "stream-1", "bench", ready.model_info, bank, every_frame=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # others, waiting for a turn at preparing a picture, would count as work
    try:
        begun_s = time.process_time()
        Engine(NoTower(ready), [stream], sink).run()
        return (time.process_time() - begun_s) * 1000 / frames
    finally:
        torch.set_num_threads(threads)
