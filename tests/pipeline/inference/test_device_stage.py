"""The path of an accelerator, on a CPU: all but streams, pinned memory and graphs, for which `OnCpu` stands in."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from fetalstream.pipeline.inference.bank_pool import BankPool
from fetalstream.pipeline.inference.device_stage import POOL_BANKS, DeviceStage, ShapeGroup, group_by_shape
from fetalstream.pipeline.inference.encoder import Encoder, Item
from fetalstream.pipeline.model.heads import Heads
from fetalstream.pipeline.model.textbank import TextBanks
from tests.pipeline.tiny import PROMPTS, tiny_model


class Arrived:
    ms = 1.0

    def __init__(self, tensor):
        self.tensor = tensor.clone()

    def numbers(self):
        return self.tensor.numpy()


class OnCpu:
    """`pipeline.inference.cuda.Cuda` with outputs that the next batch of the same size overwrites, as a graph's are."""

    device = torch.device("cpu")

    def __init__(self):
        self.captures = []

    def staging(self, size):
        return torch.empty(size, dtype=torch.uint8)

    def upload(self, staged):
        return staged.clone()

    def computing(self):
        return nullcontext()

    def captured(self, work):
        output = work()
        self.captures.append(len(output))
        return lambda: output.copy_(work())

    def mark(self):
        return None

    def download(self, numbers, begun):
        return Arrived(numbers)

    def free(self):
        pass


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(scope="module")
def banks(model):
    return TextBanks(model, PROMPTS, None)


def pictures():
    """Streams of different sizes, gray and in colour, in no order."""
    rng = np.random.default_rng(1)
    shapes = [(40, 60), (33, 20), (40, 60, 3), (40, 60), (33, 20), (90, 90)]
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]


def sentences(count):
    rng = np.random.default_rng(2)
    return [rng.normal(size=(175, 16)).astype(np.float32) for _ in range(count)]


def test_a_mixed_batch_gives_what_the_cpus_path_gives(model, banks):
    first, second = sentences(2)
    given = [first, None, second, first, None, second]
    items = [Item(pixels, bank) for pixels, bank in zip(pictures(), given, strict=True)]
    device = OnCpu()
    ours = Encoder(model, banks, DeviceStage(model, Heads(banks), device)).submit(items).result()
    plain = Encoder(model, banks).submit(items).result()
    assert device.captures == [8]
    for one, other in zip(ours, plain, strict=True):
        np.testing.assert_allclose(one.embedding, other.embedding, atol=5e-3)  # a byte's rounding in the resize
        np.testing.assert_allclose(one.plane_cosines, other.plane_cosines, atol=5e-3)
        assert (one.gestation_row is None) == (other.gestation_row is None)
    for item, one in zip(items, ours, strict=True):
        if item.gestation_bank is not None:
            np.testing.assert_allclose(
                one.gestation_row, 100 * item.gestation_bank @ one.embedding, rtol=1e-3, atol=1e-3
            )


def test_padding_changes_nothing_and_each_size_is_captured_once(model, banks):
    device = OnCpu()
    stage = DeviceStage(model, Heads(banks), device)
    items = [Item(pixels) for pixels in pictures()]
    together = stage.launch(items[:5]).collect()
    for number, item in enumerate(items[:5]):
        alone = stage.launch([item]).collect()
        np.testing.assert_allclose(together.embeddings[number], alone.embeddings[0], atol=1e-5)
    assert device.captures == [8, 1]


def test_two_batches_on_the_way_do_not_overwrite_each_other(model, banks):
    stage = DeviceStage(model, Heads(banks), OnCpu())
    one, other = [Item(pixels) for pixels in pictures()[:2]]
    launches = [stage.launch([one]), stage.launch([other])]
    found = [launch.collect().embeddings[0] for launch in launches]
    np.testing.assert_array_equal(found[0], stage.launch([one]).collect().embeddings[0])
    assert np.abs(found[0] - found[1]).max() > 1e-4


def test_a_bank_that_changes_its_place_is_read_from_the_new_one(model, banks):
    stage = DeviceStage(model, Heads(banks), OnCpu())
    picture = pictures()[0]
    many = sentences(POOL_BANKS + 2)
    for bank in [*many, *many[:3]]:
        found = stage.launch([Item(picture, bank)]).collect()
        np.testing.assert_allclose(found.rows[0], 100 * bank @ found.embeddings[0], rtol=1e-3, atol=1e-3)


def test_more_spacings_than_places_leave_some_for_later():
    pool = BankPool(2, 16, torch.device("cpu"))
    first, second, third = sentences(3)
    assert pool.slots([first, second, third, first, None]) == [0, 1, None, 0, None]
    assert pool.slots([third, first]) == [1, 0]
    np.testing.assert_array_equal(pool.texts[175:].numpy(), third)


def test_pictures_of_one_shape_lie_together():
    found = group_by_shape([(4, 5), (2, 2), (4, 5), (4, 5, 3)])
    assert found == [ShapeGroup((4, 5), (0, 2)), ShapeGroup((2, 2), (1,)), ShapeGroup((4, 5, 3), (3,))]
