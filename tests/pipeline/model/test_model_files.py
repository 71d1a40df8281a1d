"""Each model file builds what its authors trained: the architecture, the picture's and the sentences' way in.

BiomedCLIP and UniMed-CLIP read sentences with BiomedBERT, whose shape and vocabulary are fetched from the Hugging Face
Hub when such a model is built. No test goes there: a folder stands in for both, with the published shape (bert-base,
uncased, 30,522 pieces) and a made-up vocabulary of single letters. All else is the product's own way and real
`transformers`. FetalCLIP, MobileFetalCLIP and ``mini`` are built, and held against a plain path, in ``test_parity.py``.
"""

import copy
import re
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.inference.encoder import Encoder, Item
from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.heads import label_probabilities
from fetalstream.pipeline.model.loading import load_model
from fetalstream.pipeline.model.model_info import model_info_of
from fetalstream.pipeline.model.preprocess import Preprocess
from fetalstream.pipeline.model.prompts import load_prompts
from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.streamer.phantom.source import PhantomSource
from tests.pipeline.model.test_parity import reference_features, reference_inputs, reference_planes

BERT = "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract"
OPENAI = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    transformers = pytest.importorskip("transformers", reason="the extra biomedclip is not installed")
    folder = tmp_path_factory.mktemp("bert")
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *".,-:/%()'", *(f"##{each}" for each in letters)]
    (folder / "vocab.txt").write_text("\n".join(pieces))
    transformers.BertConfig(vocab_size=30_522).save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return str(folder)


def config_of(name, bert, **changes):
    """The model file, with the folder in place of what the Hub holds."""
    config = load_model_config(name)
    architecture = copy.deepcopy(config.architecture)
    text = architecture["text_cfg"]
    assert text["hf_model_name"] == text["hf_tokenizer_name"] == BERT
    text["hf_model_name"] = text["hf_tokenizer_name"] = bert
    return msgspec.structs.replace(config, architecture=architecture, **changes)


@pytest.fixture(scope="module", params=["biomedclip", pytest.param("unimedclip", marks=pytest.mark.check)])
def model(request, bert):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield load_model(config_of(request.param, bert), weights="random", device="cpu", precision="fp32", seed=4)
    torch.set_num_threads(threads)


def few_prompts():
    prompts = load_prompts("fetal")
    planes = {label: sentences[:1] for label, sentences in list(prompts.planes.items())[:3]}
    return replace(prompts, planes=planes, subplanes={}, other=())


def test_it_is_what_was_published(model):
    names = list(model.clip.state_dict())
    tower = "visual.trunk.blocks" if model.config.name == "biomedclip" else "visual.transformer.resblocks"
    layers = {match[1] for name in names if (match := re.match(rf"{re.escape(tower)}\.(\d+)\.", name))}
    assert len(layers) == 12
    weights = model.clip.state_dict()
    assert weights["text.transformer.embeddings.word_embeddings.weight"].shape == (30_522, 768)
    assert [tuple(weights[f"text.proj.{layer}.weight"].shape) for layer in (0, 2)] == [(640, 768), (512, 640)]
    assert sum(name.startswith("text.transformer.encoder.layer.") for name in names) == 12 * 16
    assert (model.image_size, model.config.mean, model.config.std) == (224, *OPENAI)
    assert not model.config.causal_text
    assert not model.config.calibrated
    activations = {type(part).__name__ for part in openclip.image_tower(model.clip).modules()}
    assert ("QuickGELU" in activations) == (model.config.name == "unimedclip")  # as trained on OpenAI's weights


def test_sentences_are_cut_to_256_pieces_and_the_padding_is_not_read(model):
    tokens = model.tokenizer(["a head", "skull " * 400])
    assert tokens.shape == (2, 256)
    assert tokens[0, 0] == tokens[1, 0] == 2  # [CLS], where the answer is read
    assert (tokens[0] == 0).sum() == 256 - 2 - len("ahead")
    with torch.inference_mode():
        whole = openclip.encode_text(model.clip, tokens[:1])
        short = model.clip.encode_text(tokens[:1, :12])
    torch.testing.assert_close(whole, short, atol=1e-5, rtol=1e-4)


def test_pictures_and_sentences_go_the_plain_way(model):
    phantom = PhantomSource(5)
    pictures = [phantom.frame(index).pixels for index in (30, 400)]
    prompts = few_prompts()
    banks = TextBanks(model, prompts, None)
    scores = Encoder(model, banks).submit([Item(picture) for picture in pictures]).result()
    assert all(score is not None for score in scores)
    inputs = reference_inputs(model, pictures)
    preprocess = Preprocess(model.image_size, model.config.mean, model.config.std, model.device, model.dtype)
    fast = torch.stack([preprocess(picture) for picture in pictures])
    assert float((fast - inputs).abs().max()) * max(model.config.std) * 255 <= 2.0
    features = reference_features(model, inputs)
    found = np.stack([score.embedding for score in scores])
    difference, told = features[0] - features[1], torch.from_numpy(found[0] - found[1])
    assert float(torch.nn.functional.cosine_similarity(difference, told, dim=0)) >= 0.999
    planes = np.stack([label_probabilities(score.plane_cosines) for score in scores])
    np.testing.assert_allclose(planes, reference_planes(model, prompts, features).numpy(), atol=0.01)
    model_info = model_info_of(model, banks)
    assert (model_info.knows_gestation, model_info.calibrated) == (False, False)


def test_a_checkpoint_of_theirs_loads_strictly(model, bert, tmp_path):
    state = dict(model.clip.state_dict())
    state["text.transformer.embeddings.position_ids"] = torch.arange(512)[None]
    back = {new: old for old, new in model.config.weights.rename.items()}
    theirs = {
        next((back[new] + key.removeprefix(new) for new in back if key.startswith(new)), key): tensor.contiguous()
        for key, tensor in state.items()
    }
    safetensors.torch.save_file(theirs, tmp_path / "theirs.safetensors")
    config = config_of(model.config.name, bert)
    again = load_model(config, weights=tmp_path / "theirs.safetensors", device="cpu", precision="fp32")
    name = "text.proj.2.weight"
    assert torch.equal(again.clip.state_dict()[name], model.clip.state_dict()[name])


def test_without_the_hub_it_says_so_in_one_line(monkeypatch):
    pytest.importorskip("transformers", reason="the extra biomedclip is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError) as refused:
        load_model(load_model_config("biomedclip"), weights="random", device="cpu")
    assert "\n" not in str(refused.value)


def test_clip_has_the_shape_of_openais_checkpoint():
    config = load_model_config("clip")
    with torch.device("meta"):
        clip = openclip.build(config.architecture, seed=None)
    weights = {name: tuple(tensor.shape) for name, tensor in clip.state_dict().items()}
    assert weights["visual.conv1.weight"] == (1024, 3, 14, 14)
    assert weights["visual.positional_embedding"] == (257, 1024)
    assert weights["visual.transformer.resblocks.23.mlp.c_fc.weight"] == (4096, 1024)
    assert weights["positional_embedding"] == (77, 768)
    assert weights["transformer.resblocks.11.attn.in_proj_weight"] == (2304, 768)
    assert weights["token_embedding.weight"] == (49_408, 768)
    assert weights["text_projection"] == (768, 768)
    assert openclip.is_causal(clip) == config.causal_text
    assert openclip.image_size(clip) == 224
    assert any(type(part).__name__ == "QuickGELU" for part in clip.modules())
    tokens = openclip.tokenizer(config.architecture)(["a diagram"])
    assert tokens.shape == (1, 77)
    assert tokens[0, :4].tolist() == [49_406, 320, 22_697, 49_407]  # OpenAI's own example
    assert (config.mean, config.std) == OPENAI


@pytest.mark.check
@pytest.mark.parametrize("name", ["clip", "fetalclip"])
def test_the_largest_are_built_and_read_a_picture(name):
    config = load_model_config(name)
    model = load_model(config, weights="random", device="cpu", precision="fp32")
    banks = TextBanks(model, few_prompts(), None)
    (scores,) = Encoder(model, banks).submit([Item(np.asarray(Image.effect_noise((320, 240), 60)))]).result()
    assert scores is not None
    assert scores.embedding.shape == (768,)
    assert model_info_of(model, banks).knows_gestation == (name == "fetalclip")
