"""The device stage uploads raw bytes, computes everything on the accelerator, and downloads one small tensor.

The computation is the same on every device, and is tested on a CPU; what only an accelerator has (streams, pinned
memory, graphs) is behind `Device`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import torch

from fetalstream.pipeline.inference.bank_pool import BankPool
from fetalstream.pipeline.inference.batching import padded_size
from fetalstream.pipeline.inference.device_resize import DeviceResize
from fetalstream.pipeline.inference.stage import Encoded, Item
from fetalstream.pipeline.model.heads import LOGIT_SCALE, Heads
from fetalstream.pipeline.model.loading import LoadedModel
from fetalstream.pipeline.model.tower import fast_tower
from fetalstream.pipeline.readout.gestation import GRID_DAYS

POOL_BANKS: Final = 16
"""Spacings whose banks are on the device at once: more than the streams of a department use."""


class Download(Protocol):
    """Numbers that are being copied back; ``ms``: how long the device computed, known once they are there."""

    def numbers(self) -> np.ndarray[Any, np.dtype[np.float32]]: ...
    @property
    def ms(self) -> float: ...


class Device(Protocol):
    """The operations that each kind of device does in its own way."""

    @property
    def device(self) -> torch.device: ...
    def staging(self, size: int) -> torch.Tensor:
        """Return ``size`` bytes of host memory that the device can copy from."""
        ...

    def upload(self, staged: torch.Tensor) -> torch.Tensor:
        """Copy staged bytes to the device, while it goes on computing."""
        ...

    def computing(self) -> AbstractContextManager[object]:
        """Return a context in which all computations are queued, in order."""
        ...

    def captured(self, work: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        """Make ``work`` fast to repeat; the addresses of its inputs and output stay the same."""
        ...

    def download(self, numbers: torch.Tensor, begun: object) -> Download:
        """Copy ``numbers`` to the host once they are computed; later batches may overwrite them after that."""
        ...

    def mark(self) -> object:
        """Record this moment in the order of computations."""
        ...

    def free(self) -> None:
        """Release memory that is only cached."""
        ...


@dataclass(frozen=True)
class ShapeGroup:
    """Pictures of one shape in a batch: ``items`` are their indices in the batch, in order."""

    shape: tuple[int, ...]
    items: tuple[int, ...]


def group_by_shape(shapes: Sequence[tuple[int, ...]]) -> list[ShapeGroup]:
    """Group pictures by shape, so that each shape is resized in one step; the order within a shape stays."""
    found: dict[tuple[int, ...], list[int]] = {}
    for number, shape in enumerate(shapes):
        found.setdefault(shape, []).append(number)
    return [ShapeGroup(shape, tuple(items)) for shape, items in found.items()]


@dataclass(frozen=True, eq=False)
class _Launched:
    download: Download
    order: list[int]  # row on the device of each item
    dated: list[bool]
    dim: int
    preprocess_ms: float

    def collect(self) -> Encoded:
        rows = self.download.numbers()[self.order]
        embeddings, cosines, days = np.split(rows, (self.dim, rows.shape[1] - GRID_DAYS.size), axis=1)
        ages = [day if dated else None for day, dated in zip(days, self.dated, strict=True)]
        return Encoded(embeddings, cosines, ages, self.preprocess_ms, self.download.ms)


class DeviceStage:
    """Queues a batch when it is launched; see `pipeline.inference.stage.Stage`.

    Args:
        model: a model on the device.
        heads: the text vectors that pictures are compared with.
        device: the device's own operations.
    """

    synchronous = False

    def __init__(self, model: LoadedModel, heads: Heads, device: Device) -> None:
        config, where = model.config, device.device
        self._device = device
        self._dtype = model.dtype
        self._dim, self._side = heads.texts.shape[0], model.image_size
        with device.computing():
            self._tower = fast_tower(model)
            self._texts = torch.from_numpy(heads.texts).to(where)
            self._pool = BankPool(POOL_BANKS, self._dim, where)
            self._resize = DeviceResize(model.image_size, config.mean, config.std, where)
        self._batches: dict[int, _Batch] = {}

    def launch(self, items: Sequence[Item]) -> _Launched:
        begun_s = time.perf_counter()
        groups = group_by_shape([item.pixels.shape for item in items])
        raw = self._device.upload(self._staged(items, groups))
        with torch.inference_mode(), self._device.computing():
            batch = self._batch(padded_size(len(items)))
            slots = self._pool.slots([item.gestation_bank for item in items])
            started = self._device.mark()
            self._fill(batch, raw, groups, slots)
            preprocess_ms = (time.perf_counter() - begun_s) * 1e3
            download = self._device.download(batch.run()[: len(items)], started)
        rows = [number for group in groups for number in group.items]
        order = [rows.index(number) for number in range(len(items))]
        return _Launched(download, order, [slot is not None for slot in slots], self._dim, preprocess_ms)

    def free(self) -> None:
        self._batches.clear()
        self._device.free()

    def _staged(self, items: Sequence[Item], groups: list[ShapeGroup]) -> torch.Tensor:
        """Copy all pixels into one staging buffer, one byte a gray pixel and three a colour pixel."""
        staged = self._device.staging(sum(item.pixels.size for item in items))
        into, at = staged.numpy(), 0
        for group in groups:
            for number in group.items:
                pixels = items[number].pixels
                into[at : at + pixels.size].reshape(pixels.shape)[...] = pixels
                at += pixels.size
        return staged

    def _fill(self, batch: _Batch, raw: torch.Tensor, groups: list[ShapeGroup], slots: list[int | None]) -> None:
        at = row = 0
        for group in groups:
            count = len(group.items)
            size = count * int(np.prod(group.shape))
            pictures = raw[at : at + size].reshape(count, *group.shape)
            batch.inputs[row : row + count] = self._resize(pictures)
            at, row = at + size, row + count
        own_slots = [slots[number] or 0 for group in groups for number in group.items]
        batch.slots[: len(own_slots)] = torch.tensor(own_slots, dtype=torch.int64).to(
            batch.slots.device, non_blocking=True
        )

    def _batch(self, size: int) -> _Batch:
        if size not in self._batches:
            side, where = self._side, self._device.device
            inputs = torch.zeros((size, 3, side, side), dtype=self._dtype, device=where)
            slots = torch.zeros(size, dtype=torch.int64, device=where)
            run = self._device.captured(lambda: self._products(inputs, slots))
            self._batches[size] = _Batch(inputs, slots, run)
        return self._batches[size]

    def _products(self, inputs: torch.Tensor, slots: torch.Tensor) -> torch.Tensor:
        """Compute (N, D + L + 175): unit vectors, cosines with the labels, the age row of each picture's spacing."""
        vectors = torch.nn.functional.normalize(self._tower(inputs).float(), dim=-1)
        days = (vectors @ self._pool.texts.T).reshape(len(vectors), POOL_BANKS, GRID_DAYS.size)
        own = days[torch.arange(len(vectors), device=slots.device), slots]
        return torch.cat([vectors, vectors @ self._texts, LOGIT_SCALE * own], dim=1)


@dataclass(frozen=True, eq=False)
class _Batch:
    """Buffers of one batch size: ``run`` reads ``inputs`` (N, 3, S, S) and ``slots`` (N,)."""

    inputs: torch.Tensor
    slots: torch.Tensor
    run: Callable[[], torch.Tensor]
