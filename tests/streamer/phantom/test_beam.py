import math

import numpy as np
import pytest

from fetalstream.streamer.phantom.beam import (
    CANVAS_HEIGHT,
    CANVAS_WIDTH,
    HEIGHT,
    WIDTH,
    BeamSettings,
    Layout,
    scan,
    tissue_texture,
)

LAYOUT = Layout(320.0, -100.0, 110.0, 540.0, 0.55)
QUIET = BeamSettings(grain=0.0, fade=0.0, gain=1.0, gamma=1.0, blur=0.6)


def canvas(level=100):
    return np.full((CANVAS_HEIGHT, CANVAS_WIDTH), level, np.uint8), np.zeros((CANVAS_HEIGHT, CANVAS_WIDTH), np.uint8)


def picture(level=100, bone=None, settings=QUIET, grain=(0, 0), noise=(0, 0)):
    levels, none = canvas(level)
    return scan(levels, none if bone is None else bone, LAYOUT, settings, grain, noise)


def inside():
    """Where the sector surely is: a margin within its edges."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    radius, angle = np.hypot(x - 320, y + 100), np.arctan2(x - 320, y + 100)
    return (radius > 120) & (radius < 530) & (np.abs(angle) < 0.52)


def test_a_picture_is_black_outside_its_sector_and_lit_inside():
    found = picture()
    assert found.shape == (HEIGHT, WIDTH)
    assert found.dtype == np.uint8
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    outside = (np.hypot(x - 320, y + 100) > 541) | (np.abs(np.arctan2(x - 320, y + 100)) > 0.56)
    assert found[outside].max() == 0
    assert found[inside()].min() > 40


def test_the_outline_lies_on_the_arcs():
    points = np.array(LAYOUT.polygon)
    radii = np.hypot(points[:, 0] - 320, points[:, 1] + 100)
    assert sorted({round(float(radius), 6) for radius in radii}) == [110.0, 540.0]
    angles = np.arctan2(points[:, 0] - 320, points[:, 1] + 100)
    assert angles.min() == pytest.approx(-0.55)
    assert angles.max() == pytest.approx(0.55)


def test_the_same_offsets_give_the_same_picture_and_others_another():
    settings = BeamSettings(15, 10, 1.2, 1.3, 0.9)
    first = picture(settings=settings, grain=(3, 4), noise=(5, 6))
    np.testing.assert_array_equal(first, picture(settings=settings, grain=(3, 4), noise=(5, 6)))
    for grain, noise in (((9, 4), (5, 6)), ((3, 4), (50, 6))):
        assert np.abs(first.astype(int) - picture(settings=settings, grain=grain, noise=noise)).mean() > 0.5


def test_offsets_of_any_size_lie_in_the_field():
    settings = BeamSettings(15, 10, 1.2, 1.3, 0.9)
    for offset in ((10**9, 10**9), (-1, -1), (-(10**6), 7)):
        assert picture(settings=settings, grain=offset, noise=offset).max() > 0


def test_behind_bone_it_is_dark():
    _, bone = canvas()
    bone[60:66, 140:180] = 255
    shadowed, clear = picture(bone=bone), picture()
    below = (slice(250, 400), slice(310, 330))
    assert shadowed[below].mean() < 0.5 * clear[below].mean()
    before = (slice(40, 100), slice(310, 330))
    assert shadowed[before].mean() == pytest.approx(clear[before].mean(), rel=0.05)


def test_fade_takes_from_the_depth_and_gain_gives_everywhere():
    plain = picture()
    faded = picture(settings=BeamSettings(0, 40, 1, 1, 0.6))
    near, far = (slice(30, 60), slice(300, 340)), (slice(380, 430), slice(300, 340))
    assert plain[near].mean() - faded[near].mean() < 12
    assert plain[far].mean() - faded[far].mean() > 25
    louder = picture(settings=BeamSettings(0, 0, 1.5, 1, 0.6))
    assert louder[inside()].mean() == pytest.approx(1.5 * plain[inside()].mean(), rel=0.05)


def test_more_grain_is_rougher_and_fluid_stays_dark():
    smooth, rough = (picture(settings=BeamSettings(grain, 0, 1, 1, 0.6)) for grain in (4, 22))
    assert rough[inside()].std() > 1.5 * smooth[inside()].std()
    assert picture(level=0, settings=BeamSettings(22, 0, 1, 1, 0.6))[inside()].mean() < 12


def test_the_texture_of_tissue_is_even_in_the_mean():
    texture = tissue_texture()
    assert texture.shape == (1024, 1024)
    assert abs(float(texture.mean())) < 0.05
    assert float(texture.std()) == pytest.approx(1, abs=0.01)


def test_a_narrower_layout_shows_less():
    levels, bone = canvas()
    narrow = Layout(320.0, -100.0, 110.0, 540.0, 0.25)
    shares = [(scan(levels, bone, each, QUIET, (0, 0), (0, 0)) > 0).mean() for each in (LAYOUT, narrow)]
    expected = [math.tan(0.25) / math.tan(0.55)]
    assert shares[1] / shares[0] == pytest.approx(expected[0], rel=0.15)
