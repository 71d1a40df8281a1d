import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fetalstream.pipeline.readout.openset import OpenSet, Rejector, evidence, log_odds

PLANES = ("abdomen", "brain")
cosines = hnp.arrays(np.float32, 4, elements=st.floats(-1, 1, width=32))


@given(cosines, st.none() | st.floats(-1, 1), st.floats(-5, 5), st.floats(-20, 20))
def test_probabilities_are_a_distribution_that_keeps_the_order_of_the_planes(planes, other, weight, threshold):
    found = Rejector((1.0, weight, weight), threshold, np.full(4, 5.0)).probabilities(planes, other)
    assert found.shape == (5,)
    assert found.sum() == pytest.approx(1.0)
    assert (found >= 0).all()
    if found[:4].max() > 1e-12:
        assert planes[found[:4].argmax()] == pytest.approx(planes.max(), abs=1e-6)


def test_without_constants_other_competes_in_one_softmax_by_its_own_sentences():
    found = Rejector().probabilities(np.array([0.30, 0.25]), 0.29)
    powers = np.exp(np.array([30.0, 25.0, 29.0]) - 30)
    np.testing.assert_allclose(found, powers / powers.sum())


def test_without_sentences_and_constants_nothing_speaks_for_other():
    assert Rejector().probabilities(np.array([0.30, 0.25]), None)[-1] == 0.0


def test_the_threshold_is_where_other_begins():
    constants = OpenSet(background=1.0, margin=0.5, similarity=0.25, threshold=3.0, typical={"abdomen": 30, "brain": 4})
    rejector = Rejector.of(constants, PLANES)
    parts = evidence(np.array([0.30, 0.25]), 0.29, np.array([30.0, 4.0]))
    np.testing.assert_allclose(parts, [np.log1p(np.exp(-5)) + 1, 5.0, 0.0])
    expected = 1 / (1 + np.exp(parts @ (1.0, 0.5, 0.25) - 3.0))
    assert rejector.probabilities(np.array([0.30, 0.25]), 0.29)[-1] == pytest.approx(expected)


def test_a_picture_unlike_any_standard_plane_is_other_though_one_plane_leads():
    constants = OpenSet(margin=0.2, similarity=1.0, typical={"abdomen": 30.0, "brain": 30.0})
    rejector = Rejector.of(constants, PLANES)
    assert rejector.probabilities(np.array([0.30, 0.20]), None)[-1] < 0.5
    assert rejector.probabilities(np.array([0.10, 0.00]), None)[-1] > 0.99


def test_frames_at_once_give_what_each_gives_alone():
    rng = np.random.default_rng(0)
    many, other, typical = rng.normal(size=(7, 3)) / 10, rng.normal(size=7) / 10, np.array([1.0, 2.0, 3.0])
    alone = [evidence(row, value, typical) for row, value in zip(many, other, strict=True)]
    np.testing.assert_allclose(evidence(many, other, typical), alone)


def test_prompts_with_other_planes_have_no_typical_similarity():
    constants = OpenSet(similarity=1.0, typical={"abdomen": 30.0})
    assert Rejector.of(constants, PLANES).typical is None
    assert Rejector.of(constants, PLANES[:1]).typical is not None


@pytest.mark.parametrize("bad", [{"similarity": 1.0}, {"surprise": 1.0}])
def test_senseless_constants_are_refused(bad):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(bad, OpenSet)


def test_log_odds_are_finite_for_certainty_too():
    np.testing.assert_allclose(log_odds(np.array([0.5, 0.9])), [0.0, np.log(9)])
    assert log_odds(1.0) == pytest.approx(-log_odds(0.0)) == pytest.approx(27.6, abs=0.1)


def test_what_a_well_hit_plane_is_worth_goes_with_the_rejector():
    assert Rejector.of(OpenSet(well_hit=5.0), PLANES).well_hit == 5.0
    assert Rejector().well_hit is None
