import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.growth import (
    ellipse_circumference_mm,
    hadlock_age_days,
    hadlock_femur_mm,
    intergrowth_age_days,
    who_age_days,
    who_hc_mm,
)


@pytest.mark.parametrize(("weeks", "hc_mm"), [(20.13, 175.0), (32.58, 300.0)])
def test_the_who_median_at_published_points(weeks: float, hc_mm: float):
    assert who_hc_mm(weeks) == pytest.approx(hc_mm, rel=0.001)


def test_the_percentiles_lie_in_order():
    assert who_hc_mm(24, 2.5) < who_hc_mm(24) < who_hc_mm(24, 97.5)


@pytest.mark.parametrize("days", [98, 143, 200, 272])
def test_age_is_the_inverse_of_size(days: int):
    assert who_age_days(who_hc_mm(days / 7)) == pytest.approx(days, abs=0.01)


def test_a_size_outside_the_charts_gives_the_end_of_the_bracket():
    assert who_age_days(10) == pytest.approx(70, abs=0.01)
    assert who_age_days(900) == pytest.approx(294, abs=0.01)


def test_a_femur_of_twenty_weeks():
    # The caliper on a published 20w0d screen reads 32.3 mm.
    assert hadlock_femur_mm(20) == pytest.approx(32.3, abs=1.0)


def test_a_circle_has_the_circumference_of_a_circle():
    assert ellipse_circumference_mm(10, 10) == pytest.approx(31.41593, rel=1e-5)


@pytest.mark.parametrize(
    ("hc_mm", "hadlock_weeks", "intergrowth_weeks"), [(175.0, 20.02, 20.22), (300.0, 33.26, 32.96)]
)
def test_ages_by_other_curves(hc_mm: float, hadlock_weeks: float, intergrowth_weeks: float):
    hadlock, intergrowth = hadlock_age_days(hc_mm), intergrowth_age_days(hc_mm)
    assert hadlock is not None
    assert intergrowth is not None
    assert hadlock / 7 == pytest.approx(hadlock_weeks, abs=0.006)  # printed to two decimals
    assert intergrowth / 7 == pytest.approx(intergrowth_weeks, abs=0.006)


@given(st.floats(allow_nan=False))
def test_a_size_that_no_chart_covers_has_no_age(hc_mm: float):
    for age in (hadlock_age_days, intergrowth_age_days):
        days = age(hc_mm)
        assert days is None or 98 <= days <= 294


@given(st.floats(100, 340), st.floats(0.5, 15))
def test_a_larger_head_is_older_by_every_curve(hc_mm: float, more_mm: float):
    for age in (hadlock_age_days, intergrowth_age_days):
        days, later = age(hc_mm), age(hc_mm + more_mm)
        assert days is None or later is None or days < later


@given(st.floats(110, 330))
def test_the_curves_agree_within_two_weeks(hc_mm: float):
    found = [days for days in (hadlock_age_days(hc_mm), intergrowth_age_days(hc_mm)) if days is not None]
    assert all(abs(days - who_age_days(hc_mm)) < 14 for days in found)


def test_next_to_no_head_has_no_age():
    assert [intergrowth_age_days(hc_mm) for hc_mm in (0.003, 0.005, 1.0, 5.0)] == [None] * 4
