from fetalstream.tui.state.session import Session
from fetalstream.tui.widgets.panel import Space
from fetalstream.tui.widgets.scene import Scene
from fetalstream.tui.widgets.stills import Stills
from fetalstream.tui.widgets.thumbnails import Thumbnail
from tests.tui import scan
from tests.tui.best_frames import NOW_NS, Reviewed
from tests.tui.stage import Stage

SPACE = Space("tall", 120, 7, 0)


async def test_stills_stand_in_one_row() -> None:
    given, stills = Reviewed(), Stills()
    assert given.view is not None
    session = Session(streams={"stream-1": given.view})
    scene = Scene(session, NOW_NS, session, NOW_NS, None, "stream-1", None, pictures=given.pictures)
    given.kept = {"id-femur-0.7": scan.ramp()}
    app = Stage(stills.widget)
    async with app.run_test(size=(140, 12)) as pilot:
        for _ in range(3):
            stills.draw(scene, given.view, SPACE)
            await given.fetch()
            await pilot.pause()
        assert stills._stills.across == 9
        tiles = list(app.screen.query(Thumbnail))
        assert len(tiles) == 9
        assert len({tile.region.y for tile in tiles}) == 1
        assert [bool(tile.preview._jpeg) for tile in tiles].count(True) == 1


async def test_without_pictures_nothing_is_made() -> None:
    given, stills = Reviewed(), Stills()
    assert given.view is not None
    session = Session(streams={"stream-1": given.view})
    scene = Scene(session, NOW_NS, session, NOW_NS, None, "stream-1", None)
    app = Stage(stills.widget)
    async with app.run_test():
        stills.draw(scene, given.view, SPACE)
        assert not app.screen.query(Thumbnail)
