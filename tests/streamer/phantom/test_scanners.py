import itertools

import numpy as np
import pytest

from fetalstream.streamer.phantom.scanners import KINDS, SIZES, ScannerScreen
from fetalstream.streamer.region.sector import Polygon
from tests.streamer.outlines import filled

SEEDS = range(100, 108)


@pytest.fixture(scope="module", params=SEEDS)
def screen(request):
    return ScannerScreen(request.param)


def test_a_design_is_a_screen_with_the_scan_in_its_window(screen):
    design = screen.design
    assert (design.width, design.height) in SIZES
    assert design.kind == KINDS[screen.seed % len(KINDS)]
    left, top, right, bottom = design.window
    xs, ys = zip(*design.polygon, strict=True)
    assert left - 1e-6 <= min(xs) < max(xs) <= right + 1e-6
    assert top - 1e-6 <= min(ys) < max(ys) <= bottom + 1e-6
    assert top <= design.skin_y < max(ys)
    low, high = {"convex": (75, 200), "phased": (100, 190), "linear": (30, 70), "trapezoid": (35, 80)}[design.kind]
    depth_mm = (max(ys) - design.skin_y) * design.spacing_mm
    assert low - 0.5 <= depth_mm <= high + 0.5


def test_the_scan_moves_and_lies_in_its_region_alone(screen):
    frames = [screen.frame(index).pixels for index in (0, 12, 24, 36)]
    design = screen.design
    moved = np.zeros((design.height, design.width), bool)
    for one, other in itertools.pairwise(frames):
        difference = np.abs(one.astype(int) - other)
        moved |= (difference if difference.ndim == 2 else difference.max(axis=2)) > 12
    moved[:20, design.width - 100 :] = False  # the clock
    region = filled(Polygon(design.polygon).polygon, moved.shape) > 0
    assert (moved & region).sum() > 0.005 * region.sum()
    if design.jpeg_quality is None:
        assert not (moved & ~region).any()


def test_a_frame_is_the_same_each_time_and_counts_at_thirty_a_second(screen):
    one, other = screen.frame(45), ScannerScreen(screen.seed).frame(45)
    np.testing.assert_array_equal(one.pixels, other.pixels)
    assert (one.index, one.pts_seconds) == (45, 1.5)
    assert (one.pixels.ndim == 3) == screen.design.colour
    assert one.spacing_mm is None, "whoever wants the scale reads the ruler"


def test_a_deeper_setting_changes_the_scale_and_nothing_of_the_layout():
    plain, deeper = ScannerScreen(101), ScannerScreen(101, deeper=2.0)
    assert deeper.design.spacing_mm == pytest.approx(2 * plain.design.spacing_mm)
    assert deeper.design.polygon == plain.design.polygon
    assert (deeper.frame(0).pixels != plain.frame(0).pixels).any()


def test_the_clock_goes_on():
    screen = next(each for each in map(ScannerScreen, SEEDS) if each.design.jpeg_quality is None)
    clock = (slice(0, 20), slice(screen.design.width - 95, None))
    assert (screen.frame(0).pixels[clock] != screen.frame(30).pixels[clock]).any()


def test_seeds_make_screens_of_many_kinds():
    designs = [ScannerScreen(seed).design for seed in range(24)]
    assert {design.kind for design in designs} == set(KINDS)
    assert {(design.width, design.height) for design in designs} == set(SIZES)
    assert {design.ruler.side for design in designs} == {1, -1}
    assert {design.colour for design in designs} == {True, False}
    assert {design.jpeg_quality is None for design in designs} == {True, False}
    assert len({design.ruler.steps_mm for design in designs}) >= 3
