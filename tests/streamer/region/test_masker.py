import numpy as np
import pytest

from fetalstream.streamer.frame import Frame
from fetalstream.streamer.region.masker import Masker, stencil
from fetalstream.streamer.region.sector import Polygon, Rectangle

TRIANGLE = Polygon(((20, 5), (35, 40), (5, 40)))


def frame(height=48, width=64, channels=0):
    shape = (height, width, channels) if channels else (height, width)
    return Frame(np.random.default_rng(1).integers(1, 255, shape, dtype=np.uint8), 3, 1.5, 99, 2, 0.25, "operator")


def test_a_rectangle_is_cut_out_and_times_and_scale_are_kept():
    whole = frame()
    masked = Masker(Rectangle(10, 20, 30, 15)).update(whole)
    part = masked.frame
    np.testing.assert_array_equal(part.pixels, whole.pixels[20:35, 10:40])
    assert (part.index, part.pts_seconds, part.captured_ns, part.epoch, part.spacing_mm) == (3, 1.5, 99, 2, 0.25)
    assert masked.region is not None
    assert (masked.region.rectangle, masked.region.confidence) == (Rectangle(10, 20, 30, 15), 1.0)


@pytest.mark.parametrize("channels", [0, 3])
@pytest.mark.parametrize("shape", [Rectangle(1, 1, 5, 4), TRIANGLE])
def test_nothing_outside_the_region_is_held(channels, shape):
    part = Masker(shape).update(frame(channels=channels)).frame
    assert part.pixels.base is None
    assert part.pixels.flags.c_contiguous
    assert part.pixels.shape[:2] == (shape.rectangle.height, shape.rectangle.width)


@pytest.mark.parametrize("channels", [0, 3])
def test_an_outlines_corners_are_black_and_its_inside_is_untouched(channels):
    whole = frame(channels=channels)
    masker = Masker(TRIANGLE)
    part = masker.update(whole).frame.pixels
    inside = stencil(TRIANGLE) > 0
    assert 0.45 < inside.mean() < 0.55
    assert part[~inside].max() == 0
    np.testing.assert_array_equal(part[inside], whole.pixels[5:40, 5:35][inside])
    gray = masker.update(frame()).frame.pixels  # the same region after colour has gone
    assert gray[~inside].max() == 0


def test_no_sector_is_the_whole_frame():
    whole = frame()
    masked = Masker(None).update(whole)
    assert masked.frame is whole
    assert masked.region is None


def test_a_sector_that_does_not_fit_is_refused_never_clipped():
    masked = Masker(Rectangle(40, 0, 30, 10)).update(frame())
    assert masked.trouble is not None
    assert "does not fit in a frame of 64 x 48" in masked.trouble
    assert masked.frame.pixels.max() == 0
    assert masked.region is None


def test_another_sector_holds_from_the_next_frame_on():
    masker = Masker(TRIANGLE)
    masker.update(frame())
    masker.set_sector(Polygon(((5, 5), (35, 5), (5, 40))))
    assert masker.update(frame()).frame.pixels[0, 0] > 0
