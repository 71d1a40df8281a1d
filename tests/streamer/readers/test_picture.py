from fractions import Fraction

import numpy as np
import pytest

from fetalstream.streamer.readers.picture import (
    chroma_is_neutral,
    expand_limited,
    gray_where_neutral,
    square_pixels,
    upright,
)

CORNERS = np.array([[1, 2], [3, 4], [5, 6]], np.uint8)


def test_limited_luma_is_stretched_and_clipped():
    assert expand_limited(np.array([[0, 16, 17, 125, 235, 255]], np.uint8)).tolist() == [[0, 0, 1, 127, 255, 255]]


def test_expanding_works_on_a_view_with_row_padding():
    padded = np.full((4, 10), 235, np.uint8)[:, :7]
    assert expand_limited(padded).shape == (4, 7)


@pytest.mark.parametrize(("odd", "neutral"), [(127, True), (129, True), (126, False), (130, False)])
def test_a_single_chroma_sample_decides(odd, neutral):
    chroma = np.full((8, 8), 128, np.uint8)
    chroma[7, 3] = odd
    assert chroma_is_neutral(chroma) is neutral


def test_equal_channels_become_one_and_one_odd_pixel_keeps_three():
    rgb = np.repeat(np.arange(20 * 30, dtype=np.uint8).reshape(20, 30, 1), 3, axis=2)
    assert np.array_equal(gray_where_neutral(rgb), rgb[:, :, 0])
    rgb[13, 7, 2] ^= 1
    assert gray_where_neutral(rgb) is rgb


def test_square_pixels_only_grow():
    picture = np.zeros((40, 60), np.uint8)
    assert square_pixels(picture, Fraction(1)) is picture
    assert square_pixels(picture, Fraction(12, 11)).shape == (40, 65)
    assert square_pixels(picture, Fraction(8, 9)).shape == (45, 60)
    assert square_pixels(np.zeros((40, 60, 3), np.uint8), Fraction(2)).shape == (40, 120, 3)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), CORNERS),
        ((0, 1, -1, 0), np.rot90(CORNERS, -1)),  # the quarter turn clockwise of a telephone held upright
        ((-1, 0, 0, -1), np.rot90(CORNERS, 2)),
        ((0, -1, 1, 0), np.rot90(CORNERS, 1)),
        ((-1, 0, 0, 1), CORNERS[:, ::-1]),
        ((1, 0, 0, -1), CORNERS[::-1]),
        ((0, 1, 1, 0), CORNERS.T),
    ],
)
def test_display_matrices_turn_and_mirror(matrix, expected):
    scaled = tuple(65536 * value for value in matrix)
    assert np.array_equal(upright(CORNERS, scaled), expected)
    assert np.array_equal(upright(np.dstack([CORNERS] * 3), scaled)[:, :, 1], expected)


@pytest.mark.parametrize("matrix", [(1, 1, -1, 1), (0, 0, 0, 0), (1, 0, 0, 0)])
def test_other_turns_are_refused(matrix):
    with pytest.raises(ValueError, match="quarter turns"):
        upright(CORNERS, matrix)
