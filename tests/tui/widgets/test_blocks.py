import numpy as np
import pytest
from rich.segment import Segment

from fetalstream.tui.pictures import render
from fetalstream.tui.widgets import blocks
from fetalstream.tui.widgets.blocks import EMPTY, Blocks, letterboxed
from tests.tui import scan


@pytest.mark.parametrize(("columns", "rows"), [(40, 12), (20, 30), (7, 3), (1, 1)])
def test_the_strips_fill_the_cells_whatever_the_picture(columns: int, rows: int) -> None:
    strips = Blocks().strips(scan.ramp(640, 480), columns, rows, dim=False)
    assert strips is not None
    assert len(strips) == rows
    assert {strip.cell_length for strip in strips} == {columns}


def test_equal_halves_are_blanks_and_others_half_blocks() -> None:
    flat = Blocks().strips(scan.jpeg(np.full((48, 64), 90, np.uint8)), 20, 10, dim=False)
    assert flat is not None
    assert "▀" not in "".join(strip.text for strip in flat)
    steep = Blocks().strips(scan.jpeg(np.tile(np.arange(0, 240, 12, np.uint8)[:, None], (1, 20))), 20, 10, dim=False)
    assert steep is not None
    assert "▀" in "".join(strip.text for strip in steep)


def test_a_dimmed_picture_is_darker() -> None:
    def brightest(*, dim: bool) -> int:
        strips = Blocks().strips(scan.ramp(), 40, 12, dim=dim)
        assert strips is not None
        colours = [segment.style.bgcolor for strip in strips for segment in strip if segment.style is not None]
        return max(colour.get_truecolor()[0] for colour in colours if colour is not None)

    assert brightest(dim=True) < 0.6 * brightest(dim=False)


def test_a_picture_is_decoded_once_for_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[tuple[int, int]] = []

    def noting(jpeg: bytes, columns: int, rows: int) -> render.Gray:
        decoded.append((columns, rows))
        return render.decoded(jpeg, columns, rows)

    monkeypatch.setattr(blocks, "decoded", noting)
    drawer, picture = Blocks(), scan.ramp()
    for size in ((40, 12), (40, 12), (20, 6)):
        drawer.strips(picture, *size, dim=False)
    drawer.strips(picture, 20, 6, dim=True)
    assert decoded == [(40, 12), (20, 6)]
    drawer.strips(scan.ramp(), 20, 6, dim=True)
    assert len(decoded) == 3


@pytest.mark.parametrize(("jpeg", "columns", "rows"), [(b"no picture", 40, 12), (b"", 40, 12), (scan.ramp(), 0, 12)])
def test_what_cannot_be_drawn_is_none(jpeg: bytes, columns: int, rows: int) -> None:
    assert Blocks().strips(jpeg, columns, rows, dim=False) is None


@pytest.mark.parametrize(("columns", "rows", "left", "above"), [(10, 6, 3, 2), (5, 3, 0, 0), (4, 2, 0, 0)])
def test_rows_stand_in_the_middle_of_empty_ones(columns: int, rows: int, left: int, above: int) -> None:
    middle = [[Segment("abcd", EMPTY)]] * 2
    strips = letterboxed(middle, 4, columns, rows)
    assert [strip.text.find("abcd") for strip in strips].count(left) == 2
    assert strips[above].text.strip() == "abcd"
    assert len(strips) == rows
