"""The screens over the dashboard, and which stream the dashboard shows."""

from fetalstream.tui.widgets.review import Review
from fetalstream.tui.widgets.screens import Help
from fetalstream.tui.widgets.sheet import Sheet
from tests.tui import scan
from tests.tui.bench import bench
from tests.tui.scan import START, ListFeed


async def test_without_a_stream_there_is_nothing_to_review() -> None:
    async with bench(feed=ListFeed()) as b:
        b.app.screens.review()
        b.app.screens.views()
        assert len(b.app.screen_stack) == 1
        b.app.screens.help()
        assert isinstance(b.app.screen, Help)


async def test_streams_are_shown_by_number_and_in_a_ring() -> None:
    async with bench() as b:
        b.put_streams("stream-1", "stream-2", "stream-3")
        await b.shows("stream-3")
        for number, chosen in ((3, "stream-3"), (4, "stream-3"), (1, "stream-1")):
            b.app.screens.show_stream(number)
            assert b.app.selected == chosen
        b.app.screens.show_next_stream(-1)
        assert b.app.selected == "stream-3"
        b.app.screens.show_next_stream(1)
        assert b.app.selected == "stream-1"


async def test_a_number_leaves_the_overview_and_the_next_stream_does_not() -> None:
    async with bench() as b:
        b.put_streams("stream-1", "stream-2")
        await b.shows("stream-2")
        b.app.screens.toggle_overview()
        assert b.dashboard.has_class("overview")
        b.app.screens.show_next_stream(1)
        assert b.dashboard.has_class("overview")
        b.app.screens.show_stream(1)
        assert not b.dashboard.has_class("overview")
        b.app.screens.toggle_overview()
        b.app.screens.toggle_overview()
        assert not b.dashboard.has_class("overview")


async def test_a_view_that_is_chosen_in_the_sheet_is_reviewed() -> None:
    async with bench((140, 45)) as b:
        b.put_streams("stream-1")
        b.feed.put(scan.keyframe(START, "femur", 0.7))
        await b.shows("LIVE")
        b.app.screens.views()
        await b.pilot.pause()
        assert isinstance(b.app.screen, Sheet)
        b.app.screen.dismiss(2)
        await b.until(lambda: isinstance(b.app.screen, Review))
        await b.shows("best: femur")
