import itertools
import threading

import numpy as np
import pytest
import torch

from fetalstream.pipeline.errors import DeviceFault
from fetalstream.pipeline.inference.encoder import Encoder, Item
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.heads import label_probabilities
from fetalstream.pipeline.model.loading import load_model
from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.streamer.phantom.source import PhantomSource
from tests.pipeline.tiny import PROMPTS, tiny_model


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    model = tiny_model()
    made = Encoder(model, TextBanks(model, PROMPTS, None))
    made.warm_up((1, 2))
    return made


def pictures(count):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (40 + 9 * i, 60), dtype=np.uint8) for i in range(count)]


def test_a_batch_gives_what_its_pictures_give_alone(encoder):
    batch = encoder.submit([Item(picture) for picture in pictures(5)]).result()
    for picture, together in zip(pictures(5), batch, strict=True):
        (alone,) = encoder.submit([Item(picture)]).result()
        np.testing.assert_allclose(together.embedding, alone.embedding, atol=1e-5)
    assert np.linalg.norm(batch[0].embedding) == pytest.approx(1.0, abs=1e-5)


def test_gray_and_colour_in_one_batch(encoder):
    gray = pictures(1)[0]
    colour = np.repeat(gray[..., None], 3, axis=2)
    first, second = encoder.submit([Item(gray), Item(colour)]).result()
    np.testing.assert_allclose(first.embedding, second.embedding, atol=1e-2)


def test_the_age_is_read_only_where_a_bank_was_given(encoder):
    bank = np.ones((175, 16), dtype=np.float32)
    with_bank, without = encoder.submit([Item(pictures(1)[0], bank), Item(pictures(1)[0])]).result()
    assert with_bank.gestation_row.shape == (175,)
    assert without.gestation_row is None


def test_mini_decides_the_same_alone_and_in_a_batch_of_sixteen():
    model = load_model(load_model_config("mini"), device="cpu", precision="fp32")
    banks = TextBanks(model, PROMPTS, None)
    mini = Encoder(model, banks)
    frames = [frame.pixels for frame in itertools.islice(PhantomSource(5), 0, 160, 10)]
    together = mini.submit([Item(pixels) for pixels in frames]).result()
    again = mini.submit([Item(pixels) for pixels in frames]).result()
    for pixels, one, twice in zip(frames, together, again, strict=True):
        (alone,) = mini.submit([Item(pixels)]).result()
        np.testing.assert_array_equal(one.plane_cosines, twice.plane_cosines)
        wanted = label_probabilities(alone.plane_cosines)
        got = label_probabilities(one.plane_cosines)
        assert got.argmax() == wanted.argmax()
        np.testing.assert_allclose(got, wanted, atol=1e-3)


def test_times_are_told(encoder):
    pending = encoder.submit([Item(pictures(1)[0])])
    pending.result()
    assert pending.preprocess_ms > 0
    assert pending.encode_ms > 0


def test_an_output_that_is_not_finite_is_none(encoder, monkeypatch):
    class Broken(torch.nn.Module):
        def forward(self, images):
            features = torch.ones(len(images), 16)
            features[0] = torch.nan
            return features

    monkeypatch.setattr(encoder._stage, "_tower", Broken())
    scores = encoder.submit([Item(picture) for picture in pictures(2)]).result()
    assert [score is None for score in scores] == [True, False]


def test_an_empty_batch_is_a_mistake(encoder):
    with pytest.raises(ValueError, match="at least one"):
        encoder.submit([])


class Failing:
    """Stands before a real stage, at the seam where a device reports its troubles."""

    synchronous = False

    def __init__(self, stage, *troubles):
        self.stage, self.troubles = stage, list(troubles)
        self.sizes, self.freed = [], 0

    def launch(self, items):
        self.sizes.append(len(items))
        if self.troubles and (trouble := self.troubles.pop(0)) is not None:
            raise trouble
        return self.stage.launch(items)

    def free(self):
        self.freed += 1


def failing(encoder, *troubles):
    model = tiny_model()
    stage = Failing(encoder._stage, *troubles)
    return Encoder(model, TextBanks(model, PROMPTS, None), stage), stage


def test_out_of_memory_halves_the_batch_and_tries_once_more(encoder):
    items = [Item(picture) for picture in pictures(5)]
    troubled, stage = failing(encoder, torch.cuda.OutOfMemoryError("CUDA out of memory"))
    found = troubled.submit(items).result()
    assert (stage.sizes, stage.freed) == ([5, 3, 2], 1)
    for one, other in zip(found, encoder.submit(items).result(), strict=True):
        np.testing.assert_allclose(one.embedding, other.embedding, atol=1e-5)
    assert troubled.batch == 2  # of the fixed sizes, what is known to fit


def test_out_of_memory_twice_ends_the_process(encoder):
    trouble = torch.cuda.OutOfMemoryError("CUDA out of memory")
    troubled, stage = failing(encoder, trouble, trouble)
    with pytest.raises(DeviceFault, match="too little memory"):
        troubled.submit([Item(picture) for picture in pictures(4)]).result()
    assert stage.sizes == [4, 2]


def test_any_other_error_of_a_device_ends_the_process(encoder):
    troubled, _ = failing(encoder, RuntimeError("CUDA error: an illegal memory access was encountered\nmore"))
    with pytest.raises(DeviceFault, match=r"illegal memory access was encountered\); the engine"):
        troubled.submit([Item(pictures(1)[0])]).result()


def test_a_device_may_fail_after_the_batch_was_handed_over(encoder):
    class Late:
        synchronous = False

        def launch(self, items):
            return self

        def collect(self):
            raise RuntimeError("CUDA error: device-side assert triggered")

    model = tiny_model()
    with pytest.raises(DeviceFault, match="device-side assert"):
        Encoder(model, TextBanks(model, PROMPTS, None), Late()).submit([Item(pictures(1)[0])]).result()


def test_one_batch_is_handed_over_while_another_is_worked_on(encoder):
    gate = threading.Event()

    class Slow(Failing):
        def launch(self, items):
            assert gate.wait(60)
            return super().launch(items)

    model = tiny_model()
    slow = Encoder(model, TextBanks(model, PROMPTS, None), Slow(encoder._stage))
    first, second = (slow.submit([Item(picture)]) for picture in pictures(2))
    assert not first.wait(0.0)
    gate.set()
    assert first.wait(60)
    assert second.wait(60)
    assert second.queue_ms == 0
    second.result()
    assert second.queue_ms > 0


def test_the_model_is_called_by_one_thread_only(encoder, monkeypatch):
    seen = set()
    launch = encoder._stage.launch

    def watched(items):
        seen.add(threading.current_thread().name)
        return launch(items)

    monkeypatch.setattr(encoder._stage, "launch", watched)
    for _ in range(3):
        encoder.submit([Item(pictures(1)[0])]).result()
    assert len(seen) == 1
    assert threading.current_thread().name not in seen
