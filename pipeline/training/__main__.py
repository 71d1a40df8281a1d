"""Train the bundled model: ``python -m fetalstream.pipeline.training --data FOLDER --work FOLDER --out FILE``.

Phantom stills are drawn, the text tower is trained to say the fixed concept vectors, the image tower to see them, and
one safetensors file in fp16 is written. What is finished, and the image tower's state every 50 steps, is kept in the
work folder, and a run that was killed goes on from there. ``--held-out K`` leaves out fold K and judges on it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.config import ModelConfig, load_model_config
from fetalstream.pipeline.model.prompts import load_prompts
from fetalstream.pipeline.training import image_tower, text_tower
from fetalstream.pipeline.training.backbone import load_everyday_weights
from fetalstream.pipeline.training.concepts import Concepts
from fetalstream.pipeline.training.folds import FOLDS, NEVER
from fetalstream.pipeline.training.phantom_cache import cached_phantom_stills
from fetalstream.pipeline.training.real_pictures import all_pictures, training_pictures
from fetalstream.pipeline.training.stills import real_still
from fetalstream.pipeline.wire import OTHER
from fetalstream.streamer.phantom.tour import FIRST_TRAINING_SEED
from fetalstream.streamer.phantom.view import PLANES, SUBPLANES

MODEL: Final = Path(__file__).with_name("fetalite-1.toml")
_SMALL_SIDE: Final = 128


def main() -> None:
    """Train both towers and print one line of figures as JSON last."""
    parser = argparse.ArgumentParser(prog="python -m fetalstream.pipeline.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds fetal_planes, fugc, hc18 and video/lung")
    parser.add_argument("--work", type=Path, required=True, help="keeps what is finished; a killed run goes on from it")
    parser.add_argument("--out", type=Path, required=True, help="the safetensors file to write")
    parser.add_argument("--held-out", type=int, choices=range(FOLDS), help="fold that is not trained on but judged")
    parser.add_argument("--without-machine", help="leaves out FETAL_PLANES_DB's pictures of this scanner, say Aloka")
    parser.add_argument("--scans", type=int, default=500, help="phantom scans to draw stills from")
    parser.add_argument("--image-steps", type=int, default=1200)
    parser.add_argument("--text-steps", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.work.mkdir(parents=True, exist_ok=True)
    config = load_model_config(MODEL)
    clip = openclip.build(config.architecture, seed=args.seed)
    clip.train().requires_grad_(True)
    concepts = Concepts([*PLANES, OTHER], SUBPLANES, clip.text_projection.shape[1])  # type: ignore[union-attr, index]
    tower: Any = openclip.image_tower(clip)
    load_everyday_weights(tower.trunk)
    tower = tower.to(memory_format=torch.channels_last)
    side, mean, std = openclip.image_size(clip), np.array(config.mean, np.float32), np.array(config.std, np.float32)
    phantom = cached_phantom_stills(
        args.work / "phantom.npz", range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + args.scans)
    )
    real = [real_still(picture) for picture in training_pictures(args.data, args.held_out, args.without_machine)]
    print(f"{len(real)} real and {len(phantom)} phantom stills", file=sys.stderr)
    name = f"{args.out.stem}-seed{args.seed}-steps{args.image_steps}"
    plan = image_tower.Plan(
        args.image_steps, seed=args.seed, checkpoint=args.work / f"{name}.pt", small_side=_SMALL_SIDE
    )
    image_tower.train(tower, concepts, image_tower.Sources(real, phantom), side, mean, std, plan)
    judged = [real_still(picture) for picture in all_pictures(args.data) if picture.fold in (NEVER, args.held_out)]
    figures = image_tower.score(tower, concepts, judged, side, mean, std)
    _text(clip, concepts, config, args)
    with torch.no_grad():
        clip.logit_scale.fill_(math.log(image_tower.SCALE))  # type: ignore[operator, union-attr]
    save_file(_half(clip.state_dict()), args.out, metadata={"figures": json.dumps(figures)})
    print(json.dumps(figures))


def _text(clip: nn.Module, concepts: Concepts, config: ModelConfig, args: argparse.Namespace) -> None:
    """Train the text tower, or take it from the work folder, where a run of any fold has left it."""
    kept = args.work / f"text-seed{args.seed}-steps{args.text_steps}.safetensors"
    names = [name for name in clip.state_dict() if not name.startswith("visual.")]
    if kept.exists():
        state = load_file(kept)
        clip.load_state_dict({name: state[name] for name in names}, strict=False)
        return
    tokenize = openclip.tokenizer(config.architecture)
    text_tower.train(
        clip, tokenize, concepts, load_prompts(config.prompts_folder), steps=args.text_steps, seed=args.seed
    )
    partial = kept.with_suffix(".part")
    save_file({name: clip.state_dict()[name].contiguous() for name in names}, partial)
    partial.replace(kept)


def _half(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: (value.half() if value.is_floating_point() else value).contiguous() for name, value in state.items()}


if __name__ == "__main__":
    main()
