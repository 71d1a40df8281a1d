import numpy as np
import pytest
import torch

from fetalstream.pipeline.inference import cpu_stage
from fetalstream.pipeline.inference.cpu_stage import CpuStage
from fetalstream.pipeline.inference.stage import Item
from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.heads import LOGIT_SCALE, Heads
from fetalstream.pipeline.model.preprocess import Preprocess
from fetalstream.pipeline.model.textbank import TextBanks
from tests.pipeline.tiny import PROMPTS, tiny_model


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(scope="module")
def heads(model):
    return Heads(TextBanks(model, PROMPTS, None))


@pytest.fixture(autouse=True)
def threads():
    """Torch's number of threads, which a stage may change, is as before afterwards."""
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((40, 60), (33, 20, 3), (90, 90))]


def plain_vectors(model, pictures):
    """Pictures through the tower one by one."""
    config = model.config
    preprocess = Preprocess(model.image_size, config.mean, config.std, model.device, model.dtype)
    tower = openclip.image_tower(model.clip)
    with torch.inference_mode():
        features = torch.cat([tower(preprocess(pixels)[None]) for pixels in pictures])
    return torch.nn.functional.normalize(features, dim=-1).numpy()


def test_a_batch_gives_the_towers_vectors_and_their_products_in_order(model, heads, pictures):
    bank = np.random.default_rng(1).standard_normal((175, 16)).astype(np.float32)
    items = [Item(pictures[0]), Item(pictures[1], bank), Item(pictures[2])]
    encoded = CpuStage(model, heads).launch(items).collect()
    vectors = plain_vectors(model, pictures)
    np.testing.assert_allclose(encoded.embeddings, vectors, atol=1e-5)
    np.testing.assert_allclose(encoded.cosines, vectors @ heads.texts, atol=1e-5)
    assert [row is None for row in encoded.rows] == [True, False, True]
    np.testing.assert_allclose(encoded.rows[1], LOGIT_SCALE * bank @ vectors[1], atol=1e-3)


def test_the_times_of_a_batch_are_measured(model, heads, pictures):
    encoded = CpuStage(model, heads).launch([Item(pixels) for pixels in pictures]).collect()
    assert encoded.preprocess_ms > 0
    assert encoded.encode_ms > 0


def test_results_keep_no_gradients(model, heads, pictures):
    stage = CpuStage(model, heads)
    launched = stage.launch([Item(pictures[0])])
    first = launched.collect().embeddings.copy()
    stage.launch([Item(pictures[2])])
    np.testing.assert_array_equal(launched.collect().embeddings, first)
    stage.free()
    np.testing.assert_array_equal(stage.launch([Item(pictures[0])]).collect().embeddings, first)


def test_a_small_tower_runs_on_one_thread(model, heads):
    torch.set_num_threads(2)
    CpuStage(model, heads)
    assert torch.get_num_threads() == 1


def test_a_large_tower_keeps_the_threads(model, heads, monkeypatch):
    torch.set_num_threads(2)
    monkeypatch.setattr(cpu_stage, "SMALL_PARAMETERS", 10)
    CpuStage(model, heads)
    assert torch.get_num_threads() == 2
