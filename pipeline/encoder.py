"""Pictures to scores in batches: ``submit`` hands them to the device, ``result`` waits for the answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pipeline import openclip
from pipeline.heads import Heads, Scores, Vector
from pipeline.models import LoadedModel
from pipeline.preprocess import Pixels, Preprocess
from pipeline.textbank import TextBanks

__all__ = ["Encoder", "Item", "Pending", "Scores"]


@dataclass(frozen=True, eq=False)
class Item:
    """One picture to encode: uint8 ``(H, W)`` or ``(H, W, 3)``, already cropped to the sector.

    ``gestation_bank`` is (175, D) for the picture's spacing, or None where no age is asked for.
    """

    pixels: Pixels
    gestation_bank: Vector | None = None


class Pending:
    """A batch on its way through the device.

    Attributes:
        preprocess_ms: what making the inputs took on this side, for the whole batch.
        encode_ms: from handing the batch over to having its vectors; 0 until ``result`` returned.
    """

    def __init__(self, heads: Heads, items: Sequence[Item], vectors: torch.Tensor, started: _Times, done: Any) -> None:
        self._heads = heads
        self._banks = [item.gestation_bank for item in items]
        self._vectors = vectors
        self._started = started
        self._done = done
        self.preprocess_ms = started.preprocess_ms
        self.encode_ms = 0.0 if done is not None else started.since_ms()

    def result(self) -> list[Scores | None]:
        """Scores in the order of the items, None where the model's output is not finite; waits where it must."""
        if self._done is not None:
            self._done.synchronize()
            self._done = None
            self.encode_ms = self._started.since_ms()
        return self._heads.score(self._vectors.numpy(), self._banks)


class Encoder:
    """One model on one device; to be called from one thread.

    On a CPU ``submit`` computes at once. On CUDA it returns as soon as the work is queued on a stream of its own,
    so that the next batch can be prepared meanwhile.
    """

    def __init__(self, model: LoadedModel, banks: TextBanks) -> None:
        self._model = model
        self._heads = Heads(banks)
        # Interleaved channels are how pixels come, and convolutions are a fifth faster on them.
        tower: Any = openclip.image_tower(model.clip)
        self._tower = tower.to(memory_format=torch.channels_last)
        config = model.config
        self._preprocess = Preprocess(model.image_size, config.mean, config.std, model.device, model.dtype)
        self._stream = torch.cuda.Stream(model.device) if model.device.type == "cuda" else None
        if self._stream is not None:
            # The weights were copied on the other stream.
            self._stream.wait_stream(torch.cuda.current_stream(model.device))

    def submit(self, items: Sequence[Item]) -> Pending:
        """Encodes a batch of at least one picture."""
        if not items:
            raise ValueError("a batch needs at least one picture")
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            begun_ns = time.perf_counter_ns()
            inputs = torch.stack([self._preprocess(item.pixels).permute(1, 2, 0) for item in items]).permute(0, 3, 1, 2)
            started = _Times(begun_ns, time.perf_counter_ns())
            vectors = torch.nn.functional.normalize(self._tower(inputs).float(), dim=-1)
            if self._stream is None:
                return Pending(self._heads, items, vectors, started, None)
            # Pinned, so that the copy back does not hold up this thread.
            back = torch.empty(vectors.shape, dtype=vectors.dtype, pin_memory=True)
            back.copy_(vectors, non_blocking=True)
            return Pending(self._heads, items, back, started, self._stream.record_event())

    def warm_up(self, batch_sizes: Sequence[int] = (1,)) -> None:
        """Runs blank pictures of the model's size through, so that the first real one does not pay for set-up."""
        blank = np.zeros((self._model.image_size, self._model.image_size), dtype=np.uint8)
        for size in batch_sizes:
            self.submit([Item(blank)] * size).result()


@dataclass(frozen=True)
class _Times:
    begun_ns: int
    prepared_ns: int

    @property
    def preprocess_ms(self) -> float:
        return (self.prepared_ns - self.begun_ns) / 1e6

    def since_ms(self) -> float:
        return (time.perf_counter_ns() - self.prepared_ns) / 1e6
