"""The dashboard over a feed that a test fills and a clock that a test moves, with what is on its screen as text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from textual.pilot import Pilot

from fetalstream.tui.dashboard.app import FetalstreamApp
from fetalstream.tui.widgets.dashboard import Dashboard
from tests.tui import scan
from tests.tui.scan import Clock, ListFeed


@dataclass
class Bench:
    app: FetalstreamApp
    feed: ListFeed
    clock: Clock
    pilot: Pilot[None]

    @property
    def dashboard(self) -> Dashboard:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, Dashboard)
        return screen

    def screen(self) -> str:
        """All characters on the screen, a row a line."""
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return "\n".join(strip.text for strip in strips)

    async def until(self, condition: Callable[[], object], what: str = "it") -> None:
        for _ in range(100):
            if not self.app.is_running:
                break
            self.dashboard.all_due()  # the clock stands still, so nothing falls due by itself
            self.app.tick()
            await self.pilot.pause()
            if condition():
                return
        if condition():
            return
        pytest.fail(f"{what} never came true; the screen shows\n{self.screen()}")

    async def shows(self, *words: str) -> None:
        await self.until(lambda: all(word in self.screen() for word in words))

    async def later(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.app.tick()
        await self.pilot.pause()

    def put_streams(self, *streams: str) -> None:
        now = self.clock()
        for stream in streams:
            self.feed.put(scan.reading(now, stream=stream), scan.health(now, stream=stream))
            self.feed.put(scan.preview(now, stream=stream), blob=scan.ramp())


@asynccontextmanager
async def bench(size: tuple[int, int] = (80, 24), feed: ListFeed | None = None) -> AsyncIterator[Bench]:
    feed, clock = feed or ListFeed(scan.STATE), Clock()
    app = FetalstreamApp(feed, clock_ns=clock)
    async with app.run_test(size=size) as pilot:
        yield Bench(app, feed, clock, pilot)
