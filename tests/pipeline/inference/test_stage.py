"""The contract of a stage, held by each of the two; an accelerator is stood in for by a CPU."""

import dataclasses

import numpy as np
import pytest
import torch

from fetalstream.pipeline.inference.cpu_stage import CpuStage
from fetalstream.pipeline.inference.device_stage import DeviceStage
from fetalstream.pipeline.inference.stage import Encoded, Item
from fetalstream.pipeline.model.heads import Heads
from fetalstream.pipeline.model.textbank import TextBanks
from tests.pipeline.inference.test_device_stage import OnCpu
from tests.pipeline.tiny import PROMPTS, tiny_model

STAGES = {"cpu": CpuStage, "device": lambda model, heads: DeviceStage(model, heads, OnCpu())}


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(scope="module")
def heads(model):
    return Heads(TextBanks(model, PROMPTS, None))


@pytest.fixture(params=list(STAGES))
def stage(request, model, heads):
    threads = torch.get_num_threads()
    yield STAGES[request.param](model, heads)
    torch.set_num_threads(threads)


def picture(seed, shape=(40, 60)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def collected(stage, items) -> Encoded:
    return stage.launch(items).collect()


def test_a_batch_has_the_shapes_that_it_promises(stage, heads):
    bank = np.ones((175, 16), np.float32)
    encoded = collected(stage, [Item(picture(0), bank), Item(picture(1)), Item(picture(2, (30, 30, 3)))])
    assert encoded.embeddings.shape == (3, 16)
    assert encoded.cosines.shape == (3, heads.texts.shape[1])
    assert [None if row is None else row.shape for row in encoded.rows] == [(175,), None, None]
    np.testing.assert_allclose(np.linalg.norm(encoded.embeddings, axis=1), 1.0, atol=1e-5)
    assert min(encoded.preprocess_ms, encoded.encode_ms) > 0


def test_the_order_of_a_batch_does_not_change_what_each_picture_gets(stage):
    items = [Item(picture(seed, shape)) for seed, shape in enumerate([(40, 60), (20, 30), (40, 60), (50, 50)])]
    forwards, backwards = collected(stage, items), collected(stage, items[::-1])
    np.testing.assert_allclose(forwards.embeddings, backwards.embeddings[::-1], atol=1e-5)


@pytest.mark.parametrize("count", [1, 5, 32])
def test_every_size_of_batch_up_to_thirty_two_is_taken(stage, count):
    items = [Item(picture(0))] * count
    encoded = collected(stage, items)
    assert len(encoded.embeddings) == len(encoded.rows) == count
    np.testing.assert_allclose(encoded.embeddings, np.repeat(encoded.embeddings[:1], count, axis=0), atol=1e-5)


def test_memory_that_was_released_does_not_change_results(stage):
    before = collected(stage, [Item(picture(3))]).embeddings.copy()
    stage.free()
    np.testing.assert_allclose(collected(stage, [Item(picture(3))]).embeddings, before, atol=1e-6)


def test_both_stages_agree(model, heads):
    bank = np.random.default_rng(5).standard_normal((175, 16)).astype(np.float32)
    items = [Item(picture(0), bank), Item(picture(1, (64, 33))), Item(picture(2, (30, 30, 3)), bank)]
    threads = torch.get_num_threads()
    one, other = (collected(make(model, heads), items) for make in STAGES.values())
    torch.set_num_threads(threads)
    np.testing.assert_allclose(one.embeddings, other.embeddings, atol=2e-2)
    assert (one.rows[1], other.rows[1]) == (None, None)
    assert one.rows[0].argmax() == other.rows[0].argmax()


def test_a_picture_asks_for_no_age_by_default_and_is_not_changed():
    item = Item(picture(0))
    assert item.gestation_bank is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        item.pixels = picture(1)
