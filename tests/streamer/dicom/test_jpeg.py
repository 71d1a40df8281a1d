"""Frame headers of JPEG streams, from Pillow and made by hand."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fetalstream.streamer.dicom.jpeg import read_jpeg_head


def stream(mode, **options):
    out = io.BytesIO()
    Image.new(mode, (32, 16)).save(out, "jpeg", **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("mode", "subsampling", "sampling"),
    [
        ("L", 0, ((1, 1),)),
        ("RGB", 0, ((1, 1), (1, 1), (1, 1))),
        ("RGB", 1, ((2, 1), (1, 1), (1, 1))),
        ("RGB", 2, ((2, 2), (1, 1), (1, 1))),
    ],
)
def test_precision_and_sampling_come_from_the_frame_header(mode, subsampling, sampling):
    head = read_jpeg_head(stream(mode, subsampling=subsampling))
    assert (head.marker, head.precision, head.sampling) == (0xC0, 8, sampling)
    assert head.subsampled == (subsampling > 0)


def test_a_progressive_stream_has_a_header_too():
    assert read_jpeg_head(stream("L", progressive=True)).marker == 0xC2


@given(st.binary(max_size=60), st.integers(0, 200))
def test_whatever_a_damaged_stream_holds_is_a_header_or_none(rubbish, at):
    whole = stream("RGB")
    head = read_jpeg_head(whole[:at] + rubbish)
    assert head is None or all(len(factors) == 2 for factors in head.sampling)
    assert read_jpeg_head(rubbish.lstrip(b"\xff")) is None
