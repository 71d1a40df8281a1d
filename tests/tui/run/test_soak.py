"""Two hours of a scan on the dashboard: nothing grows."""

import asyncio
import gc
import logging

import numpy as np
import psutil
import pytest

from fetalstream.tui.dashboard.app import FetalstreamApp
from tests.tui import scan
from tests.tui.scan import Clock, ListFeed

HOURS = 2
WARM_UP_S = 600
SPEED = 8


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_two_hours_of_traffic_leave_memory_widgets_and_tasks_as_they_were() -> None:
    clock, feed = Clock(), ListFeed(scan.STATE)
    app = FetalstreamApp(feed, clock_ns=clock)
    rng = np.random.default_rng(0)
    pictures = [scan.jpeg(rng.integers(0, 255, (120, 160), np.uint8)) for _ in range(50)]
    process = psutil.Process()
    before: tuple[float, int, int] | None = None
    async with app.run_test(size=(120, 45)) as pilot:
        await pilot.pause()
        seq = 0
        for tick in range(HOURS * 3600 * 15 // SPEED):
            for _ in range(2 * SPEED):  # 30 readings a second, played at 8 times the speed between two drawings
                seq += 1
                clock.now_ns += scan.SECOND // 30
                plane = ("brain", None, "femur", "heart", None)[seq // 300 % 5]
                feed.put(scan.reading(clock(), plane, seq=seq))
                if seq % 30 == 0:
                    feed.put(scan.health(clock(), seq=seq))
                if seq % 900 == 0:
                    feed.put(scan.keyframe(clock(), plane or "spine", 0.5, seq=seq, keyframe=str(seq)))
                    feed.put(scan.event(clock(), text=str(seq)))
            # A copy: every preview of a real stream is bytes of its own.
            feed.put(scan.preview(clock(), seq=tick), blob=bytes(bytearray(pictures[tick % 50])))
            app.tick()
            if tick % 20 == 0:
                await pilot.pause()
            if tick == WARM_UP_S * 15 // SPEED:
                gc.collect()
                before = (process.memory_info().rss, len(app.screen.walk_children()), len(asyncio.all_tasks()))
        await pilot.pause()
        gc.collect()
        assert before is not None
        grown_mb = (process.memory_info().rss - before[0]) / 1e6
        logging.getLogger(__name__).info("grown by %.1f MB", grown_mb)
        assert grown_mb <= 20
        assert len(app.screen.walk_children()) == before[1]
        assert abs(len(asyncio.all_tasks()) - before[2]) <= 2
