"""CUDA's own features are used here: pinned memory, a copy stream beside the compute stream, events and graphs.

One thread uses all of it; only waiting for a batch may be done from any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

_WARM_UP_RUNS: Final = 3  # before a graph is captured: libraries choose their kernels and reserve memory in them


@dataclass(frozen=True, eq=False)
class _PinnedDownload:
    back: torch.Tensor
    begun: torch.cuda.Event
    done: torch.cuda.Event

    def numbers(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        self.done.synchronize()
        return self.back.numpy()

    @property
    def ms(self) -> float:
        return self.begun.elapsed_time(self.done)


class Cuda:
    """A CUDA device behind the protocol `pipeline.inference.device_stage.Device`; made by the thread that uses it."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        torch.cuda.set_device(device)
        self._copy = torch.cuda.Stream(device)
        self._compute = torch.cuda.Stream(device)
        self._pool: Any = torch.cuda.graph_pool_handle()
        # The weights were copied on the stream that is current by default.
        self._compute.wait_stream(torch.cuda.current_stream(device))

    def staging(self, size: int) -> torch.Tensor:
        # Torch caches pinned memory, and reuses it once the copies from it are done.
        return torch.empty(size, dtype=torch.uint8, pin_memory=True)

    def upload(self, staged: torch.Tensor) -> torch.Tensor:
        with torch.cuda.stream(self._copy):
            raw = staged.to(self.device, non_blocking=True)
            copied = self._copy.record_event()
        self._compute.wait_event(copied)
        raw.record_stream(self._compute)  # it belongs to the copy stream, which must not reuse it too soon
        return raw

    def computing(self) -> AbstractContextManager[object]:
        return torch.cuda.stream(self._compute)

    def captured(self, work: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        for _ in range(_WARM_UP_RUNS):
            work()
        self._compute.synchronize()
        graph = torch.cuda.CUDAGraph()
        # Other threads may encode sentences on the device meanwhile: only this thread's calls may break the capture.
        with torch.cuda.graph(graph, pool=self._pool, stream=self._compute, capture_error_mode="thread_local"):
            output = work()

        def replay() -> torch.Tensor:
            graph.replay()
            return output

        return replay

    def mark(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record(self._compute)
        return event

    def download(self, numbers: torch.Tensor, begun: Any) -> _PinnedDownload:
        # Queued on the compute stream, so that the next replay overwrites the graph's output only after this copy.
        back = torch.empty(numbers.shape, dtype=numbers.dtype, pin_memory=True)
        back.copy_(numbers, non_blocking=True)
        return _PinnedDownload(back, begun, self.mark())

    def free(self) -> None:
        torch.cuda.empty_cache()
