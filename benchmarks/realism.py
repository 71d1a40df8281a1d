"""The phantom's realism is measured by a network that was trained on real heads only and reads the phantom's.

A small network learns head circumference in pixels from HC18's training exams alone. It then reads phantom heads
(evaluation seeds, in plane), and its reading times the spacing gives an age by the WHO median. The figure is the median
difference from the phantom's true age, days; HC18's validation exams show the network's own error.

Run: ``python benchmarks/realism.py --data ../shared/data/hc18``. One JSON line comes last.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from fetalstream.pipeline.evaluation.hc18 import Head, read_heads
from fetalstream.pipeline.model.openclip import import_open_clip
from fetalstream.pipeline.training.augment import augment, plain
from fetalstream.pipeline.training.folds import NEVER, fold_of
from fetalstream.pipeline.training.stills import STILL_SIDE, TrainingStill, square
from fetalstream.streamer.growth import who_age_days
from fetalstream.streamer.phantom.source import PhantomSource

SIDE = 112
MIDDLE, SPREAD = 5.2, 0.5  # of the logarithm of head size in pixels: what the network's output is scaled to


def phantom_heads(seeds: range, per_seed: int) -> list[tuple[TrainingStill, float, float]]:
    """Draw stills of heads, each with its true age in days and its mm per pixel."""
    found = []
    for seed in seeds:
        source, rng = PhantomSource(seed), np.random.default_rng(seed)
        brains = [i for i in range(0, 1800, 5) if source.truth(i).label == "brain"]
        for index in rng.choice(brains, min(per_seed, len(brains)), replace=False):
            truth = source.truth(int(index))
            picture, scale = square(source.frame(int(index)).pixels)
            head_px = truth.hc_mm / truth.spacing_mm * scale
            found.append(
                (
                    TrainingStill(picture, "brain", None, head_px, real=False),
                    truth.gestation_days,
                    truth.spacing_mm / scale,
                )
            )
    return found


def real_head(head: Head) -> TrainingStill:
    """Read a real head as a still of the phantom's size."""
    picture, scale = square(cv2.imread(str(head.path), cv2.IMREAD_GRAYSCALE))
    return TrainingStill(picture, "brain", None, head.hc_mm / head.spacing_mm * scale, real=True)


def zoomed(still: TrainingStill, factor: float) -> TrainingStill:
    """Scale a still about its middle."""
    matrix = cv2.getRotationMatrix2D((STILL_SIDE / 2, STILL_SIDE / 2), 0, factor)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    picture = cv2.warpAffine(still.picture, matrix, (STILL_SIDE, STILL_SIDE), flags=how)
    return replace(still, picture=picture, head_px=None if still.head_px is None else still.head_px * factor)


def tensor(samples: list) -> torch.Tensor:
    gray = torch.from_numpy(np.stack([s.picture for s in samples]))[:, None].expand(-1, 3, -1, -1)
    return ((gray - 0.45) / 0.27).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def plainly_read_px(net: torch.nn.Module, stills: list[TrainingStill]) -> list[float]:
    """Read head circumferences with the network, in the stills' pixels."""
    out: list[float] = []
    for start in range(0, len(stills), 32):
        batch = tensor([plain(s, SIDE) for s in stills[start : start + 32]])
        out += [math.exp(v * SPREAD + MIDDLE) * STILL_SIDE / SIDE for v in net(batch)[:, 0].tolist()]
    return out


def read_px(net: torch.nn.Module, stills: list[TrainingStill], usual_px: float) -> list[float]:
    """Read head circumferences with each head zoomed to about ``usual_px``, as a sonographer would do."""
    return [_read_zoomed(net, still, usual_px) for still in stills]


def _read_zoomed(net: torch.nn.Module, still: TrainingStill, usual_px: float) -> float:
    px = statistics.median(plainly_read_px(net, _mirrored(still)))
    for _ in range(2):
        found: list[float] = []
        for share in (0.9, 1.0, 1.1):
            factor = min(2.0, max(0.5, share * usual_px / px))
            found += [value / factor for value in plainly_read_px(net, _mirrored(zoomed(still, factor)))]
        px = statistics.median(found)
    return px


def _mirrored(still: TrainingStill) -> list[TrainingStill]:
    picture = still.picture
    views = (picture, picture[:, ::-1], picture[::-1], picture[::-1, ::-1])
    return [replace(still, picture=view.copy()) for view in views]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4000)
    args = parser.parse_args()
    import_open_clip()
    import timm

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    known = read_heads(args.data, lambda exam: fold_of("hc18", exam) != NEVER)
    heads = [real_head(row) for row in known]
    net = timm.create_model("mobilenetv4_conv_small_050", num_classes=1).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, args.steps)
    for step in range(args.steps):
        samples = [augment(heads[int(i)], SIDE, rng) for i in rng.integers(0, len(heads), 48)]
        wanted = torch.tensor([(math.log(s.head_px) - MIDDLE) / SPREAD for s in samples])
        loss = torch.nn.functional.smooth_l1_loss(net(tensor(samples))[:, 0], wanted, beta=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            print(f"step {step + 1}/{args.steps}, loss {loss.item():.4f}", file=sys.stderr)
    net.eval()
    usual_px = statistics.median(s.head_px for s, row in zip(heads, known, strict=True) if 100 <= row.hc_mm <= 342)

    kept_back = read_heads(args.data, lambda exam: fold_of("hc18", exam) == NEVER)
    rows = [row for row in kept_back if 100 <= row.hc_mm <= 342]
    real = [real_head(row) for row in rows]
    errors_real = [
        abs(who_age_days(row.hc_mm * px / still.head_px) - who_age_days(row.hc_mm))
        for row, still, px in zip(rows, real, read_px(net, real, usual_px), strict=True)
        if still.head_px
    ]
    drawn = phantom_heads(range(100, 140), 5)
    pairs = list(zip(drawn, read_px(net, [still for still, _, _ in drawn], usual_px), strict=True))
    errors_phantom = [abs(who_age_days(px * mm) - days) for (_, days, mm), px in pairs]
    print(json.dumps({
        "hc18_validation_median_days": round(statistics.median(errors_real), 2),
        "phantom_median_days": round(statistics.median(errors_phantom), 2),
        "phantom_heads": len(drawn), "bar_days": 10,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
