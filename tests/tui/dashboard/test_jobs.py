"""Report, export and search without a screen and without a process: what is run, what is said, what goes on record."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fetalstream.pipeline.wire import NoteExport
from fetalstream.tui.dashboard.background_commands import CommandFailed, SearchHit
from fetalstream.tui.dashboard.jobs import EXPORTS, Jobs
from fetalstream.tui.settings.scan_protocols import read_protocol
from fetalstream.tui.state.recording_status import RecordingStatus
from tests.tui import scan
from tests.tui.plain_host import PlainHost
from tests.tui.scan import START, ListFeed

SESSION = Path("/sessions/20260102T100000Z_run-a")


class Commands:
    """Notes what was run and returns ``lines``, or fails with ``failure``."""

    def __init__(self) -> None:
        self.run_: list[tuple[str, ...]] = []
        self.lines = ["/sessions/report.html"]
        self.failure: str | None = None
        self.gate: asyncio.Event | None = None

    async def __call__(self, *arguments: str) -> list[str]:
        self.run_.append(arguments)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise CommandFailed(self.failure)
        return self.lines


class Searches:
    """Notes what was searched for and returns ``hits``."""

    def __init__(self, *hits: SearchHit) -> None:
        self.hits = list(hits)
        self.made: list[tuple[Path, str, str | None]] = []
        self.failure: Exception | None = None

    async def __call__(self, folder: Path, words: str, model: str | None) -> list[SearchHit]:
        self.made.append((folder, words, model))
        if self.failure is not None:
            raise self.failure
        return self.hits


class Played(ListFeed):
    folder = Path("/recordings/a")
    seconds, duration, speed = 0.0, 1.0, 1.0

    def set_speed(self, speed: float) -> None: ...

    def seek(self, seconds: float) -> list[Any]:
        return []


class Bench:
    """The jobs over a recording in ``SESSION``."""

    def __init__(self, feed: ListFeed | None = None, *hits: SearchHit, read_only: bool = False) -> None:
        self.feed = feed or ListFeed()
        self.host = PlainHost(scan.session(scan.reading(START)), "stream-1", recording=RecordingStatus(SESSION))
        self.commands, self.searches = Commands(), Searches(*hits)
        self.shown_ns: list[int] = []
        self.jobs = Jobs(
            self.host, self.feed, self.shown_ns.append, read_only=read_only, run=self.commands, search=self.searches
        )


def test_the_folder_is_the_recorders_else_the_played_one() -> None:
    assert Bench().jobs.folder == SESSION
    assert Bench(Played()).jobs.folder == Played.folder


def test_the_folder_of_a_run_that_is_watched_is_found_by_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fetalstream.tui.dashboard.background_commands.sessions_folder", lambda: tmp_path)
    bench = Bench()
    bench.host.recording = RecordingStatus()
    assert bench.jobs.folder is None
    (tmp_path / "20260102T100000Z_run-a").mkdir()
    assert bench.jobs.folder == tmp_path / "20260102T100000Z_run-a"


@pytest.mark.parametrize("job", ["report", "export", "search"])
def test_without_a_recording_nothing_is_asked_or_run(job: str) -> None:
    bench = Bench()
    bench.host.recording = RecordingStatus()
    getattr(bench.jobs, job)()
    assert (bench.host.questions, bench.host.work) == ([], [])
    assert bench.host.said == ("Nothing of this is recorded here: start the run without --no-record", "warn")


@pytest.mark.parametrize("protocol", [None, "fasp-20-week"])
async def test_the_report_follows_the_protocol_and_goes_on_record(protocol: str | None) -> None:
    bench = Bench()
    bench.host.protocol = None if protocol is None else read_protocol(protocol)
    bench.jobs.report()
    assert bench.host.said == ("Writing the report …", "quiet")
    assert await bench.host.run() == ["jobs"]
    assert bench.commands.run_ == [("report", str(SESSION), "--protocol", protocol or "planes")]
    assert bench.host.said == ("Written: /sessions/report.html", "good")
    assert bench.feed.asked == [NoteExport(stream="stream-1", what="report")]


async def test_a_protocol_from_elsewhere_is_not_named() -> None:
    bench = Bench()
    protocol = read_protocol("fasp-20-week")
    assert protocol is not None
    bench.host.protocol = type(protocol)(title="t", source="s", views=protocol.views, name="not-here")
    bench.jobs.report()
    await bench.host.run()
    assert bench.commands.run_ == [("report", str(SESSION))]


@pytest.mark.parametrize("place", range(len(EXPORTS)))
async def test_an_export_asks_for_formats_and_a_folder(place: int) -> None:
    bench = Bench()
    bench.commands.lines = ["a.csv", "b.jsonl"]
    bench.jobs.export()
    assert bench.host.answer(place).choices == tuple(words for words, _ in EXPORTS)
    assert bench.host.questions[-1].value == str(Path.cwd() / f"{SESSION.name}-export")
    bench.host.answer("~/out")
    await bench.host.run()
    formats = EXPORTS[place][1]
    out = str(Path("~/out").expanduser())
    assert bench.commands.run_ == [("export", str(SESSION), "--out", out, "--format", formats)]
    assert bench.host.said == ("2 files written", "good")
    assert bench.feed.asked == [NoteExport(stream="stream-1", what=formats)]


@pytest.mark.parametrize("answers", [(None,), (0, None), (0, "")])
def test_leaving_an_export_runs_nothing(answers: tuple[object, ...]) -> None:
    bench = Bench()
    bench.jobs.export()
    for each in answers:
        bench.host.answer(each)
    assert (bench.host.questions, bench.host.work) == ([], [])


async def test_a_failure_is_said_and_not_on_record() -> None:
    bench = Bench()
    bench.commands.failure = "No space left on device"
    bench.jobs.report()
    await bench.host.run()
    assert bench.host.said == ("No space left on device", "bad")
    assert bench.feed.asked == []


async def test_that_the_engine_is_gone_is_no_failure_of_the_report() -> None:
    bench = Bench()
    bench.feed.refusal = "the engine does not answer"
    bench.jobs.report()
    await bench.host.run()
    assert bench.host.said == ("Written: /sessions/report.html", "good")


async def test_a_read_only_dashboard_writes_and_tells_the_engine_nothing() -> None:
    bench = Bench(read_only=True)
    bench.jobs.report()
    await bench.host.run()
    assert len(bench.commands.run_) == 1
    assert bench.feed.asked == []


async def test_jobs_wait_for_each_other() -> None:
    bench = Bench()
    bench.commands.gate = asyncio.Event()
    bench.jobs.report()
    first = asyncio.create_task(bench.host.work.pop()[1])
    await asyncio.sleep(0)
    bench.jobs.report()
    assert bench.host.said == ("Writing the report, after what is being done …", "quiet")
    second = asyncio.create_task(bench.host.work.pop()[1])
    await asyncio.sleep(0)
    assert len(bench.commands.run_) == 1
    bench.commands.gate.set()
    await asyncio.gather(first, second)
    assert len(bench.commands.run_) == 2


async def test_a_sentence_leads_to_the_moment_that_was_chosen() -> None:
    hits = SearchHit("stream-2", 5, "0.31  0:05  stream-2"), SearchHit("stream-1", 9, "0.29  0:09  stream-1")
    bench = Bench(None, *hits)
    bench.jobs.search()
    bench.host.answer("a femur")
    assert bench.host.said == ("Searching; the model is loaded for it …", "quiet")
    await bench.host.run()
    assert bench.searches.made == [(SESSION, "a femur", "mini")]
    assert bench.host.said is None
    assert bench.host.answer(0).choices == tuple(hit.words for hit in hits)
    assert (bench.host.selected, bench.shown_ns) == ("stream-2", [5])


async def test_leaving_the_moments_found_shows_none() -> None:
    bench = Bench(None, SearchHit("stream-2", 5, "0.31"))
    bench.jobs.search()
    bench.host.answer("a femur")
    await bench.host.run()
    bench.host.answer(None)
    assert (bench.host.selected, bench.shown_ns) == ("stream-1", [])


@pytest.mark.parametrize("words", [None, ""])
def test_without_words_nothing_is_searched(words: str | None) -> None:
    bench = Bench()
    bench.jobs.search()
    bench.host.answer(words)
    assert bench.host.work == []


@pytest.mark.parametrize(
    "failure", [CommandFailed("it was recorded without --embeddings"), KeyError("moments"), ValueError("no JSON")]
)
async def test_a_search_that_fails_says_why(failure: Exception) -> None:
    bench = Bench()
    bench.searches.failure = failure
    bench.jobs.search()
    bench.host.answer("a femur")
    await bench.host.run()
    assert bench.host.said == (str(failure), "bad")


async def test_a_search_that_finds_nothing_says_so() -> None:
    bench = Bench()
    bench.jobs.search()
    bench.host.answer("a femur")
    await bench.host.run()
    assert bench.host.said == ("Nothing that fits is on disk yet", "warn")
    assert bench.host.questions == []
