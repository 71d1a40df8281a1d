"""LeGrad on small vision transformers with random weights: what it computes, and what it leaves as it was."""

import copy

import pytest
import torch
from torch import nn

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.explain.attention_maps import AttentionMap, _TappedAttention
from fetalstream.pipeline.model import openclip
from tests.pipeline.tiny import ARCHITECTURE

SIDE, PATCHES = 32, 4  # pixels, patches a side


@pytest.fixture(scope="module")
def tower():
    vision = {"image_size": SIDE, "layers": 4, "width": 32, "patch_size": SIDE // PATCHES, "head_width": 16}
    return openclip.image_tower(openclip.build({**ARCHITECTURE, "vision_cfg": vision}, seed=0))


@pytest.fixture(scope="module")
def picture():
    return torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def attention_map(tower):
    return AttentionMap(copy.deepcopy(tower))


def towards(direction):
    return lambda features: nn.functional.normalize(features, dim=-1) @ direction


@pytest.fixture(scope="module")
def directions():
    return torch.randn(2, 16, generator=torch.Generator().manual_seed(2))


def test_the_map_has_a_place_for_each_patch_and_its_smallest_is_zero(attention_map, picture, directions):
    found = attention_map(picture, towards(directions[0]))
    assert found.shape == (PATCHES, PATCHES)
    assert found.min() == 0
    assert found.max() > 0


def test_the_map_follows_what_is_asked_and_repeats(attention_map, picture, directions):
    first, second = (attention_map(picture, towards(direction)) for direction in directions)
    assert not torch.allclose(first, second)
    torch.testing.assert_close(attention_map(picture, towards(directions[0])), first)


def test_a_score_that_nothing_changes_has_an_empty_map(attention_map, picture):
    found = attention_map(picture, lambda features: 0.0 * features.sum(dim=-1))
    assert torch.equal(found, torch.zeros(PATCHES, PATCHES))


def test_only_the_positive_part_of_the_gradient_counts(attention_map, picture, directions):
    plus = attention_map(picture, towards(directions[0]))
    minus = attention_map(picture, towards(-directions[0]))
    assert not torch.allclose(plus, minus)
    assert plus.min() >= 0
    assert minus.min() >= 0


def test_the_tower_gives_the_same_features_with_its_attention_open(tower, picture):
    opened = copy.deepcopy(tower)
    AttentionMap(opened)
    with torch.no_grad():
        torch.testing.assert_close(opened(picture), tower(picture), atol=1e-5, rtol=1e-5)


def test_no_hook_and_no_attention_stays_behind(attention_map, picture, directions):
    attention_map(picture, towards(directions[0]))
    assert not any(block._forward_pre_hooks for block in attention_map._blocks)
    assert all(tap._seen is None for tap in attention_map._taps)


def test_opened_attention_computes_what_torchs_own_does():
    closed = nn.MultiheadAttention(12, 3, batch_first=True).eval()
    tokens = torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(3))
    opened = _TappedAttention(closed)
    wanted, weights = closed(tokens, tokens, tokens, average_attn_weights=False)
    got, _ = opened(tokens)
    torch.testing.assert_close(got, wanted)
    torch.testing.assert_close(opened.tap.take(), weights)


def test_attention_of_another_layout_is_refused():
    with pytest.raises(ModelError, match="kind of attention"):
        _TappedAttention(nn.MultiheadAttention(12, 3, batch_first=False))


class Oblong(nn.Module):
    """As open_clip's transformer, with patches that lie in a row of three."""

    class Trunk(nn.Module):
        def __init__(self):
            super().__init__()
            self.resblocks = nn.ModuleList([Oblong.Block()])

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attn = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, tokens):
            return tokens + self.attn(tokens, tokens, tokens)[0]

    def __init__(self):
        super().__init__()
        self.transformer = Oblong.Trunk()
        self.proj = None

    def _pool(self, tokens):
        return tokens[:, 0], tokens[:, 1:]

    def forward(self, picture):
        tokens = picture.flatten(1)[:, : 4 * 8].reshape(1, 4, 8)
        return self._pool(self.transformer.resblocks[0](tokens))[0]


def test_patches_that_make_no_square_are_refused(picture):
    with pytest.raises(ModelError, match="3 patches"):
        AttentionMap(Oblong())(picture, lambda features: features.sum(dim=-1))
