import pytest

from fetalstream.pipeline.evaluation.vpr import COUNTED_HC_MM, is_valid
from fetalstream.pipeline.readout.gestation import GRID_DAYS
from fetalstream.streamer.growth import who_age_days, who_hc_mm


def test_the_median_head_is_valid_and_the_band_has_two_ends():
    assert is_valid(140, who_hc_mm(20))
    assert is_valid(140, who_hc_mm(20, 2.5))
    assert is_valid(140, who_hc_mm(20, 97.5))
    assert not is_valid(140, who_hc_mm(20, 2.5) - 0.1)
    assert not is_valid(140, who_hc_mm(20, 97.5) + 0.1)


def test_the_age_that_a_head_implies_is_valid_for_every_head_that_is_counted():
    low, high = (int(hc_mm) for hc_mm in COUNTED_HC_MM)
    assert all(is_valid(who_age_days(hc_mm), hc_mm) for hc_mm in range(low, high))


@pytest.mark.parametrize(("days", "hc_mm"), [(140, 300.0), (250, 175.0)])
def test_a_head_of_another_trimester_is_not_valid(days, hc_mm):
    assert not is_valid(days, hc_mm)


def test_the_heads_counted_are_those_of_the_days_that_a_model_is_asked_about():
    assert who_hc_mm(GRID_DAYS[0] / 7) <= COUNTED_HC_MM[0]
    assert COUNTED_HC_MM[1] <= who_hc_mm(GRID_DAYS[-1] / 7, 97.5)
