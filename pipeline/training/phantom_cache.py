"""Phantom stills take minutes to draw, so that they are kept in a file between runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from fetalstream.pipeline.training.stills import TrainingStill, phantom_stills

PER_SCAN: Final = 16


def cached_phantom_stills(cache: Path, seeds: range) -> list[TrainingStill]:
    """Draw 16 stills of each scan, or read them from ``cache`` if it holds those of the same seeds."""
    if cache.exists():
        with np.load(cache) as kept:
            if kept["seeds"].tolist() == [seeds.start, seeds.stop]:
                return _unpacked(kept)
    stills: list[TrainingStill] = []
    for still in phantom_stills(seeds, PER_SCAN):
        stills.append(still)
        if len(stills) % 1000 == 0:
            print(f"phantom: {len(stills)} stills of about {PER_SCAN * len(seeds)}", file=sys.stderr)
    partial = cache.with_name(f"part-{cache.name}")
    np.savez(
        partial,
        seeds=np.array([seeds.start, seeds.stop]),
        pictures=np.stack([s.picture for s in stills]),
        labels=np.array([s.label for s in stills]),
        subplanes=np.array([s.subplane or "" for s in stills]),
        bodies=np.array([s.body or "" for s in stills]),
        head_px=np.array([s.head_px or 0.0 for s in stills]),
        in_plane=np.array([s.in_plane for s in stills], np.float64),
    )
    partial.replace(cache)
    return stills


def _unpacked(kept: Any) -> list[TrainingStill]:
    names = ("pictures", "labels", "subplanes", "head_px", "in_plane", "bodies")
    return [
        TrainingStill(
            picture,
            str(label),
            str(subplane) or None,
            float(head_px) or None,
            False,
            float(in_plane),
            str(body) or None,
        )
        for picture, label, subplane, head_px, in_plane, body in zip(*(kept[name] for name in names), strict=True)
    ]
