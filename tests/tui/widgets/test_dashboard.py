"""The dashboard's screen over scenes that a test makes: its edges, its status row, its paces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from fetalstream.pipeline.wire import Message
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.state.session import Session
from fetalstream.tui.widgets import layout
from fetalstream.tui.widgets.dashboard import Dashboard, _status
from fetalstream.tui.widgets.scene import Scene
from fetalstream.tui.widgets.single import PANELS
from fetalstream.tui.widgets.text_block import TextBlock
from tests.tui import scan
from tests.tui.scan import SECOND, START


class Alone(App[None]):
    CSS = layout.css(PANELS)

    def __init__(self) -> None:
        super().__init__()
        self.dashboard = Dashboard()

    def get_default_screen(self) -> Dashboard:
        return self.dashboard


@asynccontextmanager
async def alone(size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Dashboard, Pilot[None]]]:
    app = Alone()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app.dashboard, pilot


def scene(*messages: Message, after_s: float = 0.0, session: Session | None = None) -> Scene:
    live = session or scan.session(*(messages or (scan.reading(START), scan.health(START))))
    now_ns = START + round(after_s * SECOND)
    return Scene(live, now_ns, live, now_ns, None, "stream-1", None)


def status(given: Scene, behind_s: float = 0.0, *, wide: bool = False) -> str:
    return _status(given, behind_s, 100, wide=wide).plain.strip()


def row(dashboard: Dashboard, name: str) -> str:
    return dashboard.query_one(f"#{name}", TextBlock).text.plain


# The status row ------------------------------------------------------------------------------------------------


def test_by_default_it_says_what_to_do_next() -> None:
    assert status(scene()) == "still missing: brain, now: hold it a little longer"


def test_a_new_event_comes_before_the_next_step_and_for_a_while_only() -> None:
    marked = scan.reading(START), scan.event(START, text="fold")
    assert "Mark · fold" in status(scene(*marked))
    assert "Mark · fold" in status(scene(*marked, after_s=9.9))
    assert "Mark · fold" not in status(scene(*marked, after_s=10.1))


def test_wide_screens_have_a_log_for_events() -> None:
    assert status(scene(scan.reading(START), scan.event(START, text="fold")), wide=True).startswith("still missing")


def test_a_minute_without_a_scan_offers_a_new_exam() -> None:
    assert status(scene(after_s=59.0)).startswith("still missing")
    assert status(scene(after_s=60.0)) == "No picture for a minute. Another patient? n starts a new exam"


def test_that_nothing_is_recorded_comes_before_that() -> None:
    given = replace(scene(after_s=60.0), recording=RecordingStatus(Path("/s"), "No space left on device"))
    assert status(given) == "NOT RECORDING: No space left on device"


def test_the_answer_to_a_key_comes_first() -> None:
    given = replace(scene(after_s=60.0), recording=RecordingStatus(None, "x"), said=("Mark set on stream-1", "good"))
    assert status(given) == "Mark set on stream-1"


@pytest.mark.parametrize("said", [None, ("Mark set", "good")])
def test_a_screen_that_is_far_behind_says_so_before_everything(said: tuple[str, str] | None) -> None:
    given = replace(scene(), said=said)  # type: ignore[arg-type]
    assert status(given, behind_s=2.5).startswith("screen 2.5 s behind")
    assert "behind" not in status(given, behind_s=0.9)


def test_before_the_first_reading_it_says_nothing() -> None:
    assert status(scene(session=scan.session())) == ""
    assert status(replace(scene(session=Session()), selected=None)) == ""


def test_the_row_fits_whatever_is_said() -> None:
    for given in (
        replace(scene(), said=("x" * 300, "bad")),
        replace(scene(), recording=RecordingStatus(None, "y" * 300)),
        scene(scan.reading(START), scan.event(START, text="z" * 300)),
    ):
        assert _status(given, 3.0, 80, wide=False).cell_len <= 80


# The screen ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "classes"), [((80, 24), set()), ((120, 40), {"wide"}), ((160, 60), {"wide", "tall"})]
)  # fmt: skip
async def test_the_layout_follows_the_size(size: tuple[int, int], classes: set[str]) -> None:
    async with alone((80, 24)) as (dashboard, pilot):
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert dashboard.classes & {"wide", "tall"} == classes


async def test_streams_have_a_row_only_if_there_are_several() -> None:
    async with alone() as (dashboard, _):
        dashboard.draw(scene())
        assert not dashboard.query_one("#streams").display
        two = scan.session(scan.reading(START), scan.reading(START, stream="stream-2"))
        dashboard.all_due()
        dashboard.draw(scene(session=two))
        assert dashboard.query_one("#streams").display
        assert "stream-2" in row(dashboard, "streams")


async def test_the_edges_are_drawn_five_times_a_second() -> None:
    async with alone() as (dashboard, _):
        dashboard.draw(scene())
        for after_s, words in ((0.1, "0.0 s"), (0.19, "0.0 s"), (0.25, "0.2 s")):
            dashboard.draw(scene(after_s=after_s))
            assert f"frame {words}" in row(dashboard, "health")


async def test_after_a_key_everything_is_drawn_at_once() -> None:
    async with alone() as (dashboard, _):
        dashboard.draw(scene())
        dashboard.all_due()
        dashboard.draw(replace(scene(after_s=0.01), said=("Snapshot taken", "good")))
        assert "Snapshot taken" in row(dashboard, "status")


async def test_a_held_screen_keeps_its_panels_and_its_edges_tell_of_now() -> None:
    async with alone((140, 45)) as (dashboard, pilot):
        before = scan.session(scan.reading(START, "femur"))
        now = scan.session(
            scan.reading(START), scan.reading(START + 30 * SECOND, stream="stream-1", seq=1, state="black")
        )
        held = Scene(now, START + 30 * SECOND, before, START, 30.0, "stream-1", None)
        dashboard.draw(held)
        await pilot.pause()
        assert "BLACK PICTURE" in row(dashboard, "header")
        assert "PAUSED 0:30" in row(dashboard, "header")
        assert "femur" in row(dashboard, "planes")


async def test_the_overview_takes_the_place_of_the_single_stream() -> None:
    async with alone() as (dashboard, pilot):
        dashboard.toggle_overview(True)
        dashboard.draw(scene())
        await pilot.pause()
        assert dashboard.query_one("Overview").display
        assert not dashboard.query_one("Single").display
        dashboard.toggle_overview(False)
        await pilot.pause()
        assert dashboard.query_one("Single").display


async def test_the_notice_is_always_there() -> None:
    async with alone() as (dashboard, _):
        dashboard.draw(scene(session=Session()))
        assert row(dashboard, "notice").strip() == "RESEARCH USE ONLY - NOT FOR DIAGNOSTIC USE"
