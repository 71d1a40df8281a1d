"""Messages made by pyigtl, and what is none."""

import contextlib

import numpy as np
import pyigtl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.live.igtl_message import (
    HEADER_BYTES,
    LARGEST_BYTES,
    Malformed,
    Unusable,
    read_header,
    read_image,
)


def packed(array, mm=(0.2, 0.2, 0.2), **more):
    made = pyigtl.ImageMessage(array, ijk_to_world_matrix=np.diag([*mm, 1.0]), device_name="Image", **more)
    return made.pack()


def parsed(data):
    header = read_header(data[:HEADER_BYTES])
    return header, read_image(header, np.frombuffer(data[HEADER_BYTES:], np.uint8))


NOISE = np.random.default_rng(3).integers(0, 256, (4, 5, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (NOISE[None], NOISE),
        (NOISE[None, :, :, 0], NOISE[:, :, 0]),
        (NOISE[:, :, 0], NOISE[:, :, 0]),  # pyigtl's own way with two dimensions
        (np.repeat(NOISE[None, :, :, :1], 3, axis=3), NOISE[:, :, 0]),  # gray in three channels
    ],
)
def test_pictures_come_as_they_were_sent(array, expected):
    header, image = parsed(packed(array, timestamp=12.25))
    assert (header.kind, header.device, header.seconds) == (b"IMAGE", b"Image", pytest.approx(12.25))
    np.testing.assert_array_equal(image.pixels, expected)
    assert image.spacing_mm == pytest.approx((0.2, 0.2))
    assert image.doubt is None


def test_version_3_of_the_protocol_puts_something_before_and_after_the_picture():
    made = pyigtl.ImageMessage(NOISE[None], ijk_to_world_matrix=np.diag([0.3, 0.4, 1, 1]), device_name="Image")
    made.header_version, made.metadata = 2, {"probe": "C5-1", "depth": "12"}
    header, image = parsed(made.pack())
    assert header.version == 2
    np.testing.assert_array_equal(image.pixels, NOISE)
    assert image.spacing_mm == pytest.approx((0.3, 0.4))


def test_the_spacing_is_the_length_of_the_matrix_axes_however_the_probe_is_held():
    made = pyigtl.ImageMessage(NOISE[None, :, :, 0], device_name="Image")
    turn = np.eye(4)
    turn[:3, :3] = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]]) * 0.15
    made.ijk_to_world_matrix = turn
    assert parsed(made.pack())[1].spacing_mm == pytest.approx((0.15, 0.15), rel=1e-5)


@pytest.mark.parametrize(
    ("array", "mm", "words"),
    [
        (NOISE[None], (1, 1, 1), "does not know"),
        (NOISE[None], (0, 0.2, 1), "no scanner has"),
        (NOISE[None], (float("nan"), 0.2, 1), "no scanner has"),
        (NOISE[None], (0.2, 40, 1), "no scanner has"),
        (NOISE[None], (0.2, 2.1, 1), "no scanner has"),
        (NOISE[None], (0.009, 0.2, 1), "no scanner has"),
        (NOISE[:, :, 0], (0.2, 0.2, 1), "first axis"),  # the axes are j and k, and who sent them may not know
    ],
)
def test_a_spacing_that_cannot_be_believed_is_none_and_said(array, mm, words):
    image = parsed(packed(array, mm))[1]
    assert image.spacing_mm is None
    assert words in str(image.doubt)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (NOISE[None].astype(np.uint16), "8 bits"),
        (NOISE[None, :, :, :2], "8 bits"),
        (np.zeros((3, 4, 5), np.uint8), "volumes"),
        (np.zeros((1, 0, 5), np.uint8), "empty"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_to_do(array, words):
    with pytest.raises(Unusable, match=words):
        parsed(packed(array))


def test_a_picture_cut_short_and_a_part_of_one_are_refused():
    data = packed(NOISE[None])
    with pytest.raises(Unusable, match="cut short"):
        parsed(data[:-1])
    offset = HEADER_BYTES + 2 + 4 + 6 + 48
    with pytest.raises(Unusable, match="parts"):
        parsed(data[: offset + 1] + b"\1" + data[offset + 2 :])


def test_a_length_beyond_all_measure_is_refused_before_anything_is_taken_in():
    data = bytearray(packed(NOISE[None])[:HEADER_BYTES])
    data[42:50] = (LARGEST_BYTES + 1).to_bytes(8, "big")
    with pytest.raises(Malformed, match="MB"):
        read_header(data)
    with pytest.raises(Malformed, match="not OpenIGTLink"):
        read_header(b"HTTP/1.1 200 OK" + bytes(HEADER_BYTES - 15))


def test_no_time_stamp_is_none():
    data = bytearray(packed(NOISE[None])[:HEADER_BYTES])
    data[34:42] = bytes(8)
    assert read_header(data).seconds is None


@given(st.binary(min_size=HEADER_BYTES, max_size=HEADER_BYTES), st.binary(max_size=400))
def test_wild_bytes_are_a_picture_or_refused(head, body):
    for version in (head[:2], b"\0\1", b"\0\2"):
        with contextlib.suppress(Malformed, Unusable):
            image = read_image(read_header(version + head[2:]), np.frombuffer(body, np.uint8))
            assert image.pixels.size <= len(body)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6), st.booleans())
def test_damaged_messages_are_a_picture_or_refused(changes, newer):
    made = pyigtl.ImageMessage(NOISE[None], ijk_to_world_matrix=np.diag([0.3, 0.3, 1, 1]), device_name="Image")
    made.header_version, made.metadata = (2, {"a": "b"}) if newer else (1, {})
    data = bytearray(made.pack())
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(Malformed, Unusable):
        assert parsed(bytes(data))[1].pixels.size <= len(data)
