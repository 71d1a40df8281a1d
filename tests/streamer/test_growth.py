import pytest

from streamer.growth import ellipse_circumference_mm, hadlock_femur_mm, who_age_days, who_hc_mm


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
