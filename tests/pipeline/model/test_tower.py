import pytest
import torch
from torch import nn

from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.loading import load_model
from fetalstream.pipeline.model.tower import fast_tower
from tests.pipeline.tiny import tiny_model


@pytest.mark.parametrize(("name", "weights"), [("mini", None), ("mobilefetalclip", "random")])
def test_folding_takes_the_norms_out_and_changes_nothing(name, weights):
    model = load_model(load_model_config(name), weights=weights, device="cpu", precision="fp32", seed=1)
    tower = openclip.image_tower(model.clip)
    _stir(tower)
    before = sum(isinstance(part, nn.BatchNorm2d) for part in tower.modules())
    fast = fast_tower(model)
    images = torch.randn(2, 3, model.image_size, model.image_size)
    with torch.inference_mode():
        wanted, got = tower(images), fast(images.to(memory_format=torch.channels_last))
    assert float((got - wanted).abs().max()) <= 1e-3 * float(wanted.abs().max())
    assert sum(isinstance(part, nn.BatchNorm2d) for part in tower.modules()) == before
    assert sum(isinstance(part, nn.BatchNorm2d) for part in fast.modules()) <= before // 10


def _stir(tower):
    """Norms that do something: random weights leave them as they are made."""
    generator = torch.Generator().manual_seed(0)
    for part in tower.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1, generator=generator)
            part.running_var.uniform_(0.5, 2.0, generator=generator)


def test_a_fold_that_would_change_the_answer_is_not_taken(monkeypatch):
    model = load_model(load_model_config("mini"), device="cpu", precision="fp32")
    monkeypatch.setattr("fetalstream.pipeline.model.tower.fuse_conv_bn_eval", lambda conv, norm: conv)
    fast = fast_tower(model)
    assert any(isinstance(part, nn.BatchNorm2d) for part in fast.modules())


def test_a_transformer_is_taken_as_it_is():
    model = tiny_model()
    assert fast_tower(model) is model.clip.visual
