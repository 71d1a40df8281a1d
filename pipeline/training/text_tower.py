"""The text tower is trained to encode each sentence as the concept vector that the image tower is trained towards.

Sentences about age hold weeks, days and mm per pixel, which imply the circumference in pixels of a head of that age at
that spacing: each sentence is trained towards this place on the curve of head sizes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.captions import AGE_TEMPLATES, CAPTION_TEMPLATES, PLANE_NAMES
from fetalstream.pipeline.model.prompts import Prompts
from fetalstream.pipeline.readout.gestation import GRID_DAYS
from fetalstream.pipeline.training.concepts import Concepts
from fetalstream.streamer.growth import who_hc_mm

SPACINGS_MM = (0.10, 4.00)  # range of mm per pixel of the model's input in sentences


def head_px(days: float, spacing_mm: float) -> float:
    """Return the circumference, in pixels of the input, of a median head (WHO) at this age and spacing."""
    return who_hc_mm(days / 7) / spacing_mm


def plain_sentences(concepts: Concepts, prompts: Prompts) -> tuple[list[str], Tensor]:
    """Return all sentences about planes and subplanes, and the vectors ``(N, D)`` that they should get."""
    with torch.no_grad():
        planes, subplanes = concepts.plane_vectors(), concepts.subplane_vectors()
    vectors = {name: planes[i] for i, name in enumerate(concepts.planes)}
    vectors |= {name: subplanes[i] for i, name in enumerate(concepts.subplanes)}
    own_sentences = {**prompts.planes, **prompts.subplanes, "other": prompts.other}
    sentences: list[str] = []
    targets: list[Tensor] = []
    for label, vector in vectors.items():
        phrasings = list(own_sentences.get(label, ())) * 6  # the product's own sentences weigh most
        phrasings += [frame.format(name) for name in PLANE_NAMES[label] for frame in CAPTION_TEMPLATES]
        sentences += phrasings
        targets += [vector] * len(phrasings)
    return sentences, torch.stack(targets)


def age_sentences(count: int, prompts: Prompts, rng: np.random.Generator) -> tuple[list[str], Tensor]:
    """Draw random sentences about age, and the head circumferences in pixels, ``(count,)``, that they imply."""
    frames = [*prompts.gestation] * 2 + [*AGE_TEMPLATES]
    sentences: list[str] = []
    sizes: list[float] = []
    low, high = np.log(SPACINGS_MM)
    for _ in range(count):
        days = int(rng.choice(GRID_DAYS))
        spacing = round(float(np.exp(rng.uniform(low, high))), 2)
        frame = frames[int(rng.integers(len(frames)))]
        sentences.append(frame.format(weeks=days // 7, days=days % 7, spacing=f"{spacing:.2f}"))
        sizes.append(head_px(days, spacing))
    return sentences, torch.tensor(sizes, dtype=torch.float32)


def train(
    clip: nn.Module, tokenize: Callable[[list[str]], Tensor], concepts: Concepts, prompts: Prompts, *, steps: int,
    seed: int, batch: int = 192, peak_rate: float = 2e-3,
) -> None:  # fmt: skip
    """Train the text tower in place; the loss is the squared distance between unit vectors."""
    rng = np.random.default_rng(seed)
    sentences, targets = plain_sentences(concepts, prompts)
    tokens = tokenize(sentences)
    image = {id(parameter) for parameter in clip.visual.parameters()}  # type: ignore[union-attr]
    learned = [parameter for parameter in clip.parameters() if id(parameter) not in image]
    optimizer = torch.optim.AdamW(learned, peak_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak_rate, steps, pct_start=0.1)
    started, running = time.monotonic(), 0.0
    for step in range(steps):
        few = torch.from_numpy(rng.integers(0, len(sentences), batch // 4))
        ages, sizes = age_sentences(batch - batch // 4, prompts, rng)
        with torch.no_grad():
            wanted = torch.cat((targets[few], concepts.size_vectors(sizes)))
        got = functional.normalize(openclip.encode_text(clip, torch.cat((tokens[few], tokenize(ages)))), dim=-1)
        loss = (got - wanted).square().sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        running = 0.97 * running + 0.03 * loss.item() if step else loss.item()
        if step % 100 == 99 or step == steps - 1:
            left = (time.monotonic() - started) / (step + 1) * (steps - step - 1) / 60
            print(f"text tower: step {step + 1}/{steps}, distance {running:.4f}, {left:.0f} min left", file=sys.stderr)
