"""The look of the screens, cell by cell: characters and styles, against pictures kept beside this file.

After a change that is meant, look at the new ones and keep them, by running this file with FETALSTREAM_KEEP_PICTURES=1.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fetalstream.tui.dashboard.app import FetalstreamApp
from fetalstream.tui.settings.scan_protocols import read_protocol
from fetalstream.tui.widgets.review import Review
from fetalstream.tui.widgets.sheet import Sheet
from tests.tui import scan
from tests.tui.scan import Clock, ListFeed

PICTURES = Path(__file__).parent / "snapshots"
SIZES = [(80, 24), (120, 40), (200, 60)]
STEADY_ROUNDS = 3


def painted(app: FetalstreamApp) -> str:
    """Each row as its characters, then as its runs of style."""
    lines: list[str] = []
    for strip in app.screen._compositor.render_strips(app.size):
        runs = [f"{segment.cell_length}:{segment.style}" for segment in strip if segment.text]
        lines += [strip.text.rstrip(), "    " + " | ".join(runs)]
    return "\n".join(lines) + "\n"


def scanned(feed: ListFeed, clock: Clock, app: FetalstreamApp) -> None:
    """A minute of a made-up exam."""
    rng = np.random.default_rng(0)
    picture = scan.jpeg(np.kron(rng.integers(0, 255, (6, 8), np.uint8), np.ones((16, 16), np.uint8)))
    for second in range(60):
        clock.forward(1)
        plane = ("brain", None, "femur")[second // 20]
        feed.put(scan.reading(clock(), plane, seq=second), scan.health(clock(), seq=second))
        feed.put(scan.preview(clock(), seq=second), blob=picture)
        if second % 20 == 10 and plane:
            feed.put(scan.keyframe(clock(), plane, 0.6, seq=second))
        if second == 30:
            feed.put(scan.event(clock(), text="a note"))
        app.tick()


async def drawn(pilot: Any, app: FetalstreamApp) -> None:
    """Draws until it stays as it is: tiles are made, then laid out, then filled with what a worker has fetched."""
    unchanged, before = 0, ""
    while unchanged < STEADY_ROUNDS:
        app._dashboard.all_due()
        app.tick()
        if isinstance(app.screen, (Review, Sheet)):
            app.screen.draw()  # at once: its own interval is real time
        await app.workers.wait_for_complete()
        await pilot.pause()
        now = painted(app)
        unchanged, before = (unchanged + 1 if now == before else 0), now


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fetalstream.tui.widgets.event_log.clock", lambda wall_time: wall_time[11:19])


@pytest.mark.parametrize(
    "keys", ["", "b", "v", "question_mark", "o", "p"], ids=["live", "review", "views", "help", "overview", "held"]
)
@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
async def test_a_screen_looks_as_it_did(size: tuple[int, int], keys: str, request: pytest.FixtureRequest) -> None:
    clock, feed = Clock(), ListFeed(scan.STATE)
    app = FetalstreamApp(feed, clock_ns=clock, protocol=read_protocol("fasp-20-week"))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        scanned(feed, clock, app)
        await drawn(pilot, app)
        if keys:
            await pilot.press(keys)
            await drawn(pilot, app)
            while "fetching" in painted(app):
                await pilot.pause(0.01)
        found = painted(app)
    path = PICTURES / f"{request.node.callspec.id}.txt"
    if os.environ.get("FETALSTREAM_KEEP_PICTURES"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found)
    assert found == path.read_text(), f"{path.name} looks different: look at it, and keep the new one if it is meant"


async def test_any_size_and_any_change_of_size_is_drawn() -> None:
    clock, feed = Clock(), ListFeed(scan.STATE)
    app = FetalstreamApp(feed, clock_ns=clock)
    async with app.run_test(size=(20, 6)) as pilot:
        await pilot.pause()
        scanned(feed, clock, app)
        for width, height in ((20, 6), (79, 23), (10, 3), (240, 70), (41, 12)):
            await pilot.resize_terminal(width, height)
            for key in ("b", "escape", "o", "o"):
                await pilot.press(key)
                app._dashboard.all_due()
                app.tick()
            await pilot.pause()
        assert app._exception is None


async def test_without_colour_everything_is_still_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    clock, feed = Clock(), ListFeed(scan.STATE)
    app = FetalstreamApp(feed, clock_ns=clock)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        scanned(feed, clock, app)
        await drawn(pilot, app)
        shown = painted(app)
        assert "LIVE" in shown
        clock.forward(2)
        await drawn(pilot, app)
        assert "STALE 2.0 s" in painted(app)
        for strip in app.screen._compositor.render_strips(app.size):
            for segment in strip:
                colour = segment.style.color if segment.style else None
                if colour is not None and colour.triplet is not None:
                    assert len(set(colour.triplet)) == 1, segment


@pytest.mark.parametrize("theme", ["light", "high contrast"])
async def test_a_theme_changes_colours_and_nothing_else(theme: str) -> None:
    clock, feed = Clock(), ListFeed(scan.STATE)
    app = FetalstreamApp(feed, clock_ns=clock)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        scanned(feed, clock, app)
        await drawn(pilot, app)
        before = painted(app)
        app.colours = theme
        await drawn(pilot, app)
        after = painted(app)
    assert before.splitlines()[::2] == after.splitlines()[::2]
    assert before != after
