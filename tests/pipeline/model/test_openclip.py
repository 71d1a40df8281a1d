import subprocess
import sys

import pytest
import torch

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.model import openclip
from tests.pipeline.tiny import ARCHITECTURE


def test_the_import_is_quiet_and_leaves_torch_as_it_was():
    code = (
        "import torch; before = torch.library.register_fake\n"
        "from fetalstream.pipeline.model import openclip; openclip.import_open_clip()\n"
        "assert torch.library.register_fake is before"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_same_seed_gives_the_same_weights_and_all_are_finite():
    first, again, other = (openclip.build(ARCHITECTURE, seed=seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["visual.conv1.weight"], other["visual.conv1.weight"])
    assert all(torch.isfinite(tensor).all() for tensor in first.values())


def test_building_leaves_the_random_generator_and_the_config_alone():
    state = torch.get_rng_state()
    config = {**ARCHITECTURE, "custom_text": True}
    openclip.build(config, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert config["custom_text"] is True
    assert "timm_model_pretrained" not in ARCHITECTURE["vision_cfg"]


@pytest.mark.parametrize("custom", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_the_short_text_path_is_exact(custom, causal):
    text = {**ARCHITECTURE["text_cfg"], "no_causal_mask": not causal}
    architecture = {**ARCHITECTURE, "text_cfg": text, "custom_text": custom}
    model = openclip.build(architecture, seed=2)
    assert openclip.is_causal(model) == causal
    tokens = openclip.tokenizer(architecture)(["a head", "a somewhat longer sentence about a femur", ""])
    with torch.inference_mode():
        torch.testing.assert_close(openclip.encode_text(model, tokens), model.encode_text(tokens), atol=2e-6, rtol=0)


def test_padding_is_seen_where_the_tower_is_not_causal():
    # ... so leaving it out would not be exact there: this is why the short path asks.
    text = {**ARCHITECTURE["text_cfg"], "no_causal_mask": True}
    model = openclip.build({**ARCHITECTURE, "text_cfg": text, "custom_text": True}, seed=2)
    tokens = openclip.tokenizer(ARCHITECTURE)(["a head"])
    with torch.inference_mode():
        full, cut = model.encode_text(tokens), model.encode_text(tokens[:, :10])
    assert torch.nn.functional.cosine_similarity(full, cut).item() < 0.999


@pytest.mark.parametrize(
    "architecture", ["no-such-architecture", {**ARCHITECTURE, "vision_cfg": {"timm_model_name": "no_such_model"}}]
)
def test_what_cannot_be_built_is_refused_in_one_line(architecture):
    with pytest.raises(ModelError) as refused:
        openclip.build(architecture, seed=0)
    assert "\n" not in str(refused.value)


def test_only_square_inputs():
    model = openclip.build(
        {**ARCHITECTURE, "vision_cfg": {**ARCHITECTURE["vision_cfg"], "image_size": [32, 64]}}, seed=0
    )
    with pytest.raises(ModelError, match="64x32"):
        openclip.image_size(model)
