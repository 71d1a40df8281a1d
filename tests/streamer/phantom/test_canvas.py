import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.phantom.canvas import Canvas, Pose, ellipse_points

UPRIGHT = Pose(80.0, 60.0, 0.0, 1, 2.0)
FINITE = st.floats(-200, 200)


def made():
    return Canvas(120, 160, (80.0, -40.0))


def middle(mask):
    ys, xs = np.nonzero(mask)
    return xs.mean(), ys.mean()


def test_millimetres_become_pixels_about_the_origin():
    points = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    np.testing.assert_allclose(UPRIGHT.to_canvas(points), [[80, 60], [100, 60], [80, 80]])


def test_a_mirrored_body_shows_its_other_side():
    mirrored = Pose(80.0, 60.0, 0.0, -1, 2.0)
    np.testing.assert_allclose(mirrored.to_canvas(np.array([[10.0, 5.0]])), [[60, 70]])


@given(FINITE, FINITE, st.floats(-7, 7), st.sampled_from([-1, 1]), st.floats(0.1, 5))
def test_a_pose_keeps_distances_but_for_the_scale(x, y, angle, mirror, px_per_mm):
    points = Pose(3.0, 4.0, angle, mirror, px_per_mm).to_canvas(np.array([[0.0, 0.0], [x, y]]))
    assert math.dist(*points) == pytest.approx(px_per_mm * math.hypot(x, y), abs=1e-6)


@given(FINITE, FINITE, st.floats(0.1, 50), st.floats(0.1, 50), st.floats(-4, 4))
def test_an_ellipse_closes_and_lies_within_its_axes(x, y, rx, ry, tilt):
    points = ellipse_points(x, y, rx, ry, tilt)
    np.testing.assert_allclose(points[0], points[-1], atol=1e-6)
    distances = np.hypot(points[:, 0] - x, points[:, 1] - y)
    assert distances.max() <= max(rx, ry) + 1e-6
    assert distances.min() >= min(rx, ry) - 1e-6


def test_an_arc_has_points_in_proportion_and_never_too_few():
    assert len(ellipse_points(0, 0, 5, 5)) == 56
    assert len(ellipse_points(0, 0, 5, 5, start=0, stop=math.pi)) == 28
    assert len(ellipse_points(0, 0, 5, 5, start=1, stop=1.01)) == 8


def test_a_blob_covers_its_ellipse_at_its_level():
    canvas = made()
    canvas.blob(UPRIGHT, 5, -3, 12, 6, 150)
    covered = canvas.level > 75
    assert covered.sum() == pytest.approx(math.pi * 24 * 12, rel=0.1)
    assert middle(covered) == pytest.approx((90, 54), abs=0.6)
    assert canvas.level[54, 90] == 150
    assert canvas.bone.max() == 0


def test_what_is_drawn_later_lies_over_what_was_there():
    canvas = made()
    canvas.blob(UPRIGHT, 0, 0, 12, 12, 150)
    canvas.blob(UPRIGHT, 0, 0, 4, 4, 10)
    assert canvas.level[60, 80] == 10
    assert canvas.level[60, 96] == 150


def test_a_line_is_as_thick_as_it_says_and_never_thinner_than_a_pixel():
    for width_mm, rows in ((4.0, 8), (0.01, 1)):
        canvas = made()
        canvas.line(UPRIGHT, np.array([[-20.0, 0.0], [20.0, 0.0]]), width_mm, 200)
        assert (canvas.level[:, 80] > 100).sum() == pytest.approx(rows, abs=1)


def test_a_surface_shines_where_it_faces_the_probe():
    level = Canvas(120, 160, (80.0, -1000.0))
    level.surface(UPRIGHT, np.array([[-20.0, 0.0], [20.0, 0.0]]), 1.5, 240, side=0.3)
    along = Canvas(120, 160, (80.0, -1000.0))
    along.surface(UPRIGHT, np.array([[0.0, -20.0], [0.0, 20.0]]), 1.5, 240, side=0.3)
    assert level.level.max() == pytest.approx(240, abs=2)
    assert along.level.max() == pytest.approx(0.3 * 240, abs=3)


def test_bone_attenuates_where_the_surface_is_and_a_soft_one_does_not():
    canvas = made()
    arc = ellipse_points(0, 0, 20, 20)
    canvas.surface(UPRIGHT, arc, 2.0, 200)
    assert canvas.bone.max() == 0
    canvas.surface(UPRIGHT, arc, 2.0, 200, bone=20)
    assert canvas.bone.max() == 20
    assert ((canvas.bone > 0) & (canvas.level == 0)).sum() == 0


def test_gaps_of_a_surface_are_left_out():
    whole, open_ = made(), made()
    arc = ellipse_points(0, 0, 20, 20)
    whole.surface(UPRIGHT, arc, 1.5, 200)
    open_.surface(UPRIGHT, arc, 1.5, 200, gaps=[0.25, 0.75])
    missing = (whole.level > 0).sum() - (open_.level > 0).sum()
    assert 0 < missing < 0.3 * (whole.level > 0).sum()


@given(FINITE, FINITE, st.floats(-10_000, 10_000), st.floats(-500, 500))
def test_what_lies_off_the_canvas_or_beyond_all_levels_is_drawn_without_a_fuss(x, y, far, level):
    canvas = made()
    pose = Pose(x, y, 1.0, 1, 2.0)
    canvas.blob(pose, far, -far, 30, 30, level)
    canvas.surface(pose, np.array([[far, 0.0], [0.0, far]]), 2.0, level, bone=9)
    assert canvas.level.shape == (120, 160)
