import logging

import cv2
import numpy as np
import pytest

from fetalstream.streamer.phantom.scanners import ScannerScreen
from fetalstream.streamer.readers.folders import ImageFolder
from fetalstream.streamer.region.ruler import read_ruler
from tests.streamer.traced import TICKS

HELD_OUT = 20_000  # seeds from here on: nothing was fitted on them
FRESH = 50_000  # and these were looked at when all was done


def error(seed):
    """Relative error of the spacing; None where the ruler is refused."""
    screen = ScannerScreen(seed)
    design = screen.design
    heights = [y for _, y in design.polygon]
    pictures = [screen.frame(300 + 15 * i).pixels for i in range(2)]
    ruler = read_ruler(pictures, design.kind, (round(min(heights)), round(max(heights))))
    return None if ruler is None else abs(ruler.spacing_mm / design.spacing_mm - 1)


def judge(errors):
    assert sum(error is not None and error <= 0.01 for error in errors) >= 0.95 * len(errors)
    assert all(error is None or error <= 0.03 for error in errors)


def test_rulers_of_many_styles_are_read():
    errors = [error(HELD_OUT + seed) for seed in range(20)]
    assert sum(error is not None and error <= 0.01 for error in errors) >= 18
    assert all(error is None or error <= 0.03 for error in errors)


@pytest.mark.check
@pytest.mark.timeout(900)
def test_two_hundred_rulers():
    errors = [error(FRESH + seed) for seed in range(200)]
    read = [error for error in errors if error is not None]
    log = logging.getLogger(__name__)
    log.info("%d read, the worst off by %.2f%%; %d refused", len(read), 100 * max(read), 200 - len(read))
    judge(errors)


@pytest.mark.parametrize("name", TICKS)
def test_a_real_ruler_says_what_a_person_reads(test_data, name):
    (frame,) = ImageFolder(test_data / "screens" / f"{name}.png")
    ruler = read_ruler([frame.pixels], "convex", (74, 735))
    pixels, millimetres = TICKS[name]
    assert ruler is not None
    assert ruler.spacing_mm == pytest.approx(millimetres / pixels, rel=0.02)


def drawn(lengths, step=40, x=20):
    """A black screen with ticks of these lengths, one every ``step`` pixels."""
    screen = np.zeros((480, 640), np.uint8)
    for place, length in enumerate(lengths):
        cv2.line(screen, (x, 20 + step * place), (x + length, 20 + step * place), (220,), 1)
    return screen


def test_what_ticks_stand_for_is_told_by_the_longer_ones():
    read = [read_ruler([drawn(lengths)], "convex", (0, 480)) for lengths in (
        [12, 5, 5, 5, 5, 12, 5, 5, 5, 5, 12], [8, 3] * 5, [15, 3, 8, 3, 8, 3, 8, 3, 8, 3, 15],
    )]  # fmt: skip
    assert [ruler and ruler.tick_mm for ruler in read] == [10.0, 5.0, 5.0]
    assert read[0] is not None
    assert read[0].spacing_mm == pytest.approx(0.25, rel=0.002)


@pytest.mark.parametrize(
    "lengths",
    [
        [6] * 11,
        [6] * 4,
        [12, 5, 5, 5, 5, 5, 5, 5, 5, 5, 12],
        [12, 5, 5, 12, 5, 5, 12, 5, 5, 12],
        [5, 9, 7, 3, 8, 4, 6],
    ],
)
def test_ticks_that_could_stand_for_anything_are_refused(lengths):
    assert read_ruler([drawn(lengths)], "convex", (0, 480)) is None


def test_two_rulers_that_contradict_each_other_are_refused():
    screen = drawn([12, 5, 5, 5, 5, 12, 5, 5, 5, 5, 12])
    screen = np.maximum(screen, drawn([12, 5, 5, 5, 5, 12, 5, 5, 5, 5, 12], step=30, x=600))
    assert read_ruler([screen], "convex", (0, 480)) is None


def test_a_depth_that_no_such_probe_shows_is_refused():
    assert read_ruler([drawn([12, 5, 5, 5, 5] * 9, step=10)], "linear", (0, 480)) is None
