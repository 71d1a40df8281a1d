from dataclasses import replace

import cv2
import numpy as np
import pytest

from fetalstream.streamer.phantom.beam import CANVAS_HEIGHT, CANVAS_WIDTH
from fetalstream.streamer.phantom.canvas import Canvas, Pose
from fetalstream.streamer.phantom.fetus import make_fetus
from fetalstream.streamer.phantom.head import brain
from fetalstream.streamer.phantom.tour import Tour, draw_setting
from fetalstream.streamer.phantom.view import PLANES, SUBPLANES, extent_mm, in_plane, render
from tests.phantom_structure import structure


@pytest.mark.parametrize("seed", range(6))
def test_the_skull_measures_what_the_truth_says(seed: int):
    fetus = make_fetus(np.random.default_rng(seed))
    px_per_mm = 150 / fetus.ofd_mm
    canvas = Canvas(CANVAS_HEIGHT, CANVAS_WIDTH, (160, -200))
    brain(canvas, Pose(160, 120, 0.3, 1, px_per_mm), fetus, 0.0, 1.0, SUBPLANES[seed % 3])
    points = cv2.findNonZero((canvas.bone > 4).astype(np.uint8))
    assert points is not None
    outline = cv2.convexHull(points)
    measured_mm = cv2.arcLength(outline, True) / px_per_mm
    # Lines are whole pixels wide on a canvas of half the picture's size: two pixels in 150.
    assert measured_mm == pytest.approx(fetus.hc_mm, rel=0.025)


def test_a_plane_is_hit_at_zero_and_missed_from_one_on():
    assert [in_plane(z) for z in (0, 0.3, -0.7, 1, -2)] == pytest.approx([1, 0.7, 0.3, 0, 0])


@pytest.mark.parametrize("plane", PLANES)
def test_a_picture_changes_from_the_plane_on_and_the_more_the_further_off(plane: str):
    """Without it nothing could tell a well hit plane from one that is just missed."""
    tour = Tour(1_000_007)
    setting = draw_setting(np.random.default_rng(3), tour.fetus, plane, 0.6)
    view = replace(tour.view_at(100), plane=plane, subplane=SUBPLANES[0], setting=setting)
    on_it = render(replace(view, z=0.0)).astype(float)
    for side in (-1, 1):
        changes = [np.abs(render(replace(view, z=side * z)) - on_it).mean() for z in (0.001, 0.06, 0.15, 0.4)]
        assert changes[0] < 0.4 * changes[1]  # nothing jumps as the plane is left
        assert changes == sorted(changes)


def test_age_decides_the_head_alone():
    young, old = make_fetus(np.random.default_rng(1), 120), make_fetus(np.random.default_rng(1), 240)
    assert young.hc_mm < 0.6 * old.hc_mm
    np.testing.assert_array_equal(young.traits, old.traits)


@pytest.mark.parametrize("seed", [300, 301])
def test_the_structure_is_what_the_body_covers(seed: int):
    tour = Tour(seed)
    views = [tour.view_at(index) for index in range(0, 1800, 30)]
    hits = [view for view in views if view.plane is not None and in_plane(view.z) > 0.9]
    assert len({view.plane for view in hits}) > 4
    for view in hits:
        mask = structure(view)
        assert mask.shape == render(view).shape
        assert 0.02 < mask.mean() < 0.6
        ys, xs = np.nonzero(mask)
        # It lies round the body's place, and is about as large as what a sonographer fits into the picture.
        extent_px = extent_mm(view.fetus, view.plane) / view.setting.spacing_mm
        assert np.hypot(xs.mean() - view.setting.x_px, ys.mean() - view.setting.y_px) < 0.5 * extent_px
        assert 0.35 * extent_px < np.hypot(np.ptp(xs), np.ptp(ys)) < 2.2 * extent_px
    assert not structure(next(view for view in views if view.plane is None)).any()
