import pytest

from fetalstream.pipeline.evaluation.vpr import Rate, is_valid, valid_prediction_rate
from fetalstream.streamer.growth import who_hc_mm


def test_the_median_head_is_valid_and_the_band_has_two_ends():
    assert is_valid(140, who_hc_mm(20))
    assert is_valid(140, who_hc_mm(20, 2.5))
    assert is_valid(140, who_hc_mm(20, 97.5))
    assert not is_valid(140, who_hc_mm(20, 2.5) - 0.1)
    assert not is_valid(140, who_hc_mm(20, 97.5) + 0.1)


def test_heads_beyond_the_charts_are_not_counted():
    assert valid_prediction_rate([140, 140, 140], [99.9, 175.0, 342.1]) == Rate(1, 1)


def test_nothing_counted_has_no_percentage():
    assert valid_prediction_rate([], []).percent is None
    assert Rate(1, 4).percent == 25


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="longer"):
        valid_prediction_rate([140.0], [175.0, 175.0])
