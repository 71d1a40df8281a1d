"""The image tower of ``mini`` is trained towards concept vectors: planes, subplanes, and a curve of head sizes."""

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

from fetalstream.pipeline.training.augment import Sample, augment, clutter, plain
from fetalstream.pipeline.training.concepts import ConceptVectors, size_grid
from fetalstream.pipeline.training.stills import TrainingStill

SCALE: Final = 100.0  # factor of zero-shot scores
_SIZE_SPREAD: Final = 0.02  # of the soft target, in log size: about two days at mid-pregnancy
LEAD_PER_PLANE_DISTANCE: Final = 12.0
"""Log odds of "a standard plane" that a plane-distance is worth: 6 on the plane, 0 half a distance off it."""


@dataclass(frozen=True)
class Sources:
    """The stills that batches are drawn from.

    Attributes:
        planes: phantom stills of planes.
        others: phantom stills of "other".
        heads: real heads.
        backgrounds: real tissue without a plane.
        shares: samples a batch from each of the four, and of drawn clutter.
    """

    planes: Sequence[TrainingStill]
    others: Sequence[TrainingStill]
    heads: Sequence[TrainingStill]
    backgrounds: Sequence[TrainingStill]
    shares: tuple[int, int, int, int, int] = (25, 24, 11, 2, 2)

    def batch(self, side: int, rng: np.random.Generator) -> list[Sample]:
        """Draw one mixed batch of augmented samples."""
        samples: list[Sample] = []
        for stills, count in zip((self.planes, self.others, self.heads, self.backgrounds), self.shares, strict=False):
            if stills:
                samples += [augment(stills[int(i)], side, rng) for i in rng.integers(0, len(stills), count)]
        return samples + [clutter(side, rng) for _ in range(self.shares[4])]


def tensor_of(samples: Sequence[Sample], mean: npt.NDArray[np.float32], std: npt.NDArray[np.float32]) -> Tensor:
    """Make the normalised input ``(N, 3, S, S)``, channels last."""
    gray = torch.from_numpy(np.stack([s.picture for s in samples]))[:, None]
    rgb = (gray - torch.from_numpy(mean)[:, None, None]) / torch.from_numpy(std)[:, None, None]
    return rgb.contiguous(memory_format=torch.channels_last)


def loss_of(features: Tensor, concepts: ConceptVectors, samples: Sequence[Sample], scale: float) -> Tensor:
    """Compute the loss of a batch: cross entropy over planes, subplanes and head sizes, each if it is known.

    If a picture's distance from its plane is known, the log odds of the plane are trained to follow it, so that a
    well-hit plane is a sure one.
    """
    logits = scale * features @ concepts.plane_vectors().T
    lead = logits[:, :-1].logsumexp(dim=1) - logits[:, -1]
    measured = [i for i, s in enumerate(samples) if s.in_plane is not None]
    unmeasured = [i for i, s in enumerate(samples) if s.in_plane is None]
    loss = features.new_zeros(())
    if measured:
        loss = loss + len(measured) * _distance_loss(lead[measured], [samples[i].in_plane or 0.0 for i in measured])
    if unmeasured:
        labels = torch.tensor([concepts.planes.index(samples[i].label) for i in unmeasured])
        loss = loss + len(unmeasured) * functional.cross_entropy(logits[unmeasured], labels, label_smoothing=0.03)
    bodies = [i for i in measured if samples[i].body is not None and (samples[i].in_plane or 0.0) > _NAMED_FROM]
    if bodies:
        kinds = torch.tensor([concepts.planes.index(samples[i].body or "") for i in bodies])
        named = functional.cross_entropy(logits[bodies][:, :-1], kinds, label_smoothing=0.02)
        loss = loss + len(bodies) * named
    loss = loss / len(samples)
    brains = [i for i, s in enumerate(samples) if s.subplane is not None]
    if brains:
        kinds = torch.tensor([concepts.subplanes.index(samples[i].subplane or "") for i in brains])
        rows = scale * features[brains] @ concepts.subplane_vectors().T
        loss = loss + 0.4 * functional.cross_entropy(rows, kinds, label_smoothing=0.03)
    heads = [i for i, s in enumerate(samples) if s.head_px is not None]
    if heads:
        sizes = torch.tensor([samples[i].head_px or 0.0 for i in heads], dtype=torch.float32)
        grid = size_grid()
        off = (grid.log()[None] - sizes.log()[:, None]) / _SIZE_SPREAD
        target = functional.softmax(-0.5 * off**2, dim=1)
        rows = scale * features[heads] @ concepts.size_vectors(grid).T
        loss = loss + 0.5 * functional.cross_entropy(rows, target)
    return loss


_NAMED_FROM: Final = 0.3  # in plane; below it landmarks are lost, and which plane was missed does not matter


def _distance_loss(lead: Tensor, in_plane: Sequence[float]) -> Tensor:
    """Compute Huber's loss between the log odds and their target; a clear miss may have any lower log odds."""
    target_odds = LEAD_PER_PLANE_DISTANCE * (torch.tensor(in_plane) - 0.5)
    missed = torch.tensor([value == 0 for value in in_plane])
    lead = torch.where(missed, torch.maximum(lead, target_odds), lead)
    return 0.4 * functional.smooth_l1_loss(lead, target_odds, beta=0.6)


def train(
    tower: nn.Module, concepts: ConceptVectors, sources: Sources, side: int, mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32], *, steps: int, seed: int, peak_rate: float,
) -> None:  # fmt: skip
    """Train a tower in place with one cycle of the learning rate; progress goes to standard error."""
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
    tower: nn.Module, concepts: ConceptVectors, stills: Sequence[TrainingStill], side: int,
    mean: npt.NDArray[np.float32], std: npt.NDArray[np.float32],
) -> dict[str, float]:  # fmt: skip
    """Compute the accuracy over planes with "other" and over subplanes, and the median relative error of head size."""
    tower.eval()
    grid = size_grid()
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
