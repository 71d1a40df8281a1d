"""Report, export and search from the palette, whole: a real recording, the real commands, the real model."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fetalstream.pipeline.wire import NoteExport
from fetalstream.streamer.phantom.source import PhantomSource
from fetalstream.tui import cli
from fetalstream.tui.dashboard.app import FetalstreamApp
from fetalstream.tui.record.replay import Recording, ReplayFeed
from fetalstream.tui.state.recording_status import RecordingStatus
from tests.tui import scan
from tests.tui.bench import Bench, bench

FRAMES = range(0, 600, 15)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of a phantom, two frames a second, with image vectors."""
    folder = tmp_path_factory.mktemp("recorded")
    source = PhantomSource(3)
    for index in FRAMES:
        assert cv2.imwrite(str(folder / f"{index:04}.png"), np.asarray(source.frame(index).pixels))
    out = folder / "out"
    assert cli.main(["analyze", str(folder), "--spacing", "0.2", "--embeddings", "--out", str(out)]) == 0
    (session,) = out.iterdir()
    return session


async def choose(b: Bench, title: str) -> None:
    (command,) = [each for each in b.app.get_system_commands(b.app.screen) if each.title == title]
    command.callback()
    await b.pilot.pause()


async def carried_out(b: Bench, *words: str) -> None:
    """Wait until the command that runs beside the dashboard has ended."""
    await b.app.workers.wait_for_complete()
    await b.shows(*words)


async def test_the_report_is_written_and_lands_on_record(session: Path) -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        b.app.recording = RecordingStatus(session)
        await choose(b, "Write the report")
        await carried_out(b, "Written: ")
        (report,) = session.glob("*.html")
        assert "NOT FOR DIAGNOSTIC USE" in report.read_text()
        assert NoteExport(stream="stream-1", what="report") in b.feed.asked


async def test_the_export_fills_the_folder_that_was_said(session: Path, tmp_path: Path) -> None:
    out = tmp_path / "tables"
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        b.app.recording = RecordingStatus(session)
        await choose(b, "Export the session")
        await b.pilot.press("enter")
        await b.shows("Into which folder")
        await b.pilot.press("ctrl+u", *(("slash" if each == "/" else each) for each in str(out)), "enter")
        await carried_out(b, "files written")
        assert NoteExport(stream="stream-1", what="csv,jsonl") in b.feed.asked
    readings = (out / "readings.jsonl").read_text().splitlines()
    assert len([json.loads(line) for line in readings]) == len(FRAMES)
    assert (out / "readings.csv").read_text().count("\n") == len(FRAMES) + 1


async def test_what_is_asked_for_meanwhile_is_done_after_it(session: Path) -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        b.app.recording = RecordingStatus(session)
        await choose(b, "Write the report")
        await choose(b, "Write the report")
        await b.shows("Writing the report, after what is being done")
        await carried_out(b, "Written: ")
        assert b.feed.names.count("exported") == 2


async def test_what_cannot_be_done_is_said_in_one_line(short_path: Path) -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        await choose(b, "Write the report")
        await b.shows("Nothing of this is recorded here")
        b.app.recording = RecordingStatus(short_path)
        await choose(b, "Write the report")
        await carried_out(b, "is no session")
        assert "exported" not in b.feed.names


async def test_a_sentence_finds_a_moment_and_leads_to_it(session: Path) -> None:
    clock = scan.Clock()
    recording = Recording(session)
    feed = ReplayFeed(recording, clock_ns=clock, speed=8.0)
    app = FetalstreamApp(feed, clock_ns=clock)
    async with app.run_test(size=(100, 30)) as pilot:
        b = Bench(app, feed, clock, pilot)  # type: ignore[arg-type] - a recording in the place of a list
        await pilot.pause()
        await b.later(30)
        await b.until(lambda: feed.finished and app.selected)
        feed.set_speed(0)
        before = feed.seconds
        await choose(b, "Search the recording in words")
        await pilot.press(*"femur", "enter")
        await app.workers.wait_for_complete()
        await b.shows("found", "stream-1")
        await pilot.press("down", "enter")
        await b.until(lambda: feed.seconds < before)
