import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.tui.pictures.render import (
    FINE_LEVELS,
    LEVELS,
    PictureError,
    cells_for,
    decoded,
    fine,
    fitted,
    level_value,
    levels,
    runs,
)
from tests.tui.scan import jpeg, ramp


@given(st.integers(1, 4096), st.integers(1, 4096), st.integers(1, 200), st.integers(1, 100))
def test_a_picture_always_fits(width: int, height: int, columns: int, rows: int) -> None:
    fit_width, fit_height = fitted(width, height, columns, rows)
    assert 1 <= fit_width <= columns
    assert 2 <= fit_height <= 2 * rows
    assert fit_height % 2 == 0


def test_the_aspect_is_kept() -> None:
    assert fitted(640, 480, 80, 40) == (80, 60)
    assert fitted(640, 480, 120, 30) == (80, 60)


def test_decoding_fills_the_fitted_size_and_keeps_left_dark_and_right_bright() -> None:
    pixels = decoded(ramp(640, 480), 40, 20)
    assert pixels.shape == (30, 40)
    assert pixels[:, :4].mean() < 30
    assert pixels[:, -4:].mean() > 225


@pytest.mark.parametrize("wrong", [b"", b"not a picture", ramp()[:80], b"\x89PNG\r\n\x1a\n" + b"0" * 99])
def test_what_is_no_jpeg_is_refused(wrong: bytes) -> None:
    with pytest.raises(PictureError):
        decoded(wrong, 40, 20)


def test_a_picture_that_is_too_large_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(PictureError, match="too large"):
        decoded(jpeg(np.zeros((8, 5000), np.uint8)), 40, 20)


@given(st.binary(max_size=400))
def test_damaged_bytes_raise_nothing_else(damage: bytes) -> None:
    whole = ramp()
    with contextlib.suppress(PictureError):
        decoded(whole[:120] + damage + whole[120 + len(damage) :], 20, 10)


def test_levels_are_within_half_a_step_of_the_brightness() -> None:
    values = np.arange(8, 239, dtype=np.uint8)
    shown = level_value(levels(values).astype(int))  # type: ignore[arg-type]
    assert np.abs(shown - values.astype(int)).max() <= 5
    assert levels(values, dim=True).max() < levels(values).max() / 2


@given(st.integers(1, 12), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_runs_give_back_the_picture(rows: int, columns: int, seed: int) -> None:
    shown = np.random.default_rng(seed).integers(0, LEVELS, (2 * rows, columns)).astype(np.uint8) // 8
    for y, row in enumerate(runs(shown)):
        assert sum(length for length, _, _ in row) == columns
        assert [u for length, u, _ in row for _ in range(length)] == shown[2 * y].tolist()
        assert [low for length, _, low in row for _ in range(length)] == shown[2 * y + 1].tolist()


def test_a_fine_picture_is_shrunk_to_fit_and_never_grown() -> None:
    assert fine(ramp(640, 480), 400, 400).shape == (300, 400)
    assert fine(ramp(640, 480), 4000, 120).shape == (120, 160)
    assert fine(ramp(64, 48), 4000, 4000).shape == (48, 64)
    with pytest.raises(PictureError):
        fine(b"no picture", 100, 100)


def test_a_fine_picture_has_64_grays_from_black_to_white_and_less_than_half_of_them_dimmed() -> None:
    bright, dim = fine(ramp(640, 480), 640, 480), fine(ramp(640, 480), 640, 480, dim=True)
    assert len(np.unique(bright)) == FINE_LEVELS
    assert (bright.min(), bright.max()) == (0, 252)
    assert abs(dim.astype(float) - 0.45 * bright).max() < 4


@pytest.mark.parametrize(
    ("size", "within", "cell", "covered"),
    [
        ((640, 480), (80, 30), (8, 16), (80, 30)),
        ((640, 480), (100, 30), (8, 16), (80, 30)),
        ((533, 400), (98, 20), (10, 20), (54, 20)),  # 53.3: the last column in part
        ((64, 48), (100, 30), (8, 16), (80, 30)),  # the terminal makes it larger
        ((2000, 10), (40, 20), (8, 16), (40, 1)),
    ],
)
def test_cells_hold_the_whole_picture(
    size: tuple[int, int], within: tuple[int, int], cell: tuple[int, int], covered: tuple[int, int]
) -> None:
    assert cells_for(*size, *within, cell) == covered


@pytest.mark.parametrize("side", [5_000, 11_000, 16_000])
def test_a_picture_that_would_fill_the_memory_is_refused_by_its_header(side: int) -> None:
    # A JPEG of 8x8 whose header (SOF0) says otherwise.
    data = bytearray(ramp(8, 8))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = side.to_bytes(2, "big") * 2
    with pytest.raises(PictureError, match=r"too large|exceeds"):
        decoded(bytes(data), 10, 10)
