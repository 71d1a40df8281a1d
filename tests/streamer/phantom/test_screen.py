import numpy as np
import pytest

from fetalstream.streamer.phantom.screen import PICTURE, with_screen

BARE = np.random.default_rng(4).integers(0, 256, (480, 640), dtype=np.uint8)


def test_the_picture_lies_untouched_on_the_screen():
    screen = with_screen(BARE, 0.2, 7, 0)
    left, top, width, height = PICTURE
    assert screen.shape == (600, 800)
    np.testing.assert_array_equal(screen[top : top + height, left : left + width], BARE)


@pytest.mark.parametrize("spacing_mm", [0.1, 0.2, 0.35])
def test_every_fifth_tick_is_a_long_one(spacing_mm):
    screen = with_screen(BARE, spacing_mm, 7, 0)
    ticks = np.flatnonzero(screen[:, 70] == 220)
    long_ones = np.flatnonzero(screen[:, 80] == 220)
    assert ticks[0] == PICTURE[1]
    np.testing.assert_array_equal(long_ones, ticks[::5])
    assert np.diff(ticks).mean() == pytest.approx(10 / spacing_mm, rel=0.02)


def test_seeds_have_other_patients_and_frames_another_time():
    screens = [with_screen(BARE, 0.2, seed, index) for seed, index in ((7, 0), (8, 0), (7, 30))]
    name, clock = (slice(5, 60), slice(8, 250)), (slice(5, 40), slice(680, 800))
    assert (screens[0][name] != screens[1][name]).any()
    assert (screens[0][clock] != screens[2][clock]).any()
    np.testing.assert_array_equal(screens[0][name], screens[2][name])
    np.testing.assert_array_equal(screens[0][clock], screens[1][clock])
