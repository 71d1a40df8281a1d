"""Pictures to scores in batches: ``submit`` hands them to the device's own thread, ``result`` waits for the answer."""

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
"""Pictures a batch on a CPU: beyond this it gains nothing and results only come later."""


@dataclass(frozen=True, eq=False)
class _LaunchedParts:
    """A batch that the device has taken, in parts."""

    launches: list[Launch]
    queue_ms: float


class Pending:
    """A batch on its way through the device.

    Attributes:
        queue_ms: from its submission until the device took it; 0 until ``result`` returned.
        preprocess_ms: what making the inputs took, for the whole batch, likewise.
        encode_ms: from then to having the vectors, likewise.
    """

    def __init__(self, launches: Future[_LaunchedParts], heads: Heads) -> None:
        self._launches = launches
        self._heads = heads
        self._scores: list[HeadOutputs | None] | None = None
        self.queue_ms = self.preprocess_ms = self.encode_ms = 0.0

    def wait(self, timeout_s: float) -> bool:
        """Wait at most so long for ``result`` to have an answer; whether it has one."""
        try:
            self._launches.exception(timeout_s)
        except StillRunning:
            return False
        return True

    def result(self) -> list[HeadOutputs | None]:
        """Scores in the order of the items, None where the model's output is not finite; waits where it must.

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
    """One model on one device, which one thread of its own works with: a CUDA graph is bound to its thread.

    ``submit`` returns at once. Batches are worked off in order, and the next one can be handed over before the
    one before has been collected, so that the device does not wait.

    Args:
        model: which, and on what device.
        banks: sentences of the planes.
        stage: that does the work; by default the one for the model's device.

    Attributes:
        live_batches: batches worth having on the way where results must be fresh. On a CPU one: a second would take
            its frames long before they are looked at. On CUDA two: batches are short, and copies overlap with them.
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
        """Most pictures that a batch should have now, as fast as the last ones went."""
        return largest_size(self._picture_seconds, self._most)

    def submit(self, items: Sequence[Item]) -> Pending:
        """Encodes a batch of at least one picture; more than the device takes at once go in parts."""
        if not items:
            raise ValueError("a batch needs at least one picture")
        return Pending(self._thread.submit(self._run, list(items), time.perf_counter()), self._heads)

    def warm_up(self, batch_sizes: Sequence[int] = ()) -> None:
        """Runs blank pictures of the model's size through, so that the first real one does not pay for set-up.

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
        # Outside the except block: the error holds the stack of the failed call, and that its tensors.
        self._stage.free()
        half = (len(items) + 1) // 2
        self._most = min(self._most, half)
        try:
            return [self._stage.launch(part) for part in (items[:half], items[half:]) if part]
        except Exception as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> Exception:
        """What a failed call means: on a CPU a mistake of ours, on a device that it is lost to this process."""
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
    except RuntimeError as error:  # where a device fails, it is told at the next thing that is asked of it
        raise _device_fault(error) from error


def _device_fault(error: Exception) -> DeviceFault:
    said = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return DeviceFault(f"the device failed ({said}); the engine must be started again")
