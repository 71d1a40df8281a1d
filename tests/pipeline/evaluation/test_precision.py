from dataclasses import replace

import pytest
import torch

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.precision import compare
from fetalstream.pipeline.inference.encoder import Encoder
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline, load_pipeline
from fetalstream.pipeline.model.model_info import model_info_of
from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.streamer.phantom.source import PhantomSource
from tests.pipeline.tiny import PROMPTS, tiny_model


@pytest.fixture(scope="module")
def frames():
    phantom = PhantomSource(101)
    return [phantom.frame(index) for index in range(0, 1800, 75)]


@pytest.fixture(scope="module")
def mini():
    return load_pipeline("mini", device="cpu", precision="fp32")


def blurred(pipeline: LoadedPipeline, share: float) -> LoadedPipeline:
    """The same weights, a little wrong in the first layer."""
    wrong = load_pipeline("mini", device="cpu", precision="fp32")
    with torch.no_grad():
        weight = next(iter(wrong.model.clip.visual.parameters()))
        weight += share * weight.abs().mean() * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    return replace(pipeline, model=wrong.model, encoder=Encoder(wrong.model, wrong.banks))


def test_the_same_is_the_same(mini, frames):
    found = compare(mini, mini, frames)
    assert found.centred_cosine == pytest.approx(1.0)
    assert found.top1_agreement == 1.0
    assert found.largest_probability_change == 0.0
    assert found.median_age_change_days == found.largest_age_change_days == 0.0
    assert found.reasons == ()
    assert found.to_dict()["passed"] is True
    assert found.frames == len(frames)


def test_what_differs_is_refused_with_reasons(mini, frames):
    found = compare(mini, blurred(mini, 3.0), frames)
    assert found.centred_cosine < 0.99
    assert len(found.reasons) >= 2
    assert found.to_dict()["passed"] is False


def test_frames_without_a_scale_have_no_ages(mini, frames):
    bare = [replace(frame, spacing_mm=None, spacing_from=None) for frame in frames[:4]]
    found = compare(mini, mini, bare)
    assert found.median_age_change_days is None
    assert found.reasons == ()


def test_random_weights_other_weights_and_no_frames_are_refused(mini, frames):
    model = tiny_model()
    banks = TextBanks(model, PROMPTS, None)
    random = LoadedPipeline(model, PROMPTS, banks, Encoder(model, banks), model_info_of(model, banks))
    with pytest.raises(ConfigError, match="random weights"):
        compare(random, random, frames)
    with pytest.raises(ConfigError, match="different models"):
        compare(mini, random, frames)
    with pytest.raises(ConfigError, match="no frames"):
        compare(mini, mini, [])
