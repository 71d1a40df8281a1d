"""`load_pipeline` loads a model with its prompts and encoder; every use of the pipeline starts with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from fetalstream.pipeline.inference.encoder import Encoder
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.loading import LoadedModel, Precision, load_model
from fetalstream.pipeline.model.model_info import ModelInfo, model_info_of
from fetalstream.pipeline.model.prompts import Prompts, load_prompts
from fetalstream.pipeline.model.textbank import TextBanks


@dataclass(frozen=True, eq=False)
class LoadedPipeline:
    """A loaded model with everything that is needed to run it.

    Attributes:
        model: the model in memory.
        prompts: the sentences.
        banks: the sentences' text vectors.
        encoder: runs the model on pictures.
        model_info: labels and constants for the stages after the encoder.
    """

    model: LoadedModel
    prompts: Prompts
    banks: TextBanks
    encoder: Encoder
    model_info: ModelInfo


def load_pipeline(
    model: str | Path = "mini",
    *,
    weights: str | Path | None = None,
    prompts: str | Path | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    progress: Callable[[str], None] = lambda _: None,
) -> LoadedPipeline:
    """Load a model by the name of its file, or a path to it.

    Args:
        model: see `load_model_config`.
        weights: None for the model file's, "random", or a path.
        prompts: a folder that replaces the model file's.
        device: "auto" or a torch device.
        precision: precision of the image tower.
        progress: called with a line before each step that takes long.

    Raises:
        ConfigError: the model file or the prompts cannot be used.
        ModelError: the weights or the device cannot be used.
    """
    config = load_model_config(model)
    sentences = load_prompts(config.prompts_folder if prompts is None else prompts)
    loaded = load_model(config, weights=weights, device=device, precision=precision, progress=progress)
    progress("preparing the sentences")
    banks = TextBanks(loaded, sentences, platformdirs.user_cache_path("fetalstream") / "sentences")
    return LoadedPipeline(loaded, sentences, banks, Encoder(loaded, banks), model_info_of(loaded, banks))
