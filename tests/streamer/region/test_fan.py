"""Outlines of scan regions, whose area and extent are known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.region.fan import Fan, clipped

WINDOW = (0.0, 0.0, 400.0, 300.0)


def area(points):
    """By the shoelace formula; positive whichever way round the outline goes."""
    pairs = zip(points, [*points[1:], *points[:1]], strict=True)
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)) / 2


def convex(half_angle=0.6, near=60.0, far=260.0, apex=(200.0, -30.0), window=WINDOW):
    """A fan of which apex, radii and angle are known."""
    x, y = apex
    reach = [math.tan(half_angle) * (edge - y) for edge in (window[1], window[3])]
    return Fan((x - reach[0], x - reach[1]), (x + reach[0], x + reach[1]), y + near, y + far, window)


def test_a_fan_is_as_large_as_the_ring_between_its_arcs():
    wide = (-1000.0, 0.0, 1400.0, 1000.0)
    fan = convex(window=wide)
    expected = 0.6 * (260.0**2 - 60.0**2)  # half the angle, both sides
    assert area(fan.polygon()) == pytest.approx(expected, rel=2e-3)  # 24 points stand for each arc


def test_the_arcs_lie_at_their_distance_from_the_apex():
    distances = {
        round(math.hypot(x - 200, y + 30), 6) for x, y in convex(window=(-1000.0, 0.0, 1400.0, 1000.0)).polygon()
    }
    assert distances == {60.0, 260.0}


def test_the_window_cuts_a_fan_off():
    fan = convex(half_angle=0.9)
    points = fan.polygon()
    assert min(x for x, _ in points) >= 0
    assert max(x for x, _ in points) <= 400
    assert area(points) < area(convex(half_angle=0.9, window=(-1000.0, 0.0, 1400.0, 1000.0)).polygon())


def test_parallel_edges_make_a_rectangle_from_near_to_far():
    points = Fan((100.0, 100.0), (300.0, 300.0), 20.0, 280.0, WINDOW).polygon()
    assert sorted(points) == [(100.0, 20.0), (100.0, 280.0), (300.0, 20.0), (300.0, 280.0)]
    assert area(points) == 200 * 260


def test_a_leaning_box_stays_a_parallelogram():
    points = Fan((100.0, 130.0), (200.0, 230.0), 0.0, 300.0, WINDOW).polygon()
    assert area(points) == pytest.approx(100 * 300)
    assert min(points, key=lambda point: (point[1], point[0])) == (100.0, 0.0)


@pytest.mark.parametrize(
    ("fan", "kind"),
    [
        (convex(0.6, 60, 260), "convex"),
        (convex(0.6, 120, 320, (200.0, -90.0)), "convex"),
        (convex(0.7, 4, 290, (200.0, 0.0)), "phased"),
        (Fan((100.0, 100.0), (300.0, 300.0), 0.0, 300.0, WINDOW), "linear"),
        (Fan((100.0, 105.0), (300.0, 302.0), 0.0, 300.0, WINDOW), "linear"),
        (Fan((130.0, 60.0), (270.0, 340.0), 0.5, 300.0, WINDOW), "trapezoid"),
    ],
)
def test_the_kind_of_probe_follows_from_the_outline(fan, kind):
    assert fan.kind() == kind


def test_a_window_without_height_leaves_nothing_and_raises_nothing():
    assert area(Fan((1.0, 2.0), (3.0, 4.0), 0.0, 5.0, (0.0, 7.0, 9.0, 7.0)).polygon() or [(0, 0)]) == 0


NUMBERS = st.floats(-500, 900)


@given(st.tuples(NUMBERS, NUMBERS), st.tuples(NUMBERS, NUMBERS), NUMBERS, NUMBERS)
def test_whatever_a_search_tries_has_an_outline_in_the_window(left, right, near, far):
    fan = Fan(left, right, near, far, WINDOW)
    points = fan.polygon()
    for x, y in points:
        assert -1e-6 <= x <= 400 + 1e-6
        assert -1e-6 <= y <= 300 + 1e-6
    assert area(points or [(0, 0)]) <= 400 * 300 + 1e-6
    assert fan.kind() in ("convex", "phased", "linear", "trapezoid")


POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=3)


@given(POINTS)
def test_clipping_leaves_what_lies_inside_and_clipping_again_changes_nothing(triangle):
    once = clipped(triangle, WINDOW)
    assert area(once or [(0, 0)]) <= area(triangle) + 1e-6
    for x, y in once:
        assert -1e-6 <= x <= 400 + 1e-6
        assert -1e-6 <= y <= 300 + 1e-6
    if all(0 <= x <= 400 and 0 <= y <= 300 for x, y in triangle):
        assert sorted(once) == sorted(triangle)
    again = clipped(once, WINDOW)
    assert area(again or [(0, 0)]) == pytest.approx(area(once or [(0, 0)]), abs=1e-6)


def test_a_square_over_a_corner_is_cut_to_the_quarter_inside():
    square = [(-10.0, -10.0), (10.0, -10.0), (10.0, 10.0), (-10.0, 10.0)]
    assert sorted(clipped(square, WINDOW)) == [(0.0, 0.0), (0.0, 10.0), (10.0, 0.0), (10.0, 10.0)]


def test_what_lies_outside_is_gone():
    assert clipped([(500.0, 10.0), (600.0, 10.0), (550.0, 90.0)], WINDOW) == []
