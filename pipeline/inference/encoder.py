"""The encoder turns pictures into head outputs in batches: ``submit`` queues a batch, ``result`` waits for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from fetalstream.pipeline.errors import DeviceFault
from fetalstream.pipeline.inference.batching import SIZES, largest_size
from fetalstream.pipeline.inference.cpu_stage import CpuStage
from fetalstream.pipeline.inference.cuda import Cuda
from fetalstream.pipeline.inference.device_stage import DeviceStage
from fetalstream.pipeline.inference.stage import Encoded, Item, Launch, Stage
from fetalstream.pipeline.model.heads import HeadOutputs, Heads
from fetalstream.pipeline.model.loading import LoadedModel
from fetalstream.pipeline.model.textbank import TextBanks

__all__ = ["Encoder", "HeadOutputs", "Item", "Pending"]

CPU_BATCH: Final = 16
"""Pictures a batch on a CPU: larger batches are no faster, and their results come later."""


@dataclass(frozen=True, eq=False)
class _LaunchedParts:
    """A batch that was launched on the device, in one or more parts."""

    launches: list[Launch]
    queue_ms: float


class Pending:
    """A submitted batch whose outputs may not be ready yet. The times are 0 until ``result`` has returned.

    Attributes:
        queue_ms: time from submission until the device's thread took the batch.
        preprocess_ms: time that preprocessing took, for the whole batch.
        encode_ms: time from the inputs to the outputs, for the whole batch.
    """

    def __init__(self, launches: Future[_LaunchedParts], heads: Heads) -> None:
        self._launches = launches
        self._heads = heads
        self._scores: list[HeadOutputs | None] | None = None
        self.queue_ms = self.preprocess_ms = self.encode_ms = 0.0

    def wait(self, timeout_s: float) -> bool:
        """Wait at most ``timeout_s`` seconds for the batch to be launched; return whether it was."""
        try:
            self._launches.exception(timeout_s)
        except StillRunning:
            return False
        return True

    def result(self) -> list[HeadOutputs | None]:
        """Wait for the outputs in the order of the items; None for an item whose model output is not finite.

        Raises:
            DeviceFault: the device failed, and this process cannot use it any more.
        """
        if self._scores is None:
            begun = self._launches.result()
            parts = [_collected(launch) for launch in begun.launches]
            self.queue_ms = begun.queue_ms
            self._scores = [score for part in parts for score in self._outputs_of(part)]
            self.preprocess_ms = sum(part.preprocess_ms for part in parts)
            self.encode_ms = sum(part.encode_ms for part in parts)
        return self._scores

    def _outputs_of(self, part: Encoded) -> list[HeadOutputs | None]:
        return self._heads.outputs_from_products(part.embeddings, part.cosines, part.rows)


class Encoder:
    """One model on one device, run by a thread of its own, since a CUDA graph is bound to its thread.

    ``submit`` returns immediately. Batches run in order, and the next one can be submitted before the one before has
    been collected, so that the device does not wait.

    Args:
        model: the model, on its device.
        banks: text vectors of the planes.
        stage: runs the batches; by default the stage for the model's device.

    Attributes:
        live_batches: number of batches to keep in flight if results must be fresh. On a CPU 1: frames of a second
            batch would be old by the time it runs. On CUDA 2: batches are short, and copies overlap with them.
    """

    def __init__(self, model: LoadedModel, banks: TextBanks, stage: Stage | None = None) -> None:
        self._heads = Heads(banks)
        on_cuda = model.device.type == "cuda"
        self._image_size = model.image_size
        self._most = SIZES[-1] if on_cuda else CPU_BATCH
        self._picture_seconds: float | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._stage = stage or self._thread.submit(_stage_of, model, self._heads).result()
        self.live_batches = 2 if on_cuda else 1

    @property
    def batch(self) -> int:
        """Largest useful batch now, judged by the speed of the last ones."""
        return largest_size(self._picture_seconds, self._most)

    def submit(self, items: Sequence[Item]) -> Pending:
        """Queue a batch of at least one picture; it is split if it is larger than the device takes.

        Raises:
            ValueError: there are no items.
        """
        if not items:
            raise ValueError("a batch needs at least one picture")
        return Pending(self._thread.submit(self._run, list(items), time.perf_counter()), self._heads)

    def warm_up(self, batch_sizes: Sequence[int] = ()) -> None:
        """Encode blank pictures of the model's size, so that the first real one does not pay for set-up.

        Args:
            batch_sizes: by default one picture, and on CUDA every fixed size.
        """
        blank = np.zeros((self._image_size, self._image_size), dtype=np.uint8)
        for size in batch_sizes or (SIZES if self.live_batches > 1 else (1,)):
            self.submit([Item(blank)] * size).result()

    # The device's thread -----------------------------------------------------------------------------------------

    def _run(self, items: list[Item], submitted_s: float) -> _LaunchedParts:
        begun_s = time.perf_counter()
        launches = [self._launched(items[at : at + SIZES[-1]]) for at in range(0, len(items), SIZES[-1])]
        if self._stage.synchronous:
            self._picture_seconds = (time.perf_counter() - begun_s) / len(items)
        return _LaunchedParts([launch for part in launches for launch in part], (begun_s - submitted_s) * 1e3)

    def _launched(self, items: list[Item]) -> list[Launch]:
        try:
            return [self._stage.launch(items)]
        except torch.OutOfMemoryError:
            pass
        except Exception as error:
            raise self._fault(error) from error
        # Outside the except block: the error holds the stack frames of the failed call, and they hold its tensors.
        self._stage.free()
        half = (len(items) + 1) // 2
        self._most = min(self._most, half)
        try:
            return [self._stage.launch(part) for part in (items[:half], items[half:]) if part]
        except Exception as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> Exception:
        """Classify a failed call: on a CPU it is a bug of ours, on a device the device is lost to this process."""
        if isinstance(error, torch.OutOfMemoryError):
            return DeviceFault("the device has too little memory even for half a batch; free some, or use --device cpu")
        return error if self._stage.synchronous else _device_fault(error)


def _stage_of(model: LoadedModel, heads: Heads) -> Stage:
    if model.device.type == "cuda":
        return DeviceStage(model, heads, Cuda(model.device))
    return CpuStage(model, heads)


def _collected(launch: Launch) -> Encoded:
    try:
        return launch.collect()
    except RuntimeError as error:  # a device reports its failure at the next call
        raise _device_fault(error) from error


def _device_fault(error: Exception) -> DeviceFault:
    message = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return DeviceFault(f"the device failed ({message}); the engine must be started again")
