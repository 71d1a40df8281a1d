import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline.endpoints import endpoints_in
from tests.scripted_engine import Kept, ScriptedEngine, health, on_tcp, published
from tests.waiting import until
from tui.feed_asker import Asker, NoAnswer
from tui.recorder import record
from tui.store import SessionStore

ROOT = Path(__file__).parents[2]
RECORD = """
import sys, threading
from pathlib import Path
from tui.recorder import record
record(sys.argv[1], Path(sys.argv[2]), threading.Event(), report=lambda line: print(line, flush=True))
"""


def recorder_process(engine: ScriptedEngine, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RECORD, engine.endpoints.control, str(out)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


class Recorder:
    """In a thread; ``lines`` is what it said."""

    def __init__(self, endpoint: str, out: Path, free_bytes: Callable[[Path], int] = lambda _: 10**12) -> None:
        self.lines: list[str] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(
            target=record,
            args=(endpoint, out, self.stop),
            kwargs={"report": self.lines.append, "free_bytes": free_bytes},
            daemon=True,
        )
        self.thread.start()

    def ended(self) -> None:
        self.thread.join(60)
        assert not self.thread.is_alive()

    def recording(self, times: int = 1) -> bool:
        return sum(line.startswith("Recording into") for line in self.lines) >= times


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ScriptedEngine]:
    (tmp_path / "run").mkdir()
    with ScriptedEngine(endpoints_in(tmp_path / "run")) as engine:
        yield engine


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@contextmanager
def stopped_at_the_end(recorder: Recorder) -> Iterator[Recorder]:
    yield recorder
    recorder.stop.set()
    recorder.ended()


def rows(folder: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "session.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return database.execute(sql).fetchall()


def seqs(folder: Path, kind: str) -> list[int]:
    return [seq for (seq,) in rows(folder, f"SELECT seq FROM messages WHERE kind = '{kind}' ORDER BY seq")]


def folder_of(out: Path) -> Path:
    (folder,) = out.iterdir()
    return folder


def hears(engine: ScriptedEngine, out: Path) -> None:
    """Until the recorder's subscription has arrived: nobody can ask for health afterwards."""

    def heard() -> bool:
        engine.publisher.send(health())
        folders = [folder for folder in out.glob(f"*_{engine.run}") if (folder / "session.json").exists()]
        return any(seqs(folder, "health") for folder in folders)

    until(heard)


def check_pictures(folder: Path, keyframes: set[str]) -> None:
    """Each of them is on disk, whole, with its own pixels and its sidecar."""
    for keyframe in keyframes:
        (path,) = folder.glob(f"keyframes/*/{keyframe}.png")
        assert path.with_suffix(".json").is_file()
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(pixels, Kept(keyframe, pixels.shape[0]).pixels)


def acknowledged(engine: ScriptedEngine) -> set[str]:
    return {keyframe for command, args in list(engine.asked) if command == "saved" for keyframe in args["ids"]}


@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(1200)])])
def test_killed_again_and_again_it_loses_nothing(engine: ScriptedEngine, out: Path, kills: int) -> None:
    engine.play_in_thread(period_s=0.005)
    for _ in range(kills):
        process = recorder_process(engine, out)
        before = len(acknowledged(engine))
        until(lambda before=before: len(acknowledged(engine)) > before + 2)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        check_pictures(folder_of(out), acknowledged(engine))
    process = recorder_process(engine, out)
    until(lambda: process.stdout and process.stdout.readline().startswith("Recording into"))
    before = len(seqs(folder_of(out), "health"))
    until(lambda: len(seqs(folder_of(out), "health")) > before)
    engine.stop_playing()
    engine.goodbye()
    process.communicate(timeout=60)
    assert process.returncode == 0
    folder = folder_of(out)
    for kind in ("reading", "event", "keyframe"):
        assert seqs(folder, kind) == list(range(engine.publisher.topics()[f"{kind}/stream-1"] + 1)), kind
    announced = {header["keyframe"] for header in published(engine, "keyframe")}
    assert acknowledged(engine) == announced
    check_pictures(folder, announced)
    assert not list(folder.rglob("*.part"))
    assert rows(folder, "SELECT count(*) FROM keyframes WHERE picture != 'saved'") == [(0,)]


def test_a_late_joiner_gets_all_that_went_before(engine: ScriptedEngine, out: Path) -> None:
    engine.read(3_000)
    keyframe = engine.keyframe()
    recorder = Recorder(engine.endpoints.pub, out)  # the publisher's endpoint will do
    until(lambda: acknowledged(engine) == {keyframe})
    hears(engine, out)
    engine.read(1)
    engine.goodbye()
    recorder.ended()
    assert seqs(folder_of(out), "reading") == list(range(3_001))
    assert rows(folder_of(out), "SELECT count(*) FROM messages WHERE kind = 'goodbye'") == [(1,)]


def test_a_gap_that_nobody_answered_for_is_filled_later(
    engine: ScriptedEngine, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, refused = Asker.ask, threading.Event()

    def busy_at_first(self: Asker, control: str, command: str, *args: Any) -> Any:
        if command == "since" and away.is_set():
            refused.set()
            raise NoAnswer("busy")
        return ask(self, control, command, *args)

    away = threading.Event()
    monkeypatch.setattr(Asker, "ask", busy_at_first)
    recorder = Recorder(engine.endpoints.control, out)
    hears(engine, out)
    engine.read(2)
    until(lambda: seqs(folder_of(out), "reading") == [0, 1])
    away.set()
    send = engine.publisher._pub.send_multipart
    engine.publisher._pub.send_multipart = lambda *_: None  # type: ignore[method-assign,assignment]
    engine.read(20)
    engine.publisher._pub.send_multipart = send  # type: ignore[method-assign]
    engine.read(3)
    until(refused.is_set)
    away.clear()
    until(lambda: seqs(folder_of(out), "reading") == list(range(25)))
    hears(engine, out)
    engine.goodbye()
    recorder.ended()


def test_the_first_goodbye_of_several_streams_is_not_the_end(
    engine: ScriptedEngine, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"exam": "exam-a", "streams": [{"stream": f"stream-{n}", "kind": "phantom"} for n in (1, 2)]}
    monkeypatch.setattr(engine.control, "_state", lambda given, real=engine.control._state: real({**given, **told}))
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)) as recorder:
        until(recorder.recording)
        hears(engine, out)
        engine.goodbye()
        engine.read(3, "stream-2")
        until(lambda: rows(folder_of(out), "SELECT count(*) FROM messages WHERE stream = 'stream-2'") == [(3,)])
        engine.goodbye("stream-2")
        recorder.ended()
    assert rows(folder_of(out), "SELECT count(*) FROM messages WHERE kind = 'goodbye'") == [(2,)]


def test_it_waits_for_an_engine_and_says_so_once(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.recorder.ATTACH_S", 0.1)
    (tmp_path / "run").mkdir()
    endpoints = endpoints_in(tmp_path / "run")
    with stopped_at_the_end(Recorder(endpoints.control, out)) as recorder:
        until(lambda: recorder.lines)
        with ScriptedEngine(endpoints) as engine:
            hears(engine, out)
            engine.read(2)
            engine.goodbye()
            recorder.ended()
    assert sum("no engine" in line for line in recorder.lines) == 1
    assert seqs(folder_of(out), "reading") == [0, 1]


@pytest.mark.parametrize("over", ["ipc", "tcp"])
def test_an_engine_that_comes_back_is_another_session(tmp_path: Path, out: Path, over: str) -> None:
    (tmp_path / "run").mkdir()
    endpoints = endpoints_in(tmp_path / "run")
    first = ScriptedEngine(endpoints if over == "ipc" else on_tcp(endpoints))
    with stopped_at_the_end(Recorder(first.endpoints.control, out)) as recorder:
        until(recorder.recording)
        first.read(5)
        until(lambda: seqs(folder_of(out), "reading") == list(range(5)))
        first.end()  # without a goodbye, as a crash
        with ScriptedEngine(first.endpoints) as second:
            second.read(3)
            until(lambda: second.mark() or recorder.recording(2))
            hears(second, out)
            second.goodbye()
            recorder.ended()
    folders = {folder.name.rpartition("_")[2]: folder for folder in out.iterdir()}
    assert seqs(folders[first.run], "reading") == list(range(5))
    assert seqs(folders[second.run], "reading") == list(range(3))


def test_a_full_disk_is_loud_and_what_was_missed_is_written_afterwards(
    engine: ScriptedEngine, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = threading.Event()
    commit = SessionStore.commit

    def commit_or_not(store: SessionStore) -> None:
        if full.is_set():
            raise sqlite3.OperationalError("database or disk is full")
        commit(store)

    monkeypatch.setattr(SessionStore, "commit", commit_or_not)
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)) as recorder:
        until(recorder.recording)
        full.set()
        engine.read(50)
        keyframe = engine.keyframe()
        until(lambda: any("NOT RECORDING: database or disk is full" in line for line in recorder.lines))
        full.clear()
        until(lambda: keyframe in acknowledged(engine))
        hears(engine, out)
        engine.goodbye()
        recorder.ended()
    assert seqs(folder_of(out), "reading") == list(range(50))
    check_pictures(folder_of(out), {keyframe})


def test_a_folder_that_is_removed_is_loud_and_recorded_into_anew(engine: ScriptedEngine, out: Path) -> None:
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)) as recorder:
        until(recorder.recording)
        engine.read(20)
        keyframe = engine.keyframe()
        until(lambda: keyframe in acknowledged(engine))
        shutil.rmtree(out)
        until(lambda: any("NOT RECORDING" in line and "removed" in line for line in recorder.lines))
        until(lambda: recorder.recording(2))
        hears(engine, out)
        until(lambda: seqs(folder_of(out), "reading") == list(range(20)))


def test_a_folder_that_cannot_be_written_is_loud_and_recording_begins_once_it_can(
    engine: ScriptedEngine, tmp_path: Path
) -> None:
    # Nobody may write below a file, not even root, whom permissions do not stop.
    (tmp_path / "blocked").write_text("")
    with stopped_at_the_end(Recorder(engine.endpoints.control, tmp_path / "blocked" / "sessions")) as recorder:
        until(lambda: any(line.startswith("NOT RECORDING") for line in recorder.lines))
        engine.read(20)
        (tmp_path / "blocked").unlink()
        until(recorder.recording)
        until(lambda: seqs(folder_of(tmp_path / "blocked" / "sessions"), "reading") == list(range(20)))


@pytest.mark.soak
def test_stopped_for_five_minutes_of_frames_it_misses_nothing(engine: ScriptedEngine, out: Path) -> None:
    process = recorder_process(engine, out)
    until(lambda: process.stdout and process.stdout.readline().startswith("Recording into"))
    hears(engine, out)
    process.send_signal(signal.SIGSTOP)
    keyframes = []
    for minute in range(5):
        engine.read(30 * 60)
        keyframes.append(engine.keyframe())
        engine.mark(f"minute {minute}")
    process.send_signal(signal.SIGCONT)
    until(lambda: set(keyframes) <= acknowledged(engine), 120.0)
    engine.goodbye()
    process.communicate(timeout=60)
    assert seqs(folder_of(out), "reading") == list(range(9_000))
    assert seqs(folder_of(out), "event") == list(range(engine.publisher.topics()["event/stream-1"] + 1))
    check_pictures(folder_of(out), set(keyframes))


def test_it_warns_while_the_disk_fills_and_stops_in_time(engine: ScriptedEngine, out: Path) -> None:
    free = 4_000_000_000
    with stopped_at_the_end(Recorder(engine.endpoints.control, out, lambda _: free)) as recorder:
        until(recorder.recording)
        assert "only 4.0 GB are free" in recorder.lines[0]
    free = 500_000_000
    with stopped_at_the_end(Recorder(engine.endpoints.control, out, lambda _: free)) as recorder:
        until(lambda: recorder.lines)
        assert recorder.lines[0].startswith("NOT RECORDING: only 0.5 GB")
        assert not recorder.recording()
        free = 10**12
        until(recorder.recording)


def test_a_picture_that_nobody_has_any_more_is_given_up(engine: ScriptedEngine, out: Path) -> None:
    lost = engine.keyframe()
    engine.publisher.pictures.saved([lost])
    del engine.shelf[lost]
    kept = engine.keyframe()
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)):
        until(lambda: kept in acknowledged(engine))
        until(lambda: rows(folder_of(out), "SELECT keyframe FROM keyframes WHERE picture = 'gone'") == [(lost,)])


def test_two_recorders_do_not_write_one_session(engine: ScriptedEngine, out: Path) -> None:
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)) as first:
        until(first.recording)
        with stopped_at_the_end(Recorder(engine.endpoints.control, out)) as second:
            until(lambda: any("another recorder" in line for line in second.lines))


def test_told_to_stop_it_writes_what_was_published_until_then(engine: ScriptedEngine, out: Path) -> None:
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)) as recorder:
        until(recorder.recording)
        engine.read(200)
        keyframe = engine.keyframe()
    assert seqs(folder_of(out), "reading") == list(range(200))
    assert uuid.UUID(keyframe)
    check_pictures(folder_of(out), {keyframe})
