import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fetalstream.streamer.frame import Frame


def frame(**changes):
    values = {"pixels": np.zeros((4, 6), np.uint8), "index": 0, "pts_seconds": 0.0, "captured_ns": 0, **changes}
    return Frame(**values)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"pixels": np.zeros((4, 6), np.uint16)}, "pixels must be uint8, got uint16"),
        ({"pixels": np.zeros((4, 6, 4), np.uint8)}, "got .4, 6, 4."),
        ({"pixels": np.zeros((4, 6, 1), np.uint8)}, "got .4, 6, 1."),
        ({"pixels": np.zeros(4, np.uint8)}, "got .4,."),
        ({"pixels": np.zeros((0, 6), np.uint8)}, "must not be empty"),
        ({"pixels": np.zeros((4, 0, 3), np.uint8)}, "must not be empty"),
        ({"index": -1}, "must not be negative"),
        ({"epoch": -1}, "must not be negative"),
        ({"pts_seconds": math.nan}, "must be finite"),
        ({"pts_seconds": -math.inf}, "must be finite"),
        ({"spacing_mm": 0.2}, "known together"),
        ({"spacing_from": "ruler"}, "known together"),
        ({"spacing_mm": 0.0, "spacing_from": "ruler"}, "finite and positive"),
        ({"spacing_mm": -0.1, "spacing_from": "ruler"}, "finite and positive"),
        ({"spacing_mm": math.inf, "spacing_from": "ruler"}, "finite and positive"),
        ({"spacing_mm": math.nan, "spacing_from": "ruler"}, "finite and positive"),
    ],
)
def test_what_is_no_frame_is_refused_with_what_was_wanted(changes, wanted):
    with pytest.raises(ValueError, match=wanted):
        frame(**changes)


@given(
    hnp.arrays(
        np.uint8,
        st.tuples(st.integers(1, 5), st.integers(1, 5)) | st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3)),
    )
)
def test_size_is_that_of_the_pixels_and_nobody_writes_to_them(pixels):
    made = frame(pixels=pixels)
    assert (made.height, made.width) == pixels.shape[:2]
    with pytest.raises(ValueError, match="read-only"):
        made.pixels[0] = 1


def test_a_frame_is_never_changed():
    with pytest.raises(AttributeError):
        frame().index = 3


def test_frames_are_told_apart_by_what_they_are_and_not_by_what_they_show():
    one, other = frame(), frame()
    assert one != other  # comparing pixels by accident would cost more than anything else
    assert one == one


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Frame(#0 epoch 0, 4x6, 0.000 s, spacing unknown)"),
        (
            {"pixels": np.zeros((2, 3, 3), np.uint8), "index": 7, "epoch": 2, "pts_seconds": 1.5,
             "spacing_mm": 0.21, "spacing_from": "ruler"},
            "Frame(#7 epoch 2, 2x3x3, 1.500 s, spacing 0.2100 mm (ruler))",
        ),
    ],
)  # fmt: skip
def test_its_words_are_short_and_show_no_pixels(changes, words):
    assert repr(frame(**changes)) == words
