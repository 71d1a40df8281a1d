"""Trains the image tower of ``mini`` against a table of concepts: planes, subplanes, and a curve of head sizes."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.training.augment import Sample, augment, clutter, plain
from pipeline.training.stills import Still

SCALE: Final = 100.0  # the constant that zero-shot scores are multiplied with
# Head circumference at the model's input, pixels: from a small head in a wide view to one that overfills it.
SMALLEST_HEAD_PX: Final = 40.0
LARGEST_HEAD_PX: Final = 520.0
_SIZE_STEPS: Final = 161
_SIZE_SPREAD: Final = 0.02  # of the soft target, in log size: about two days at mid-pregnancy


class Concepts(nn.Module):
    """What sentences will mean: unit vectors for planes (with "other" last), subplanes, and head sizes."""

    def __init__(self, planes: Sequence[str], subplanes: Sequence[str], dim: int) -> None:
        super().__init__()
        self.planes, self.subplanes = list(planes), list(subplanes)
        self.plane_table = nn.Parameter(torch.randn(len(planes), dim))
        self.subplane_table = nn.Parameter(torch.randn(len(subplanes), dim))
        self.size_curve = nn.Sequential(nn.Linear(24, 128), nn.GELU(), nn.Linear(128, dim))

    def plane_vectors(self) -> Tensor:
        """``(P, D)``."""
        return functional.normalize(self.plane_table, dim=-1)

    def subplane_vectors(self) -> Tensor:
        """``(S, D)``."""
        return functional.normalize(self.subplane_table, dim=-1)

    def size_vectors(self, head_px: Tensor) -> Tensor:
        """``(N, D)`` for head circumferences ``(N,)`` in pixels of the input; clipped to the curve's ends."""
        low, high = math.log(SMALLEST_HEAD_PX), math.log(LARGEST_HEAD_PX)
        t = ((head_px.log() - low) / (high - low)).clamp(0, 1)[:, None]
        waves = t * math.pi * torch.arange(1, 13)
        return functional.normalize(self.size_curve(torch.cat((waves.sin(), waves.cos()), dim=1)), dim=-1)

    def size_grid(self) -> Tensor:
        """``(161,)`` head circumferences, pixels, evenly spaced in the logarithm."""
        return torch.linspace(math.log(SMALLEST_HEAD_PX), math.log(LARGEST_HEAD_PX), _SIZE_STEPS).exp()


@dataclass(frozen=True)
class Sources:
    """Where samples come from, and how many of each a batch holds (the last: drawn clutter)."""

    planes: Sequence[Still]
    others: Sequence[Still]
    heads: Sequence[Still]
    backgrounds: Sequence[Still]
    shares: tuple[int, int, int, int, int] = (25, 24, 11, 2, 2)

    def batch(self, side: int, rng: np.random.Generator) -> list[Sample]:
        """One mixed batch of augmented samples."""
        samples: list[Sample] = []
        for stills, count in zip((self.planes, self.others, self.heads, self.backgrounds), self.shares, strict=False):
            if stills:
                samples += [augment(stills[int(i)], side, rng) for i in rng.integers(0, len(stills), count)]
        return samples + [clutter(side, rng) for _ in range(self.shares[4])]


def tensor_of(samples: Sequence[Sample], mean: npt.NDArray[np.float32], std: npt.NDArray[np.float32]) -> Tensor:
    """Normalised input ``(N, 3, S, S)``, channels last."""
    gray = torch.from_numpy(np.stack([s.picture for s in samples]))[:, None]
    rgb = (gray - torch.from_numpy(mean)[:, None, None]) / torch.from_numpy(std)[:, None, None]
    return rgb.contiguous(memory_format=torch.channels_last)


def loss_of(features: Tensor, concepts: Concepts, samples: Sequence[Sample], scale: float) -> Tensor:
    """Cross entropy over planes, subplanes and head sizes, each where it is known."""
    labels = torch.tensor([concepts.planes.index(s.label) for s in samples])
    loss = functional.cross_entropy(scale * features @ concepts.plane_vectors().T, labels, label_smoothing=0.03)
    brains = [i for i, s in enumerate(samples) if s.subplane is not None]
    if brains:
        kinds = torch.tensor([concepts.subplanes.index(samples[i].subplane or "") for i in brains])
        rows = scale * features[brains] @ concepts.subplane_vectors().T
        loss = loss + 0.8 * functional.cross_entropy(rows, kinds, label_smoothing=0.03)
    heads = [i for i, s in enumerate(samples) if s.head_px is not None]
    if heads:
        sizes = torch.tensor([samples[i].head_px or 0.0 for i in heads], dtype=torch.float32)
        grid = concepts.size_grid()
        off = (grid.log()[None] - sizes.log()[:, None]) / _SIZE_SPREAD
        target = functional.softmax(-0.5 * off**2, dim=1)
        rows = scale * features[heads] @ concepts.size_vectors(grid).T
        loss = loss + 0.7 * functional.cross_entropy(rows, target)
    return loss


def train(
    tower: nn.Module, concepts: Concepts, sources: Sources, side: int, mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32], *, steps: int, seed: int, peak_rate: float,
) -> None:  # fmt: skip
    """Trains in place, one cycle of learning rate, progress on standard error."""
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW([*tower.parameters(), *concepts.parameters()], peak_rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak_rate, steps, pct_start=0.15)
    started, running = time.monotonic(), 0.0
    for step in range(steps):
        tower.train()
        samples = sources.batch(side, rng)
        features = functional.normalize(tower(tensor_of(samples, mean, std)), dim=-1)
        # The scores' scale grows to its final value: at 100 from the start the first steps would saturate.
        loss = loss_of(features, concepts, samples, SCALE * min(1.0, 0.25 + 2.5 * step / steps))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        running = 0.97 * running + 0.03 * loss.item() if step else loss.item()
        if step % 50 == 49 or step == steps - 1:
            left = (time.monotonic() - started) / (step + 1) * (steps - step - 1) / 60
            print(f"image tower: step {step + 1}/{steps}, loss {running:.3f}, {left:.0f} min left", file=sys.stderr)


@torch.no_grad()
def score(
    tower: nn.Module, concepts: Concepts, stills: Sequence[Still], side: int, mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32],
) -> dict[str, float]:  # fmt: skip
    """Accuracy over planes with "other", over subplanes, and median relative error of head size."""
    tower.eval()
    grid = concepts.size_grid()
    curve = concepts.size_vectors(grid)
    hits, kinds, errors = [], [], []
    for start in range(0, len(stills), 32):
        samples = [plain(s, side) for s in stills[start : start + 32]]
        features = functional.normalize(tower(tensor_of(samples, mean, std)), dim=-1)
        named = (features @ concepts.plane_vectors().T).argmax(1).tolist()
        sub = (features @ concepts.subplane_vectors().T).argmax(1).tolist()
        top = (features @ curve.T).topk(7, dim=1).indices.float().median(1).values.long()
        for i, s in enumerate(samples):
            hits.append(concepts.planes[named[i]] == s.label)
            if s.subplane:
                kinds.append(concepts.subplanes[sub[i]] == s.subplane)
            if s.head_px:
                errors.append(abs(math.log(float(grid[top[i]]) / s.head_px)))
    return {
        "planes": float(np.mean(hits)),
        "subplanes": float(np.mean(kinds)) if kinds else math.nan,
        "head_size_error": float(np.median(errors)) if errors else math.nan,
    }
