"""All views in pictures, in an app of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from fetalstream.tui.settings.scan_protocols import read_protocol
from fetalstream.tui.widgets.sheet import Sheet
from fetalstream.tui.widgets.thumbnails import MOST_TILES, Thumbnail
from tests.tui import scan
from tests.tui.best_frames import Reviewed
from tests.tui.scan import START
from tests.tui.stage import Stage


@asynccontextmanager
async def shown(
    given: Reviewed | None = None, size: tuple[int, int] = (140, 45)
) -> AsyncIterator[tuple[Stage, Pilot[None]]]:
    given, app = given or Reviewed(), Stage()
    async with app.run_test(size=size) as pilot:
        app.show(Sheet(given.look, given.pictures))
        await drawn(app, pilot)
        yield app, pilot


async def drawn(app: Stage, pilot: Pilot[None]) -> None:
    for _ in range(3):  # tiles are made, laid out, then filled
        if isinstance(app.screen, Sheet):
            app.screen.draw()
        await pilot.pause()


def tiles(app: Stage) -> list[Thumbnail]:
    return [tile for tile in app.screen.query(Thumbnail) if tile.display]


def lit(app: Stage) -> list[int]:
    return [place for place, tile in enumerate(tiles(app)) if tile.has_class("chosen")]


async def test_each_view_that_the_model_can_judge_has_a_tile() -> None:
    async with shown() as (app, _):
        assert len(tiles(app)) == 9
        text = app.text()
        assert "0.70 60s" in text
        assert "not seen yet" in text
        assert "2 of 9 views · still missing: brain, 61s ago: hold it a little longer" in text


async def test_views_that_the_model_cannot_judge_are_counted_in_words() -> None:
    async with shown(Reviewed(protocol=read_protocol("fasp-20-week"))) as (app, _):
        assert len(tiles(app)) == 7
        assert "3 not assessable by the model" in app.text()


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ("", 0), ("right", 1), ("l", 1), ("left", 8), ("h", 8), ("down", 3), ("j", 3), ("down up", 0), ("down k", 0),
        ("up", 0), ("down down down", 6), ("down down right right right", 0),
    ],
)  # fmt: skip
async def test_keys_light_another_view(keys: str, place: int) -> None:
    async with shown() as (app, pilot):
        await pilot.press(*keys.split())
        await drawn(app, pilot)
        assert lit(app) == [place]


@pytest.mark.parametrize(
    ("keys", "answer"), [("enter", 0), ("right right b", 2), ("escape", None), ("v", None), ("down q", None)]
)
async def test_the_answer_is_the_lit_views_place_in_the_checklist(keys: str, answer: int | None) -> None:
    async with shown() as (app, pilot):
        await pilot.press(*keys.split())
        assert app.answers == [answer]


async def test_places_count_views_that_have_no_tile() -> None:
    protocol = read_protocol("fasp-20-week")
    assert protocol is not None
    first_judged = [at for at, view in enumerate(protocol.views) if view.assessable]
    async with shown(Reviewed(protocol=protocol)) as (app, pilot):
        await pilot.press("left", "enter")
        assert app.answers == [first_judged[-1]]


async def test_without_a_stream_keys_do_nothing() -> None:
    given = Reviewed()
    given.view = None
    async with shown(given) as (app, pilot):
        await pilot.press("right", "down", "enter")
        assert app.answers == []
        assert tiles(app) == []


async def test_more_views_than_tiles_are_no_trouble() -> None:
    labels = tuple(f"view {n}" for n in range(MOST_TILES + 6))
    many = scan.reading(START, labels[0], planes=scan.scores((*labels, "other"), labels[0]))
    async with shown(Reviewed(many)) as (app, pilot):
        assert len(tiles(app)) == MOST_TILES
        await pilot.press("left")
        await drawn(app, pilot)
        assert lit(app) == [MOST_TILES - 1]


async def test_pictures_are_fetched_once_and_shown() -> None:
    given = Reviewed()
    given.kept = {"id-femur-0.7": scan.ramp()}
    async with shown(given) as (app, pilot):
        assert len(given.fetches) == 2  # femur and spine
        await given.fetch()
        await drawn(app, pilot)
        assert given.fetches == []
        assert [bool(tile.preview._jpeg) for tile in tiles(app)].count(True) == 1
        assert "not kept" in app.text()


async def test_the_sheet_fits_the_small_screen() -> None:
    async with shown(size=(80, 24)) as (app, _):
        assert len(tiles(app)) == 9
        assert "enter closer" in app.text()
        assert all(tile.size.height >= 2 for tile in tiles(app))
