"""Pictures as libav would decode them, made by hand: range, colour, pixel shape, orientation."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from av import VideoFrame
from av.video.reformatter import ColorRange
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.readers.decoded import PixelNormalizer, full_range, pts_seconds
from tests.streamer.clips import patches, quarters, yuv420

LIMITED, FULL = ColorRange.MPEG, ColorRange.JPEG


def stream(aspect=None, time_base=Fraction(1, 90_000)):
    return SimpleNamespace(sample_aspect_ratio=aspect, time_base=time_base)


def rgb(red, green, blue, size=(8, 8)):
    return VideoFrame.from_ndarray(np.full((*size, 3), (red, green, blue), np.uint8), format="rgb24")


@pytest.mark.parametrize(
    ("colour_range", "levels"),
    [(LIMITED, [0, 86, 168, 255]), (FULL, [16, 90, 160, 235]), (0, [0, 86, 168, 255])],
)
def test_gray_video_is_gray_and_full_range(colour_range, levels):
    pixels = full_range(yuv420(patches(), colour_range=colour_range))
    assert pixels.ndim == 2
    assert quarters(pixels) == levels


@pytest.mark.parametrize("format_name", ["rgb24", "gbrp", "bgr0", "gray", "gray10le", "gray12le", "gray16le", "ya8"])
@pytest.mark.parametrize(("colour_range", "levels"), [(LIMITED, [0, 86, 168, 255]), (FULL, [16, 90, 160, 235])])
def test_limited_range_is_expanded_in_rgb_and_deep_gray_too(format_name, colour_range, levels):
    picture = VideoFrame.from_ndarray(np.repeat(patches()[:, :, None], 3, axis=2), format="rgb24")
    if format_name.startswith(("gray", "ya")):
        picture = VideoFrame.from_ndarray(patches(), format="gray")
    picture.color_range = FULL
    picture = picture.reformat(format=format_name, src_color_range=FULL, dst_color_range=FULL)
    picture.color_range = colour_range
    pixels = full_range(picture)
    assert pixels.ndim == 2
    assert np.abs(np.array(quarters(pixels)) - levels).max() <= 1


def test_the_pixels_outlive_the_picture_and_can_be_kept():
    picture = yuv420(patches(), colour_range=FULL)
    pixels = full_range(picture)
    before = pixels.copy()
    del picture
    np.testing.assert_array_equal(pixels, before)
    assert pixels.base is None or not isinstance(pixels.base, memoryview)


@pytest.mark.parametrize(
    ("u", "v", "gray"), [(128, 128, True), (127, 129, True), (128, 140, False), (100, 128, False), (0, 255, False)]
)
def test_chroma_of_a_level_off_neutral_is_no_colour(u, v, gray):
    assert (full_range(yuv420(patches(), u=u, v=v)).ndim == 2) == gray


def test_one_coloured_pixel_makes_a_coloured_picture():
    picture = yuv420(patches())
    planes = picture.to_ndarray()
    planes[-1, -1] = 200
    coloured = VideoFrame.from_ndarray(planes, format="yuv420p")
    assert full_range(coloured).shape == (48, 64, 3)


@pytest.mark.parametrize("format_name", ["yuv420p", "yuv422p", "yuv444p", "yuvj420p", "nv12", "gray", "rgb24", "bgr24"])
def test_every_usual_format_comes_to_the_same_levels(format_name):
    source = VideoFrame.from_ndarray(np.repeat(patches()[:, :, None], 3, axis=2), format="rgb24")
    source.color_range = FULL
    picture = source if format_name == "rgb24" else source.reformat(format=format_name)
    pixels = full_range(picture)
    assert pixels.ndim == 2
    assert np.abs(np.array(quarters(pixels)) - [16, 90, 160, 235]).max() <= 2


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_colours_of_rgb_come_as_they_are(red, green, blue):
    pixels = full_range(rgb(red, green, blue))
    if red == green == blue:
        assert pixels.ndim == 2
        assert (pixels == red).all()
    else:
        assert (pixels == (red, green, blue)).all()


def test_rows_longer_than_the_picture_are_cut():
    pixels = np.arange(30 * 50, dtype=np.int64).reshape(30, 50) % 256
    picture = VideoFrame.from_ndarray(pixels.astype(np.uint8), format="gray")
    assert picture.planes[0].line_size > 50
    np.testing.assert_array_equal(full_range(picture), pixels.astype(np.uint8))


@pytest.mark.parametrize(
    ("aspect", "size", "warned"),
    [
        (None, (48, 64), False),
        (Fraction(1), (48, 64), False),
        (Fraction(2), (48, 128), False),
        (Fraction(4, 3), (48, 85), False),
        (Fraction(1, 2), (96, 64), False),
        (Fraction(4), (48, 256), False),
        (Fraction(5), (48, 64), True),
        (Fraction(1, 100), (48, 64), True),
    ],
)
def test_pixels_are_made_square_unless_their_shape_is_not_believed(aspect, size, warned):
    warnings = []
    normalizer = PixelNormalizer(stream(aspect), warnings.append)
    assert normalizer.pixels(yuv420(patches())).shape == size
    assert [("not believed" in line) for line in warnings] == [True] * warned


def test_a_size_is_looked_at_once_and_another_size_anew():
    warnings = []
    normalizer = PixelNormalizer(stream(Fraction(100)), warnings.append)
    for _ in range(3):
        normalizer.pixels(yuv420(patches()))
    assert len(warnings) == 1
    normalizer.pixels(yuv420(patches()[:24]))
    assert len(warnings) == 2


def test_the_shape_that_a_picture_came_with_goes_before_the_streams():
    normalizer = PixelNormalizer(stream(Fraction(2)), [].append)
    assert normalizer.pixels(yuv420(patches())).shape == (48, 128)
    assert normalizer.pixels(yuv420(patches()), Fraction(1, 2)).shape == (96, 64)
    assert normalizer.pixels(yuv420(patches())).shape == (48, 128)


def test_times_are_on_the_sources_own_clock():
    picture = rgb(0, 0, 0)
    assert pts_seconds(picture, stream()) is None
    picture.pts, picture.time_base = 45, Fraction(1, 30)
    assert pts_seconds(picture, stream()) == 1.5
    without_base = SimpleNamespace(pts=90_000, dts=None, time_base=None)
    assert pts_seconds(without_base, stream()) == 1.0
    assert pts_seconds(SimpleNamespace(pts=None, dts=180_000, time_base=None), stream()) == 2.0
    assert pts_seconds(SimpleNamespace(pts=0, dts=None, time_base=None), stream(time_base=None)) is None
