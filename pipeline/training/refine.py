"""Train the image tower of ``mini`` towards its own sentences: ``python -m fetalstream.pipeline.training.refine``.

The text tower is not changed, so that every sentence keeps its vector. Several processes draw phantom scans of their
own while they train, and average their weights every few steps. The learning rate follows the clock, so that the run
ends on time, however busy the machine is.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import platformdirs
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.loading import load_model
from fetalstream.pipeline.model.prompts import load_prompts
from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.pipeline.training import image_tower
from fetalstream.pipeline.training.concepts import TextConcepts
from fetalstream.pipeline.training.stills import TrainingStill, hc18_background, hc18_rows, hc18_still, phantom_stills
from fetalstream.pipeline.wire import OTHER
from fetalstream.streamer.phantom.tour import FIRST_TRAINING_SEED

FIRST_SEED: Final = FIRST_TRAINING_SEED + 10_000
LAST_SEED: Final = FIRST_TRAINING_SEED + 899_999  # from there on: validation, and what constants are fitted on
PER_SEED: Final = 5
_VALIDATION_SEEDS: Final = range(FIRST_TRAINING_SEED + 900_100, FIRST_TRAINING_SEED + 900_200)
_POOL: Final = 24_000  # stills that a process keeps, 37 kB each; the oldest make room
_FIRST_STILLS: Final = 2_000
_AVERAGE_EVERY: Final = 4
_SAVE_EVERY: Final = 200
_SENTENCES: Final = platformdirs.user_cache_path("fetalstream") / "sentences"
_SHARES: Final = (19, 18, 8, 2, 1)


@dataclass(frozen=True)
class WorkerTask:
    """Arguments that every training process gets.

    Attributes:
        hc18: folder of HC18.
        start: safetensors file to start from.
        out: safetensors file to write.
        minutes: length of the run.
        peak_rate: highest learning rate.
        fresh: stills drawn for each step.
        processes: number of processes.
        seed: seed of the run.
    """

    hc18: Path
    start: Path
    out: Path
    minutes: float
    peak_rate: float
    fresh: int
    processes: int
    seed: int


def main() -> None:
    """Train the image tower and print one line of validation metrics as JSON last."""
    parser = argparse.ArgumentParser(prog="python -m fetalstream.pipeline.training.refine", description=__doc__)
    parser.add_argument("--hc18", type=Path, required=True, help="folder with labels.csv and images/")
    parser.add_argument("--from", dest="start", type=Path, required=True, help="a safetensors file of mini")
    parser.add_argument("--out", type=Path, required=True, help="the safetensors file to write")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--peak-rate", type=float, default=1.5e-3)
    parser.add_argument("--fresh", type=int, default=8, help="stills drawn for each step")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    task = WorkerTask(**vars(parser.parse_args()))
    rendezvous = f"file://{task.out.resolve()}.meeting"
    Path(f"{task.out}.meeting").unlink(missing_ok=True)
    mp.spawn(_work, (task, rendezvous), nprocs=task.processes)  # pyright: ignore[reportPrivateImportUsage]
    Path(f"{task.out}.meeting").unlink(missing_ok=True)


def _work(rank: int, task: WorkerTask, rendezvous: str) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.manual_seed(task.seed)
    dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=task.processes)
    config = load_model_config("mini")
    loaded = load_model(config, weights=task.start, device="cpu", precision="fp32")
    concepts = TextConcepts(TextBanks(loaded, load_prompts(config.prompts_folder), _SENTENCES))
    clip = openclip.build(config.architecture, seed=0)
    clip.load_state_dict({name: value.float() for name, value in load_file(task.start).items()})
    tower = openclip.image_tower(clip).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    tower.requires_grad_(True)
    side = openclip.image_size(clip)
    mean, std = np.array(config.mean, np.float32), np.array(config.std, np.float32)
    rows = hc18_rows(task.hc18, validation=False)
    rng = np.random.default_rng((task.seed, rank))
    heads = [hc18_still(row) for row in rows]
    backgrounds = [hc18_background(row, rng) for row in rows for _ in range(2)]
    pool = Pool(_drawn_stills(rank, task), heads, backgrounds)
    pool.draw(_FIRST_STILLS)

    optimizer = torch.optim.AdamW(tower.parameters(), task.peak_rate, weight_decay=0.02)
    done, step, running, begun = 0.0, 0, 0.0, time.monotonic()
    while done < 1:
        tower.train()
        for group in optimizer.param_groups:
            group["lr"] = task.peak_rate * _rate(done)
        pool.draw(task.fresh)
        samples = pool.sources().batch(side, rng)
        features = functional.normalize(tower(image_tower.tensor_of(samples, mean, std)), dim=-1)
        loss = image_tower.loss_of(features, concepts, samples, image_tower.SCALE)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        running = 0.98 * running + 0.02 * loss.item() if step > 1 else loss.item()
        if step % _AVERAGE_EVERY == 0:
            done = _average_weights(tower, (time.monotonic() - begun) / 60 / task.minutes)
        if rank == 0 and step % 50 == 0:
            print(f"refine: step {step}, {100 * done:.0f}%, {pool.drawn} drawn, loss {running:.3f}", file=sys.stderr)
        if rank == 0 and step % _SAVE_EVERY == 0:
            _save(clip, task.out, {})
    _average_weights(tower, 1.0)
    if rank == 0:
        unseen = list(phantom_stills(_VALIDATION_SEEDS, PER_SEED))
        real = [hc18_still(row) for row in hc18_rows(task.hc18, validation=True)]
        figures = {
            "phantom": image_tower.score(tower, concepts, unseen, side, mean, std),
            "hc18": image_tower.score(tower, concepts, real, side, mean, std),
        }
        _save(clip, task.out, figures)
        print(json.dumps({"steps": step, "drawn": pool.drawn * task.processes, **figures}))


class Pool:
    """The newest ``_POOL`` stills drawn so far, beside fixed ones of HC18."""

    def __init__(
        self, drawing: Iterator[TrainingStill], heads: list[TrainingStill], backgrounds: list[TrainingStill]
    ) -> None:
        self.drawn = 0
        self._drawing, self._heads, self._backgrounds = drawing, heads, backgrounds
        self._planes: list[TrainingStill] = []
        self._others: list[TrainingStill] = []

    def draw(self, count: int) -> None:
        """Draw ``count`` more stills; in a full pool they replace the oldest."""
        for _ in range(count):
            still = next(self._drawing)
            kept = self._others if still.label == OTHER else self._planes
            if len(kept) < _POOL // 2:
                kept.append(still)
            else:
                kept[self.drawn % len(kept)] = still
            self.drawn += 1

    def sources(self) -> image_tower.Sources:
        """Return the stills that a batch is drawn from."""
        return image_tower.Sources(self._planes, self._others, self._heads, self._backgrounds, _SHARES)


def _drawn_stills(rank: int, task: WorkerTask) -> Iterator[TrainingStill]:
    span = (LAST_SEED + 1 - FIRST_SEED) // task.processes
    first = FIRST_SEED + rank * span + 40_000 * (task.seed - 1)
    yield from phantom_stills(range(first, FIRST_SEED + (rank + 1) * span), PER_SEED)


def _rate(done: float) -> float:
    """Return the relative learning rate: it rises in the first twentieth, then falls along a half cosine."""
    return done / 0.05 + 0.02 if done < 0.05 else 0.5 + 0.5 * math.cos(math.pi * (done - 0.05) / 0.95) + 1e-3


def _average_weights(tower: nn.Module, done: float) -> float:
    """Average the weights of all processes, and return the first process's share of the time."""
    tensors = [value for value in tower.state_dict().values() if value.is_floating_point()]
    flat = torch.cat([value.reshape(-1) for value in tensors])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    with torch.no_grad():
        start = 0
        for value in tensors:
            value.copy_(flat[start : start + value.numel()].view(value.shape))
            start += value.numel()
    clock = torch.tensor([done])
    dist.broadcast(clock, 0)
    return float(clock)


def _save(clip: nn.Module, out: Path, figures: dict[str, dict[str, float]]) -> None:
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in clip.state_dict().items()
    }
    save_file(state, out, metadata={"figures": json.dumps(figures)})


if __name__ == "__main__":
    main()
