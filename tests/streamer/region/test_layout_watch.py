"""Screens that stay as they were, and screens that are laid out anew, on made-up scanners."""

import cv2
import numpy as np
import pytest

from fetalstream.streamer.phantom.scanners import ScannerScreen
from fetalstream.streamer.region.layout_watch import LayoutWatch
from fetalstream.streamer.region.ruler import Ruler, read_ruler
from fetalstream.streamer.region.sector import Polygon

SEEDS = (5, 9)


@pytest.fixture(scope="module", params=SEEDS)
def screen(request):
    return ScannerScreen(request.param)


def ruler_of(screen):
    rectangle = Polygon(screen.design.polygon).rectangle
    pictures = [screen.frame(30 * i).pixels for i in range(3)]
    return read_ruler(pictures, screen.design.kind, (rectangle.y, rectangle.y + rectangle.height))


def watch_of(screen, **more):
    return LayoutWatch(screen.frame(0).pixels, screen.design.polygon, ruler_of(screen), **more)


def test_a_scan_that_moves_and_a_clock_that_ticks_are_the_same_layout(screen):
    watch = watch_of(screen)
    for index in (1, 45, 900, 1800):
        assert watch.same(screen.frame(index).pixels)


def test_another_size_is_another_layout(screen):
    pixels = screen.frame(0).pixels
    watch = watch_of(screen)
    assert not watch.same(pixels[:-1])
    assert not watch.same(np.zeros((pixels.shape[1], pixels.shape[0]), np.uint8))


def test_another_scanners_screen_is_another_layout(screen):
    watch = watch_of(screen)
    other = ScannerScreen(screen.seed + 20).frame(0).pixels
    other = cv2.resize(other, screen.frame(0).pixels.shape[1::-1])
    assert not watch.same(other)


def test_a_menu_over_the_interface_is_another_layout():
    screen = ScannerScreen(5)
    watch = watch_of(screen)
    pixels = screen.frame(1).pixels.copy()
    outside = np.ones(pixels.shape[:2], bool)
    rectangle = Polygon(screen.design.polygon).rectangle
    outside[rectangle.y : rectangle.y + rectangle.height, rectangle.x : rectangle.x + rectangle.width] = False
    pixels[outside] = 230
    assert not watch.same(pixels)


def plain(ticks=True):
    """A black screen with a gray region and, at the left, a ruler of 31 ticks; a ruler that fits it."""
    pixels = np.zeros((400, 500), np.uint8)
    pixels[40:360, 150:350] = 90
    if ticks:
        pixels[40:352:10, 100:108] = 200
    return pixels


REGION = ((150, 40), (350, 40), (350, 360), (150, 360))
RULER = Ruler(0.5, 0.9, 100, 40.0, 350.0, 10.0, 5.0)


def test_ticks_that_go_or_move_are_another_depth():
    watch = LayoutWatch(plain(), REGION, RULER)
    assert watch.same(plain())
    gone = plain()
    gone[:, 100:108] = 0
    gone[40:352:13, 100:108] = 200
    assert not watch.same(gone)


def test_a_few_ticks_may_be_covered():
    watch = LayoutWatch(plain(), REGION, RULER)
    pixels = plain()
    pixels[200:290, 100:108] = 0  # nine of 32
    assert watch.same(pixels)
    pixels[100:200, 100:108] = 0
    assert not watch.same(pixels)


def test_a_region_that_turns_black_in_large_parts_may_be_smaller_now():
    watch = LayoutWatch(plain(), REGION, None)
    pixels = plain()
    pixels[330:360, 150:350] = 0  # a shadow
    assert watch.same(pixels)
    pixels[240:360, 150:350] = 0
    assert not watch.same(pixels)


def test_round_a_region_that_a_person_chose_only_the_scale_counts():
    watch = LayoutWatch(plain(), REGION, RULER, scale_only=True)
    pixels = plain()
    pixels[:, 380:] = 200
    pixels[240:360, 150:350] = 0
    assert watch.same(pixels)
    assert not LayoutWatch(plain(), REGION, RULER).same(pixels)
    pixels[:, 100:108] = 0
    assert not watch.same(pixels)


def test_without_a_ruler_a_fixed_region_stays_whatever_is_shown():
    watch = LayoutWatch(plain(), REGION, None, scale_only=True)
    assert watch.same(np.full((400, 500), 77, np.uint8))


def test_gray_and_colour_are_watched_alike():
    rgb = np.repeat(plain()[:, :, None], 3, axis=2)
    watch = LayoutWatch(rgb, REGION, RULER)
    assert watch.same(rgb)
    assert watch.same(plain())
    assert not watch.same(np.zeros_like(rgb))


def test_the_region_and_its_rim_are_no_part_of_the_interface():
    watch = LayoutWatch(plain(), REGION, None)
    pixels = plain()
    pixels[37:363, 147:353] = 255
    assert watch.same(pixels)
