import pytest
from textual.app import App, ComposeResult

from fetalstream.tui.state.session import TrendPoint
from fetalstream.tui.widgets.trend import Trend


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.trend = Trend()

    def compose(self) -> ComposeResult:
        yield self.trend

    def shown(self) -> str:
        return "\n".join(strip.text for strip in self.screen._compositor.render_strips(self.size))


@pytest.mark.parametrize("seconds", [1, 40, 3600])
async def test_axes_count_in_weeks_and_minutes(seconds: int) -> None:
    stage = Stage()
    points = tuple(TrendPoint(seconds * i / 20, 143 + i / 10, 134.0, 152.0) for i in range(21))
    async with stage.run_test(size=(60, 12)) as pilot:
        assert stage.trend.show(points)
        assert not stage.trend.show(points)
        await pilot.pause()
        assert "20w0d" in stage.shown()
        assert "0:00" in stage.shown()


async def test_one_point_is_drawn_and_without_any_there_are_no_axes_either() -> None:
    stage = Stage()
    async with stage.run_test(size=(60, 12)) as pilot:
        assert not stage.shown().strip()
        assert stage.trend.show((TrendPoint(0.0, 143.0, 134.0, 152.0),))
        await pilot.pause()
        assert "20w0d" in stage.shown()
        assert stage.trend.show(())
        await pilot.pause()
        assert not stage.shown().strip()
