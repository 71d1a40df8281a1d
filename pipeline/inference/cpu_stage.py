"""The CPU stage resizes each picture as bytes and runs the image tower on the whole batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch

from fetalstream.pipeline.inference.stage import Encoded, Item
from fetalstream.pipeline.model.heads import Heads
from fetalstream.pipeline.model.loading import LoadedModel
from fetalstream.pipeline.model.preprocess import Preprocess
from fetalstream.pipeline.model.tower import fast_tower

SMALL_PARAMETERS: Final = 5_000_000
"""Image towers up to this size run on one thread: several would wait for each other at every small layer, and take the
core that decodes. Measured with ``mini`` (2.6 million) and MobileFetalCLIP's (11 million), which gains from a second.
"""


@dataclass(frozen=True, eq=False)
class _CompletedBatch:
    encoded: Encoded

    def collect(self) -> Encoded:
        return self.encoded


class CpuStage:
    """Computes a batch when it is launched; see `pipeline.inference.stage.Stage`.

    For an image tower of at most `SMALL_PARAMETERS`, making a stage limits torch to one thread in the whole process.
    Torch has no narrower setting: the count holds for all later operators of every thread, and setting it around each
    batch would stop and start the pool of threads. Processes that run a model do little else with torch.

    Args:
        model: a model on the CPU.
        heads: the text vectors that pictures are compared with.
    """

    synchronous = True

    def __init__(self, model: LoadedModel, heads: Heads) -> None:
        self._heads = heads
        self._tower = fast_tower(model)
        if sum(weight.numel() for weight in self._tower.parameters()) <= SMALL_PARAMETERS:
            torch.set_num_threads(1)
        config = model.config
        self._preprocess = Preprocess(model.image_size, config.mean, config.std, model.device, model.dtype)

    @torch.inference_mode()
    def launch(self, items: Sequence[Item]) -> _CompletedBatch:
        begun_s = time.perf_counter()
        inputs = torch.stack([self._preprocess(item.pixels).permute(1, 2, 0) for item in items]).permute(0, 3, 1, 2)
        prepared_s = time.perf_counter()
        vectors = torch.nn.functional.normalize(self._tower(inputs).float(), dim=-1).numpy()
        cosines, rows = self._heads.products(vectors, [item.gestation_bank for item in items])
        done_s = time.perf_counter()
        return _CompletedBatch(
            Encoded(vectors, cosines, rows, (prepared_s - begun_s) * 1e3, (done_s - prepared_s) * 1e3)
        )

    def free(self) -> None:
        """Do nothing: the CPU caches no memory."""
