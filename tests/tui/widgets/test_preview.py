"""The picture's strips, checked in a tiny app of their own."""

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.preview import Banner, Preview
from tests.tui.scan import ramp


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.preview = Preview()

    def compose(self) -> ComposeResult:
        yield self.preview


def brightness(preview: Preview, y: int, x: int) -> int:
    strip = preview.render_lines(Region(0, 0, *preview.size))[y].crop(x, x + 1)
    style = next(iter(strip)).style
    assert style is not None
    assert style.bgcolor is not None
    return style.bgcolor.get_truecolor()[0]


async def test_the_picture_is_letterboxed_and_runs_from_dark_to_bright() -> None:
    stage = Stage()
    async with stage.run_test(size=(60, 15)) as pilot:
        assert stage.preview.show(ramp(640, 480), "fresh")
        await pilot.pause()
        rows = stage.preview.render_lines(Region(0, 0, 60, 15))
        assert [row.cell_length for row in rows] == [60] * 15
        # 15 rows are 30 pixels: 40 across, 10 empty columns on either side.
        assert brightness(stage.preview, 7, 10) < 20
        assert brightness(stage.preview, 7, 49) > 220
        assert brightness(stage.preview, 7, 9) == brightness(stage.preview, 7, 50) == int(palette.BACKGROUND[1:3], 16)


async def test_it_draws_only_what_changed() -> None:
    stage = Stage()
    async with stage.run_test(size=(40, 15)) as pilot:
        picture = ramp()
        assert stage.preview.show(picture, "fresh")
        assert not stage.preview.show(picture, "fresh")
        assert stage.preview.show(picture, "gray")
        assert stage.preview.show(picture, "gray", Banner("STALE", palette.WARN))
        assert stage.preview.show(ramp(), "gray", Banner("STALE", palette.WARN))
        await pilot.resize_terminal(30, 12)
        assert stage.preview.show(picture, "gray", Banner("STALE", palette.WARN))


async def test_a_stale_picture_is_dimmer_and_a_blank_one_is_not_there() -> None:
    stage = Stage()
    async with stage.run_test(size=(40, 15)):
        picture = ramp()
        stage.preview.show(picture, "fresh")
        bright = brightness(stage.preview, 7, 39)
        stage.preview.show(picture, "gray")
        assert brightness(stage.preview, 7, 39) < bright / 2 + 10
        stage.preview.show(picture, "blank")
        assert brightness(stage.preview, 7, 39) == int(palette.BACKGROUND[1:3], 16)


async def test_a_banner_lies_over_the_picture_and_is_cut_to_fit() -> None:
    stage = Stage()
    async with stage.run_test(size=(40, 15)):
        for banner, row in ((Banner("NO DATA 5 s", palette.BAD), 7), (Banner("PAUSED", palette.WARN, at_top=True), 0)):
            stage.preview.show(ramp(), "fresh", banner)
            rows = stage.preview.render_lines(Region(0, 0, 40, 15))
            assert banner.words in rows[row].text
            assert {r.cell_length for r in rows} == {40}
        stage.preview.show(ramp(), "fresh", Banner("x" * 99, palette.BAD))
        assert {r.cell_length for r in stage.preview.render_lines(Region(0, 0, 40, 15))} == {40}


async def test_a_part_of_the_screen_is_drawn_from_the_same_rows() -> None:
    stage = Stage()
    async with stage.run_test(size=(40, 15)):
        stage.preview.show(ramp(), "fresh")
        whole = stage.preview.render_lines(Region(0, 0, 40, 15))
        part = stage.preview.render_lines(Region(5, 3, 20, 4))
        assert [row.text for row in part] == [row.text[5:25] for row in whole[3:7]]


@pytest.mark.parametrize(("columns", "told"), [(14, " not seen yet "), (30, "  not seen yet  "), (10, " not see… ")])
async def test_a_banner_is_whole_where_it_fits_and_says_where_it_is_cut(columns: int, told: str) -> None:
    stage = Stage()
    async with stage.run_test(size=(columns, 3)) as pilot:
        stage.preview.show(None, "waiting", Banner("not seen yet", palette.BACKGROUND, ink=palette.FAINT))
        await pilot.pause()
        middle = stage.preview.render_lines(Region(0, 0, columns, 3))[1].text
    assert told in middle
    assert len(middle) == columns
