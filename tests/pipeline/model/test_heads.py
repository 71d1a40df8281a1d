import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fetalstream.pipeline.model.heads import Heads, label_probabilities
from fetalstream.pipeline.model.textbank import TextBanks
from tests.pipeline.tiny import PROMPTS, tiny_model

cosines = hnp.arrays(np.float32, st.integers(1, 12), elements=st.floats(-1, 1, width=32))


@given(cosines)
def test_probabilities_sum_to_one_and_keep_the_order(values):
    probabilities = label_probabilities(values)
    assert probabilities.sum() == pytest.approx(1.0)
    assert (probabilities >= 0).all()
    assert values[probabilities.argmax()] == pytest.approx(values.max(), abs=1e-6)


def test_cosines_count_a_hundredfold():
    values = np.array([0.30, 0.25], dtype=np.float32)
    np.testing.assert_allclose(label_probabilities(values)[0], 1 / (1 + np.exp(-5.0)), rtol=1e-5)


@pytest.fixture(scope="module")
def banks() -> TextBanks:
    return TextBanks(tiny_model(), PROMPTS, None)


def test_one_product_gives_every_cosine(banks):
    vectors = np.random.default_rng(0).normal(size=(3, 16)).astype(np.float32)
    bank = np.random.default_rng(1).normal(size=(175, 16)).astype(np.float32)
    first, second, third = Heads(banks).outputs(vectors, [None, bank, None])
    np.testing.assert_allclose(first.plane_cosines, banks.planes @ vectors[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(second.subplane_cosines, banks.subplanes @ vectors[1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(second.gestation_row, 100 * bank @ vectors[1], rtol=1e-4)
    assert third.other_cosine == pytest.approx(float(banks.other @ vectors[2]), rel=1e-4)
    assert first.gestation_row is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_picture_that_is_not_finite_costs_itself_only(banks, bad):
    vectors = np.ones((3, 16), dtype=np.float32)
    vectors[1, 4] = bad
    scores = Heads(banks).outputs(vectors, [None, np.ones((175, 16), dtype=np.float32), None])
    assert [outputs is None for outputs in scores] == [False, True, False]
