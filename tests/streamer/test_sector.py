import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import SourceError
from streamer.frame import Frame
from streamer.sector import Rectangle, crop, parse


def frame(height=48, width=64, channels=0):
    shape = (height, width, channels) if channels else (height, width)
    pixels = np.arange(np.prod(shape), dtype=np.int64).astype(np.uint8).reshape(shape)
    return Frame(pixels, 3, 1.5, 99, 2, 0.25, "operator")


def test_crop_takes_the_sector_and_keeps_times_and_scale():
    whole = frame()
    part = crop(whole, Rectangle(10, 20, 30, 15))
    assert np.array_equal(part.pixels, whole.pixels[20:35, 10:40])
    assert (part.index, part.pts_seconds, part.captured_ns, part.epoch, part.spacing_mm) == (3, 1.5, 99, 2, 0.25)


@pytest.mark.parametrize("channels", [0, 3])
def test_nothing_outside_the_sector_is_held_by_the_crop(channels):
    part = crop(frame(channels=channels), Rectangle(1, 1, 5, 4))
    assert part.pixels.base is None
    assert part.pixels.flags.c_contiguous
    assert part.pixels.nbytes == 5 * 4 * max(1, channels)


def test_no_sector_is_the_whole_frame():
    whole = frame()
    assert crop(whole, None) is whole


def test_a_sector_that_does_not_fit_is_refused_never_clipped():
    with pytest.raises(SourceError, match="does not fit in a frame of 64 x 48"):
        crop(frame(), Rectangle(40, 0, 30, 10))
    assert Rectangle(0, 0, 64, 48).fits(frame())
    assert not Rectangle(0, 1, 64, 48).fits(frame())


def test_parse_reads_what_str_writes():
    assert parse("1,2,30,40") == Rectangle(1, 2, 30, 40)
    assert str(parse(" 1, 2, 30, 40")) == "1,2,30,40"


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1.5,0,2,2", "0,0,0,5", "-1,0,5,5", "0,0,5,-5", "1,\n,2,3"]
)
def test_anything_else_is_refused_in_one_line(text):
    with pytest.raises(SourceError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@given(st.text("0123456789,,,- .x\n²", max_size=15))
def test_parse_raises_nothing_but_source_errors(text):
    with contextlib.suppress(SourceError):
        assert parse(str(parse(text))) == parse(text)


def test_polygon_goes_round_the_sector():
    assert Rectangle(1, 2, 3, 4).polygon == ((1, 2), (4, 2), (4, 6), (1, 6))
