import numpy as np
import pytest
import torch

from pipeline.encoder import Encoder, Item
from pipeline.textbank import TextBanks
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


def test_times_are_told(encoder):
    pending = encoder.submit([Item(pictures(1)[0])])
    assert pending.preprocess_ms > 0
    assert pending.encode_ms > 0


def test_an_output_that_is_not_finite_is_none(encoder, monkeypatch):
    class Broken(torch.nn.Module):
        def forward(self, images):
            features = torch.ones(len(images), 16)
            features[0] = torch.nan
            return features

    monkeypatch.setattr(encoder, "_tower", Broken())
    scores = encoder.submit([Item(picture) for picture in pictures(2)]).result()
    assert [score is None for score in scores] == [True, False]


def test_an_empty_batch_is_a_mistake(encoder):
    with pytest.raises(ValueError, match="at least one"):
        encoder.submit([])
