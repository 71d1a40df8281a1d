"""The image tower is trained towards concept vectors: planes, subplanes, and a curve of head sizes."""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fetalstream.pipeline.training.augment import Sample, augment, framed_head, plain
from fetalstream.pipeline.training.concepts import Concepts, size_grid
from fetalstream.pipeline.training.no_plane import clutter, no_plane
from fetalstream.pipeline.training.stills import TrainingStill
from fetalstream.pipeline.wire import OTHER

SCALE: Final = 100.0  # factor of zero-shot scores
_FRAMED: Final = 0.75  # share of real heads that are shown at another framing than their own
_TEXTURED: Final = 0.5  # share of phantom stills that get real tissue behind them
_AVERAGE_DECAY: Final = 0.99
_MICRO_BATCH: Final = 16  # fits the processor's caches: nearly twice as fast as the whole batch at once
_SIZE_SPREAD: Final = 0.02  # of the soft target, in log size: about two days at mid-pregnancy
LEAD_PER_PLANE_DISTANCE: Final = 12.0
"""Log odds of "a standard plane" that a plane-distance is worth: 6 on the plane, 0 half a distance off it."""


@dataclass(frozen=True)
class Shares:
    """The number of samples of each kind in a batch.

    Attributes:
        planes: real pictures of planes, rarer ones more often than they occur.
        heads: real heads with a known circumference, at all framings.
        others: real pictures without a plane.
        made: pictures without a plane that are made of real ones.
        phantom_planes: phantom stills of planes.
        phantom_others: phantom stills without one.
        clutter: drawn shapes.
    """

    planes: int = 28
    heads: int = 10
    others: int = 4
    made: int = 9
    phantom_planes: int = 7
    phantom_others: int = 5
    clutter: int = 1


class Sources:
    """The stills that batches are drawn from.

    Args:
        real: real stills; heads with a known circumference are told apart by ``head_px``.
        phantom: phantom stills.
        shares: samples of each kind in a batch.
    """

    def __init__(
        self, real: Sequence[TrainingStill], phantom: Sequence[TrainingStill], shares: Shares | None = None
    ) -> None:
        self._shares = Shares() if shares is None else shares
        self._heads = [still for still in real if still.head_px is not None]
        self._others = [still for still in real if still.label == OTHER]
        self._planes = [still for still in real if still.label != OTHER and still.head_px is None]
        self._phantom_planes = [still for still in phantom if still.label != OTHER]
        self._phantom_others = [still for still in phantom if still.label == OTHER]
        self._odds = _square_root_odds([(still.label, still.subplane) for still in self._planes])

    def batch(self, side: int, rng: np.random.Generator) -> list[Sample]:
        """Draw one mixed batch of augmented samples."""
        shares = self._shares
        samples: list[Sample] = []
        if self._planes:
            picked = rng.choice(len(self._planes), shares.planes, p=self._odds)
            samples += [augment(self._planes[int(i)], side, rng) for i in picked]
        samples += [augment(still, side, rng) for still in _drawn(self._others, shares.others, rng)]
        for stills, count in (
            (self._phantom_planes, shares.phantom_planes),
            (self._phantom_others, shares.phantom_others),
        ):
            samples += [self._before_tissue(still, side, rng) for still in _drawn(stills, count, rng)]
        for still in _drawn(self._heads, shares.heads, rng):
            samples.append(framed_head(still, side, rng) if rng.random() < _FRAMED else augment(still, side, rng))
        if pieces := [*self._planes, *self._heads]:
            samples += [no_plane(pieces, side, rng) for _ in range(shares.made)]
        return samples + [clutter(side, rng) for _ in range(shares.clutter)]

    def _before_tissue(self, still: TrainingStill, side: int, rng: np.random.Generator) -> Sample:
        """Draw some phantom stills before real tissue, so that texture is not what tells real and drawn apart."""
        sample = augment(still, side, rng)
        if not self._planes or rng.random() > _TEXTURED:
            return sample
        tissue = no_plane(self._planes, side, rng).picture
        picture = np.maximum(sample.picture, np.float32(rng.uniform(0.3, 0.9)) * tissue)
        return dataclasses.replace(sample, picture=picture.astype(np.float32))


def _drawn(stills: Sequence[TrainingStill], count: int, rng: np.random.Generator) -> list[TrainingStill]:
    return [stills[int(i)] for i in rng.integers(0, len(stills), count)] if stills else []


def _square_root_odds(kinds: Sequence[object]) -> npt.NDArray[np.float64]:
    """Return the odds (N,) of drawing each item, so that a kind is drawn as often as the root of its number."""
    counts = Counter(kinds)
    odds = np.array([counts[kind] ** -0.5 for kind in kinds])
    return odds / odds.sum() if len(odds) else odds


def tensor_of(samples: Sequence[Sample], mean: npt.NDArray[np.float32], std: npt.NDArray[np.float32]) -> Tensor:
    """Make the normalised input ``(N, 3, S, S)``, channels last."""
    gray = torch.from_numpy(np.stack([s.picture for s in samples]))[:, None]
    rgb = (gray - torch.from_numpy(mean)[:, None, None]) / torch.from_numpy(std)[:, None, None]
    return rgb.contiguous(memory_format=torch.channels_last)


def loss_of(features: Tensor, concepts: Concepts, samples: Sequence[Sample], scale: float) -> Tensor:
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


@dataclass(frozen=True)
class Plan:
    """The length of a training and how it is kept.

    Attributes:
        steps: batches to train on.
        peak_rate: highest learning rate.
        seed: seed of all batches.
        checkpoint: file that the state is written to, and read from if it exists; None keeps nothing.
        every: steps between two writings.
        small_side: side of the pictures in the first ``small_share`` of the steps, where coarse features are learnt at
            a fraction of the cost; None trains at the full side throughout.
        small_share: 0 to 1.
    """

    steps: int
    peak_rate: float = 1e-3
    seed: int = 1
    checkpoint: Path | None = None
    every: int = 50
    small_side: int | None = None
    small_share: float = 0.6

    def side_at(self, step: int, side: int) -> int:
        """Return the side of the pictures at a step."""
        return self.small_side if self.small_side is not None and step < self.small_share * self.steps else side


def train(
    tower: nn.Module, concepts: Concepts, sources: Sources, side: int, mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32], plan: Plan,
) -> None:  # fmt: skip
    """Train a tower in place with one cycle of the learning rate; progress goes to standard error.

    The tower gets the running average of its weights, which is steadier than the last ones. Every batch has a random
    number generator of its own, so that a run that goes on from a checkpoint sees the batches of an undisturbed one.
    """
    optimizer = torch.optim.AdamW(tower.parameters(), plan.peak_rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.peak_rate, plan.steps, pct_start=0.1)
    average = AveragedModel(tower, multi_avg_fn=get_ema_multi_avg_fn(_AVERAGE_DECAY), use_buffers=True)
    parts = {"tower": tower, "optimizer": optimizer, "schedule": schedule, "average": average}
    first = _restore(plan.checkpoint, parts)
    started, running = time.monotonic(), math.nan
    for step, samples in _ahead(lambda step: _batch(sources, side, plan, step), first, plan.steps):
        tower.train()
        # The scores' scale grows to its final value: at 100 from the start the first steps would saturate.
        scale = SCALE * min(1.0, 0.25 + 2.5 * step / plan.steps)
        optimizer.zero_grad()
        total = 0.0
        for start in range(0, len(samples), _MICRO_BATCH):
            some = samples[start : start + _MICRO_BATCH]
            features = functional.normalize(tower(tensor_of(some, mean, std)), dim=-1)
            loss = loss_of(features, concepts, some, scale) * (len(some) / len(samples))
            loss.backward()
            total += loss.item()
        optimizer.step()
        schedule.step()
        average.update_parameters(tower)
        running = total if math.isnan(running) else 0.97 * running + 0.03 * total
        done = step + 1
        if plan.checkpoint is not None and (done % plan.every == 0 or done == plan.steps):
            _save(plan.checkpoint, done, parts)
        if done % 50 == 0 or done == plan.steps:
            left = (time.monotonic() - started) / (done - first) * (plan.steps - done) / 60
            print(f"image tower: step {done}/{plan.steps}, loss {running:.3f}, {left:.0f} min left", file=sys.stderr)
    tower.load_state_dict(average.module.state_dict())
    tower.eval()


def _batch(sources: Sources, side: int, plan: Plan, step: int) -> list[Sample]:
    """Draw a step's batch in random order; sizes of heads are in pixels of the full side, whatever is shown."""
    rng = np.random.default_rng((plan.seed, step))
    shown = plan.side_at(step, side)
    samples = sources.batch(shown, rng)
    return [
        dataclasses.replace(each, head_px=None if each.head_px is None else each.head_px * side / shown)
        for each in (samples[int(index)] for index in rng.permutation(len(samples)))
    ]


def _ahead(draw: Callable[[int], list[Sample]], first: int, end: int) -> Generator[tuple[int, list[Sample]]]:
    """Yield each step with its batch, drawing the next one in a thread meanwhile."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(draw, first)
        for step in range(first, end):
            samples = coming.result()
            if step + 1 < end:
                coming = thread.submit(draw, step + 1)
            yield step, samples


def _save(checkpoint: Path, step: int, parts: dict[str, Any]) -> None:
    """Replace the checkpoint in one go: whoever is killed meanwhile keeps the one before."""
    partial = checkpoint.with_name(f"{checkpoint.name}.part")
    torch.save({"step": step, **{name: part.state_dict() for name, part in parts.items()}}, partial)
    partial.replace(checkpoint)


def _restore(checkpoint: Path | None, parts: dict[str, Any]) -> int:
    """Load the parts if there is a checkpoint; return the step to go on from."""
    if checkpoint is None or not checkpoint.exists():
        return 0
    kept = torch.load(checkpoint, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(kept[name])
    print(f"image tower: goes on from step {kept['step']} of {checkpoint}", file=sys.stderr)
    return int(kept["step"])


@torch.no_grad()
def score(
    tower: nn.Module, concepts: Concepts, stills: Sequence[TrainingStill], side: int,
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
