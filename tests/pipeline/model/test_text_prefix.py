import numpy as np
import pytest
import torch

from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.text_prefix import SharedPrefixes, first_difference
from tests.pipeline.tiny import ARCHITECTURE

# FetalCLIP's text tower with fewer layers: width, heads and length are what could go wrong.
LIKE_FETALCLIP = {
    **ARCHITECTURE,
    "text_cfg": {"context_length": 117, "vocab_size": 49408, "width": 768, "heads": 12, "layers": 3},
}
TEMPLATE = "A head of {} weeks and {} days, seen at {} mm per pixel."


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(ARCHITECTURE, id="tiny"),
        pytest.param(LIKE_FETALCLIP, id="like FetalCLIP", marks=pytest.mark.check),
    ],
)
def clip(request):
    return openclip.build(request.param, seed=5)


def tokens(spacing, ages=((14, 0), (14, 6), (21, 3), (38, 6))):
    sentences = [TEMPLATE.format(*age, spacing) for age in ages]
    return openclip.tokenizer(ARCHITECTURE)(sentences)


def full(clip, lot):
    with torch.inference_mode():
        return clip.encode_text(lot).numpy()


def test_every_lot_is_that_of_the_full_computation(clip):
    shared = SharedPrefixes(clip)
    split = {first_difference(tokens("0.23")[0], tokens(other)[0]) for other in ("8.88", "0.99")}
    with torch.inference_mode():
        for spacing in ("0.23", "0.24", "1.51", "0.24"):
            lot = tokens(spacing)
            scale = np.abs(full(clip, lot)).max()
            np.testing.assert_allclose(shared.encode(lot, split).numpy() / scale, full(clip, lot) / scale, atol=1e-5)


def test_the_next_lot_computes_only_what_differs(clip, monkeypatch):
    shared = SharedPrefixes(clip)
    columns = []
    run = shared._run
    monkeypatch.setattr(
        shared,
        "_run",
        lambda levels, prefixes, *rest: columns.append(prefixes.shape[1]) or run(levels, prefixes, *rest),
    )
    first, second = tokens("0.23"), tokens("0.78")
    with torch.inference_mode():
        shared.encode(first, {first_difference(first[0], second[0])})
        assert len(columns) > 3  # the beginning, the weeks, the days, the spacing
        columns.clear()
        shared.encode(second)
    assert columns == [int(second[0].argmax()) + 1]


def test_a_lot_that_begins_otherwise_keeps_nothing(clip):
    shared = SharedPrefixes(clip)
    other = openclip.tokenizer(ARCHITECTURE)(["Something else altogether", "Something else in between"])
    with torch.inference_mode():
        shared.encode(tokens("0.23"))
        np.testing.assert_allclose(shared.encode(other[:1]).numpy(), full(clip, other[:1]), rtol=1e-4, atol=1e-5)


def test_sentences_of_different_length_are_refused(clip):
    lot = openclip.tokenizer(ARCHITECTURE)(["one word", "one word more"])
    with pytest.raises(ValueError, match="equally long"):
        SharedPrefixes(clip).encode(lot)


def test_a_tower_that_sees_what_follows_is_not_supported(clip):
    text = {**ARCHITECTURE["text_cfg"], "no_causal_mask": True}
    both_ways = openclip.build({**ARCHITECTURE, "custom_text": True, "text_cfg": text}, seed=5)
    assert SharedPrefixes.supports(clip)
    assert not SharedPrefixes.supports(both_ways)
