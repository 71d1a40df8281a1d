"""Maps of kept frames: of every kind of architecture, with random weights, and of ``mini``, on the phantom's truth."""

import copy
import io
from collections import defaultdict

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from fetalstream.pipeline.errors import ConfigError, ModelError
from fetalstream.pipeline.explain.relevance_maps import Explainer, overlay
from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.loading import load_model
from fetalstream.pipeline.model.prompts import load_prompts
from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.streamer.phantom.tour import Tour
from fetalstream.streamer.phantom.view import PLANES, in_plane, render
from tests.phantom_structure import structure
from tests.pipeline.tiny import ARCHITECTURE, PROMPTS, tiny_model

PICTURE = np.random.default_rng(0).integers(0, 256, (48, 64), dtype=np.uint8)
CUT_DOWN = {"fetalclip": {"layers": 4, "width": 64, "head_width": 16}, "mobilefetalclip": {"image_size": 128}}


def small(name):
    """A model file's architecture with random weights, cut down to what a test has time for."""
    config = load_model_config(name)
    architecture = copy.deepcopy(config.architecture)
    architecture["vision_cfg"] |= CUT_DOWN.get(name, {})
    config = msgspec.structs.replace(config, architecture=architecture)
    return load_model(config, weights="random", device="cpu", precision="fp32")


def timms_transformer():
    """As BiomedCLIP sees: a transformer of timm, its projection a layer of open_clip's; smaller."""
    vision = {"timm_model_name": "vit_tiny_patch16_224", "timm_pool": "", "timm_proj": "linear", "image_size": 224}
    return tiny_model(architecture={**ARCHITECTURE, "vision_cfg": vision})


MODELS = {
    "mini": lambda: small("mini"),
    "mobilefetalclip": lambda: small("mobilefetalclip"),
    "fetalclip": lambda: small("fetalclip"),
    "a transformer of timm": timms_transformer,
}


def made_up(model, other=True):
    """Unit vectors for sentences: what they say does not matter for a map's shape."""
    width = model.config.architecture["embed_dim"]
    drawn = np.random.default_rng(1).standard_normal((4, width)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    banks = TextBanks(tiny_model(), PROMPTS, None)
    banks.plane_labels = ("brain", "femur", "heart")
    banks.planes, banks.other = drawn[:3], drawn[3] if other else None
    return banks


@pytest.fixture(
    scope="module",
    params=[
        "mini",
        "fetalclip",
        pytest.param("mobilefetalclip", marks=pytest.mark.check),
        pytest.param("a transformer of timm", marks=pytest.mark.check),
    ],
)
def model(request):
    return MODELS[request.param]()


def test_every_architecture_gives_a_map_that_depends_on_the_plane(model):
    explainer = Explainer(model, made_up(model))
    maps = {plane: explainer.explain(PICTURE, plane) for plane in explainer.labels}
    assert list(maps) == ["brain", "femur", "heart", "other"]
    for found in maps.values():
        assert found.heat.shape == PICTURE.shape
        assert found.heat.dtype == np.float32
        assert np.isfinite(found.heat).all()
        assert (found.heat.min() >= 0, found.heat.max()) == (True, 1)
        assert found.heat.std() > 0.01
    assert len({found.method for found in maps.values()}) == 1
    assert np.abs(maps["brain"].heat - maps["femur"].heat).max() > 0.05
    np.testing.assert_array_equal(explainer.explain(PICTURE, "brain").heat, maps["brain"].heat)


def test_the_copy_sees_what_the_model_sees_and_the_model_stays_as_it_was(model):
    tower = openclip.image_tower(model.clip)
    before = {name: tensor.clone() for name, tensor in tower.state_dict().items()}
    kinds = [type(part) for part in tower.modules()]
    explainer = Explainer(model, made_up(model))
    found = explainer.explain(PICTURE, "brain")
    assert [type(part) for part in tower.modules()] == kinds
    assert all(torch.equal(before[name], tensor) for name, tensor in tower.state_dict().items())
    assert not any(weight.requires_grad for weight in tower.parameters())
    with torch.no_grad():
        vector = torch.nn.functional.normalize(tower(explainer._preprocess(PICTURE)[None]), dim=-1)[0].numpy()
    cosines = made_up(model).planes @ vector
    other = float(made_up(model).other @ vector)
    assert found.score == pytest.approx(cosines[0] - cosines[1:].mean() / 2 - other / 2, abs=1e-5)


def test_without_words_for_other_the_other_planes_are_the_contrast():
    model = tiny_model()
    explainer = Explainer(model, made_up(model, other=False))
    assert explainer.labels == ("brain", "femur", "heart")
    assert explainer.explain(PICTURE, "femur").heat.max() == 1


def test_what_cannot_be_explained_is_told_in_a_line():
    model = tiny_model()
    with pytest.raises(ConfigError, match="has no plane 'tail': choose brain, femur, heart, other"):
        Explainer(model, made_up(model)).explain(PICTURE, "tail")
    resnet = {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8}
    model = tiny_model(architecture={**ARCHITECTURE, "vision_cfg": resnet})
    with pytest.raises(ModelError, match="no map can be drawn of this architecture"):
        Explainer(model, made_up(model)).explain(PICTURE, "brain")


@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (31, 33, 3)])
def test_a_map_is_laid_over_a_picture_of_any_shape(shape):
    model = tiny_model()
    pixels = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    heat = Explainer(model, made_up(model)).explain(pixels, "brain").heat
    assert heat.shape == shape[:2]
    drawn = np.asarray(Image.open(io.BytesIO(overlay(pixels, heat))))
    assert drawn.shape == (*shape[:2], 3)


def test_where_the_map_is_cold_the_picture_shows_and_where_it_is_hot_it_is_yellow():
    heat = np.zeros(PICTURE.shape, np.float32)
    heat[:, 32:] = 1
    drawn = np.asarray(Image.open(io.BytesIO(overlay(PICTURE, heat)))).astype(int)
    assert (drawn[:, :32] == PICTURE[:, :32, None]).all()
    assert (drawn[:, 32:].mean(axis=(0, 1)) @ [1, 0, -1]) > 30


# The phantom's truth -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mini(tmp_path_factory):
    config = load_model_config("mini")
    model = load_model(config, device="cpu", precision="fp32")
    return model, TextBanks(model, load_prompts(config.prompts_folder), tmp_path_factory.mktemp("sentences"))


def visits(seeds):
    """Views of planes, near enough to call them hit, each of another visit."""
    views = []
    for seed in seeds:
        tour, seen = Tour(seed), set()
        for index in range(0, 60 * 30, 6):
            view, leg = tour.view_at(index), tour.leg_at(index / 30).epoch
            if view.plane is not None and in_plane(view.z) > 0.9 and leg not in seen:
                seen.add(leg)
                views.append(view)
    return views


def share_inside(heat, view):
    """How much of the map's energy within the sector lies in the true structure, against the structure's area there."""
    sector = render(view) > 0  # black beyond it
    inside = structure(view) & sector
    return float(heat[inside].sum() / heat[sector].sum()) / (inside.sum() / sector.sum())


@pytest.mark.parametrize("seeds", [range(300, 304), pytest.param(range(310, 350), marks=pytest.mark.check)])
def test_minis_maps_point_at_the_true_structure(mini, seeds):
    explainer = Explainer(*mini)
    gains = defaultdict(list)
    for view in visits(seeds):
        gains[view.plane].append(share_inside(explainer.explain(render(view), view.plane).heat, view))
    every = [gain for plane in PLANES for gain in gains[plane]]
    assert len(every) >= 9 * len(seeds)
    assert np.mean(every) > 1.5
    assert np.mean(np.array(every) > 1) > 0.85
    assert {plane: np.mean(gains[plane]) for plane in PLANES if np.mean(gains[plane]) < 1.1} == {}


def test_an_untrained_models_maps_do_not(mini):
    model, banks = mini
    explainer = Explainer(load_model(model.config, weights="random", device="cpu", precision="fp32"), banks)
    seen = visits(range(300, 302))
    chance = [share_inside(explainer.explain(render(view), view.plane).heat, view) for view in seen]
    assert np.mean(chance) < 1.35
