"""The picture in pixels, in a tiny app over a terminal that is a list of what was written."""

from __future__ import annotations

import re

import numpy as np
from rich.color import Color
from textual.app import App, ComposeResult
from textual.filter import LineFilter
from textual.geometry import Region
from textual.screen import ModalScreen

from fetalstream.tui.pictures.kitty import MARKS, Kitty
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.preview import Banner, Preview
from fetalstream.tui.widgets.themes import THEMES, Recoloured
from tests.tui.kitty_terminal import Pictures
from tests.tui.scan import ramp

_CELL = re.compile("\U0010eeee(.)(.)")
COLUMNS, ROWS = 60, 15


class Stage(App[None]):
    def __init__(self, previews: int = 1) -> None:
        super().__init__()
        self.written: list[str] = []
        self.kitty = Kitty(self.written.append, lambda: (8, 16))
        self.previews = [Preview() for _ in range(previews)]
        self.preview = self.previews[0]

    def compose(self) -> ComposeResult:
        yield from self.previews

    @property
    def pictures(self) -> Pictures:
        pictures = Pictures()
        for control, data in re.findall(r"\x1b_G([^;\x1b]*);?([^\x1b]*)\x1b\\", "".join(self.written)):
            pictures.command(control.encode(), data.encode())
        assert not pictures.faults
        return pictures


def shown(preview: Preview, crop: Region | None = None) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Screen row and column: number, row and column of the picture that shows there."""
    crop = crop or Region(0, 0, *preview.size)
    found: dict[tuple[int, int], tuple[int, int, int]] = {}
    for y, strip in enumerate(preview.render_lines(crop)):
        assert strip.cell_length == crop.width
        x = 0
        for segment in strip:
            for at, (row, column) in enumerate(_CELL.findall(segment.text)):
                assert segment.style is not None
                colour = segment.style.color
                assert isinstance(colour, Color)
                assert colour.number is not None
                found[crop.y + y, crop.x + x + at] = (colour.number, MARKS.index(row), MARKS.index(column))
            x += segment.cell_length
    return found


async def test_each_picture_is_sent_once_before_it_is_shown_and_letterboxed() -> None:
    stage = Stage()
    async with stage.run_test(size=(COLUMNS, ROWS)):
        assert stage.preview.show(ramp(640, 480), "fresh")
        cells = shown(stage.preview)
        (picture,) = stage.pictures.sent
        # 15 rows of 16 pixels: 320 x 240 of them, 40 columns of 8, 10 empty ones on either side.
        assert picture.pixels.shape == (240, 320)
        assert (picture.columns, picture.rows) == (40, 15)
        assert cells == {(y, x + 10): (picture.number, y, x) for y in range(15) for x in range(40)}
        shown(stage.preview)
        assert len(stage.pictures.sent) == 1
        assert shown(stage.preview, Region(30, 4, 12, 3)) == {
            at: cell for at, cell in cells.items() if at[0] in range(4, 7) and at[1] in range(30, 42)
        }


async def test_the_next_picture_has_the_other_number_so_that_this_one_stays_whole_meanwhile() -> None:
    stage = Stage()
    async with stage.run_test(size=(COLUMNS, ROWS)):
        numbers: list[int] = []
        for _ in range(4):
            stage.preview.show(ramp(), "fresh")
            (number,) = {cell[0] for cell in shown(stage.preview).values()}
            numbers.append(number)
        assert len(set(numbers)) == 2
        assert numbers[::2] == [numbers[0]] * 2
        assert [each.number for each in stage.pictures.sent] == numbers


async def test_a_stale_picture_is_sent_dim_and_of_a_blank_one_nothing_stays() -> None:
    stage = Stage()
    async with stage.run_test(size=(COLUMNS, ROWS)):
        picture = ramp()
        stage.preview.show(picture, "fresh")
        shown(stage.preview)
        stage.preview.show(picture, "gray")
        shown(stage.preview)
        bright, dim = (each.pixels for each in stage.pictures.sent)
        assert np.allclose(dim, 0.45 * bright, atol=4)
        stage.preview.show(picture, "blank", Banner("NO DATA", palette.BAD))
        assert shown(stage.preview) == {}
        assert stage.pictures.held == {}


async def test_a_banner_is_of_words_and_the_picture_goes_on_beside_it() -> None:
    stage = Stage()
    async with stage.run_test(size=(COLUMNS, ROWS)):
        picture = ramp()
        stage.preview.show(picture, "fresh")
        bare = shown(stage.preview)
        stage.preview.show(picture, "fresh", Banner("NO DATA 5 s", palette.BAD))
        rows = stage.preview.render_lines(Region(0, 0, COLUMNS, ROWS))
        assert "NO DATA 5 s" in rows[7].text
        beside = shown(stage.preview)
        assert beside.keys() < bare.keys()
        assert {at[0] for at in bare.keys() - beside.keys()} == {6, 7, 8}
        assert all(beside[at] == bare[at] for at in beside)
        assert len(stage.pictures.sent) == 1  # words alone are no new picture


async def test_a_theme_turns_no_picture_into_another() -> None:
    class Themed(Stage):
        def get_line_filters(self) -> list[LineFilter]:
            return [Recoloured(name) for name in THEMES if THEMES[name]]

    stage = Themed()
    async with stage.run_test(size=(COLUMNS, ROWS)):
        stage.preview.show(ramp(), "fresh", Banner("STALE", palette.WARN))
        assert {cell[0] for cell in shown(stage.preview).values()} == set(stage.pictures.held)


async def test_beneath_another_screen_it_is_in_blocks_and_afterwards_as_before() -> None:
    stage = Stage()
    async with stage.run_test(size=(COLUMNS, ROWS)) as pilot:
        stage.preview.show(ramp(), "fresh")
        before = shown(stage.preview)
        await stage.push_screen(ModalScreen())
        assert shown(stage.preview) == {}
        stage.preview.show(ramp(), "fresh")
        assert shown(stage.preview) == {}
        assert len(stage.pictures.sent) == 1
        stage.pop_screen()
        await pilot.pause()
        assert before.keys() == shown(stage.preview).keys()
        assert len(stage.pictures.sent) == 2


async def test_what_was_cleared_is_sent_again() -> None:
    stage = Stage()
    async with stage.run_test(size=(COLUMNS, ROWS)):
        stage.preview.show(ramp(), "fresh")
        shown(stage.preview)
        stage.kitty.clear()
        (number,) = {cell[0] for cell in shown(stage.preview).values()}
        assert list(stage.pictures.held) == [number]


async def test_a_slow_terminal_gets_fewer_pixels_in_as_many_cells() -> None:
    stage = Stage()
    async with stage.run_test(size=(COLUMNS, ROWS)):
        for detail in (1.0, 0.5):
            stage.kitty.detail = detail
            stage.preview.show(ramp(640, 480), "fresh")
            shown(stage.preview)
        sharp, coarse = stage.pictures.sent
        assert (sharp.pixels.shape, coarse.pixels.shape) == ((240, 320), (120, 160))
        assert (sharp.columns, sharp.rows) == (coarse.columns, coarse.rows)


async def test_a_damaged_picture_is_none_and_a_removed_widget_leaves_none() -> None:
    stage = Stage(2)
    async with stage.run_test(size=(COLUMNS, 2 * ROWS)):
        for preview in stage.previews:
            preview.show(ramp(), "fresh")
            shown(preview)
        assert len(stage.pictures.held) == 2
        stage.preview.show(b"no picture", "fresh")
        assert shown(stage.preview) == {}
        for preview in stage.previews:
            await preview.remove()
        assert stage.pictures.held == {}


async def test_where_numbers_have_run_out_there_are_blocks() -> None:
    stage = Stage()
    while stage.kitty.numbers() is not None:
        pass
    async with stage.run_test(size=(COLUMNS, ROWS)):
        stage.preview.show(ramp(), "fresh")
        assert shown(stage.preview) == {}
        middle = stage.preview.render_lines(Region(0, 7, COLUMNS, 1))[0]
        assert len({segment.style for segment in middle}) > 20  # grays
