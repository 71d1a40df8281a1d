"""A CLIP that is built in milliseconds, for tests of what surrounds a model."""

import msgspec

from fetalstream.pipeline.model.config import ModelConfig
from fetalstream.pipeline.model.loading import LoadedModel, load_model
from fetalstream.pipeline.model.prompts import Prompts

ARCHITECTURE = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16},
    "text_cfg": {"context_length": 117, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}

PROMPTS = Prompts(
    planes={"brain": ("a head", "a skull"), "femur": ("a thigh bone",)},
    subplanes={"trans-thalamic": ("two thalami",)},
    other=("nothing to see",),
    gestation=("a brain of {weeks} weeks and {days} days at {spacing} mm", "{weeks}w{days}d brain, {spacing} mm/pixel"),
    sha256="0" * 64,
)


def tiny_config(**changes) -> ModelConfig:
    plain = {
        "name": "tiny",
        "description": "for tests",
        "licence": "Apache-2.0",
        "architecture": ARCHITECTURE,
        "weights": {"path": "absent.pt"},
        "mean": [0.5, 0.4, 0.3],
        "std": [0.3, 0.2, 0.1],
        "causal_text": True,
        **changes,
    }
    return msgspec.convert(plain, ModelConfig)


def tiny_model(**changes) -> LoadedModel:
    return load_model(tiny_config(**changes), weights="random", device="cpu", precision="fp32", seed=3)
