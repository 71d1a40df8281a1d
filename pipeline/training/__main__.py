"""Train ``mini`` from scratch: ``python -m fetalstream.pipeline.training --hc18 FOLDER --out mini.safetensors``.

The program draws phantom stills (or takes them from ``--cache``), adds the real heads of HC18's training exams, trains
the image tower against learnt concept vectors, then trains the text tower to encode sentences as these vectors, and
writes one safetensors file in fp16.
"""

from __future__ import annotations

import argparse
import json
import math
import pickle
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file

from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.prompts import load_prompts
from fetalstream.pipeline.training import image_tower, text_tower
from fetalstream.pipeline.training.concepts import Concepts
from fetalstream.pipeline.training.stills import TrainingStill, hc18_background, hc18_rows, hc18_still, phantom_stills
from fetalstream.pipeline.wire import OTHER
from fetalstream.streamer.phantom.tour import FIRST_TRAINING_SEED
from fetalstream.streamer.phantom.view import PLANES, SUBPLANES

_VALIDATION_SEEDS = range(FIRST_TRAINING_SEED + 900_000, FIRST_TRAINING_SEED + 900_040)


def main() -> None:
    """Train both towers and print one line of validation metrics as JSON last."""
    parser = argparse.ArgumentParser(prog="python -m fetalstream.pipeline.training", description=__doc__)
    parser.add_argument("--hc18", type=Path, required=True, help="folder with labels.csv and images/")
    parser.add_argument("--out", type=Path, required=True, help="the safetensors file to write")
    parser.add_argument("--cache", type=Path, help="keeps the drawn stills between runs (a file of this machine's own)")
    parser.add_argument("--scans", type=int, default=900, help="phantom scans to draw stills from")
    parser.add_argument("--image-steps", type=int, default=3000)
    parser.add_argument("--text-steps", type=int, default=1500)
    parser.add_argument(
        "--checkpoint", type=Path, help="goes on from it where it exists, and is written after the images"
    )
    parser.add_argument("--peak-rate", type=float, default=2.5e-3, help="highest learning rate of the image tower")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    config = load_model_config("mini")
    clip = openclip.build(config.architecture, seed=args.seed)
    clip.train().requires_grad_(True)
    side = openclip.image_size(clip)
    mean, std = np.array(config.mean, np.float32), np.array(config.std, np.float32)
    rng = np.random.default_rng(args.seed)
    rows = hc18_rows(args.hc18, validation=False)
    stills = _phantom(args.cache, args.scans)
    sources = image_tower.Sources(
        planes=[s for s in stills if s.label != OTHER],
        others=[s for s in stills if s.label == OTHER],
        heads=[hc18_still(row) for row in rows],
        backgrounds=[hc18_background(row, rng) for row in rows for _ in range(2)],
    )
    tower = openclip.image_tower(clip).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    dim = 128
    concepts = Concepts([*PLANES, OTHER], SUBPLANES, dim)
    if args.checkpoint is not None and args.checkpoint.exists():
        kept = torch.load(args.checkpoint, weights_only=True)
        clip.load_state_dict(kept["clip"])
        concepts.load_state_dict(kept["concepts"])
    image_tower.train(
        tower, concepts, sources, side, mean, std, steps=args.image_steps, seed=args.seed, peak_rate=args.peak_rate
    )
    if args.checkpoint is not None:
        torch.save({"clip": clip.state_dict(), "concepts": concepts.state_dict()}, args.checkpoint)
    unseen = list(phantom_stills(_VALIDATION_SEEDS, 24))
    heads = [hc18_still(row) for row in hc18_rows(args.hc18, validation=True)]
    figures = {
        "phantom": image_tower.score(tower, concepts, unseen, side, mean, std),
        "hc18": image_tower.score(tower, concepts, heads, side, mean, std),
    }
    for parameter in tower.parameters():
        parameter.requires_grad_(False)
    tokenize = openclip.tokenizer(config.architecture)
    text_tower.train(
        clip, tokenize, concepts, load_prompts(config.prompts_folder), steps=args.text_steps, seed=args.seed
    )
    with torch.no_grad():
        clip.logit_scale.fill_(math.log(image_tower.SCALE))  # type: ignore[operator, union-attr]
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in clip.state_dict().items()
    }
    save_file(state, args.out, metadata={"figures": json.dumps(figures)})
    print(json.dumps(figures))


def _phantom(cache: Path | None, scans: int) -> list[TrainingStill]:
    if cache is not None and cache.exists():
        with cache.open("rb") as kept:
            return pickle.load(kept)  # noqa: S301 - written by this very program on this machine
    seeds = range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + scans)
    stills: list[TrainingStill] = []
    for still in phantom_stills(seeds, 24):
        stills.append(still)
        if len(stills) % 1000 == 0:
            print(f"phantom: {len(stills)} stills of about {24 * scans}", file=sys.stderr)
    if cache is not None:
        with cache.open("wb") as kept:
            pickle.dump(stills, kept)
    return stills


if __name__ == "__main__":
    main()
