import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.streamer.phantom.other import TISSUES, draw_tissue
from tests.streamer.phantom import bodies

NUMBERS = range(len(TISSUES))


def picture(number, phase=0.0):
    canvas = bodies.blank()
    draw_tissue(canvas, bodies.POSE, bodies.fetus(), number, phase)
    return canvas.level.astype(int)


@pytest.mark.parametrize("number", NUMBERS)
def test_each_tissue_fills_the_picture_in_its_own_way(number):
    own = picture(number)
    assert (own != bodies.BACKGROUND).mean() > 0.05
    np.testing.assert_array_equal(own, picture(number))
    for other in NUMBERS:
        if other != number:
            assert (own != picture(other)).any()


@pytest.mark.parametrize("number", NUMBERS)
def test_a_little_later_it_is_still_the_same_tissue(number):
    own, later = picture(number), picture(number, 0.4)
    others = [np.abs(own - picture(other)).mean() for other in NUMBERS if TISSUES[other].__name__ == "_placenta"]
    assert np.abs(own - later).mean() < max([12.0, *others])


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(NUMBERS), st.floats(-100, 100), st.fixed_dictionaries(bodies.any_fetus_and_pose(st)))
def test_no_fetus_and_no_pose_breaks_the_drawing(number, phase, how):
    canvas = bodies.blank()
    draw_tissue(canvas, how["pose"], how["who"], number, phase)
    bodies.is_whole(canvas)
