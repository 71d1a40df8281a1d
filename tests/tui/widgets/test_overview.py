import pytest

from fetalstream.tui.state.session import Session
from fetalstream.tui.widgets.overview import MAX_TILES, Overview, Tile, tile_caption
from tests.tui import scan
from tests.tui.scan import SECOND, START
from tests.tui.stage import Stage


def streams(count: int) -> Session:
    readings = [scan.reading(START, stream=f"stream-{n}") for n in range(1, count + 1)]
    previews = [scan.preview(START, stream=f"stream-{n}") for n in range(1, count + 1)]
    return scan.session(*readings, *previews, blob=scan.ramp())


def caption(after_s: float = 0.0, *, replay: bool = False, **fields: object) -> str:
    view = scan.view(scan.reading(START, **fields))
    return tile_caption(2, view, START + round(after_s * SECOND), replay=replay).plain


def test_a_caption_has_key_state_plane_and_age() -> None:
    assert caption() == " 2 stream-1 ● LIVE  brain 0.80  20w3d"
    assert caption(plane=None) == " 2 stream-1 ● LIVE"


@pytest.mark.parametrize("after_s", [1.5, 100.0])
def test_old_planes_and_ages_are_not_shown(after_s: float) -> None:
    assert "brain" not in caption(after_s)
    assert "20w3d" not in caption(after_s)
    assert "brain" in caption(after_s, replay=True)


def test_a_stream_that_is_only_known_by_name_waits() -> None:
    view = scan.session().streams["stream-1"]
    assert tile_caption(1, view, START, replay=False).plain == " 1 stream-1 ● WAITING"


@pytest.mark.parametrize(
    ("count", "tiles", "columns"), [(1, 1, 1), (2, 2, 2), (5, 5, 3), (9, 9, 3), (12, MAX_TILES, 3)]
)
async def test_there_is_a_tile_a_stream_in_a_square(count: int, tiles: int, columns: int) -> None:
    overview = Overview()
    async with Stage(overview).run_test(size=(120, 40)):
        overview.fit(streams(count))
        assert len(overview._tiles) == tiles
        assert overview.styles.grid_size_columns == columns


async def test_tiles_are_made_once() -> None:
    overview = Overview()
    async with Stage(overview).run_test() as pilot:
        overview.fit(streams(2))
        await pilot.pause()
        before = list(overview.query(Tile))
        overview.fit(streams(3))
        overview.fit(streams(1))
        await pilot.pause()
        assert list(overview.query(Tile))[:2] == before
        assert len(overview.query(Tile)) == 3


async def test_only_the_chosen_tile_is_drawn_between_the_others_times() -> None:
    overview, session = Overview(), streams(3)
    async with Stage(overview).run_test() as pilot:
        overview.fit(session)
        await pilot.pause()
        overview.draw(session, "stream-2", START, everything=False, paused_s=None)
        first, second, third = overview._tiles
        assert [tile.has_class("chosen") for tile in (first, second, third)] == [False, True, False]
        drawn = [tile.preview._look for tile in (first, second, third)]
        later = START + 2 * SECOND
        overview.draw(session, "stream-2", later, everything=False, paused_s=None)
        after = [tile.preview._look for tile in (first, second, third)]
        assert [a == b for a, b in zip(after, drawn, strict=True)] == [True, False, True]
        overview.draw(session, "stream-2", later, everything=True, paused_s=None)
        assert "STALE" in first.caption.text.plain
