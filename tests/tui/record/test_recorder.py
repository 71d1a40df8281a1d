import threading
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus import clip_cache
from fetalstream.pipeline.bus.endpoints import endpoints_in
from fetalstream.tui.feed.control_client import ControlClient, NoAnswer
from tests.scripted_engine import ScriptedEngine, on_tcp
from tests.tui.recorders import (
    Recorder,
    acknowledged,
    check_clips,
    check_pictures,
    folder_of,
    hears,
    rows,
    seqs,
    stopped_at_the_end,
)
from tests.waiting import until


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
    ask, refused = ControlClient.ask, threading.Event()

    def busy_at_first(self: ControlClient, control: str, command: wire.Command, *args: Any) -> Any:
        if isinstance(command, wire.GetSince) and away.is_set():
            refused.set()
            raise NoAnswer("busy")
        return ask(self, control, command, *args)

    away = threading.Event()
    monkeypatch.setattr(ControlClient, "ask", busy_at_first)
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
    both = [wire.StreamState(stream=f"stream-{n}", kind="phantom") for n in (1, 2)]
    real = engine.control._state
    monkeypatch.setattr(engine.control, "_state", lambda state: real(msgspec.structs.replace(state, streams=both)))
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
    monkeypatch.setattr("fetalstream.tui.record.recorder.ATTACH_S", 0.1)
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


def test_a_picture_that_nobody_has_any_more_is_given_up(engine: ScriptedEngine, out: Path) -> None:
    lost = engine.keyframe()
    engine.publisher.pictures.saved([lost])
    del engine.keyframe_store[lost]
    kept = engine.keyframe()
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)):
        until(lambda: kept in acknowledged(engine))
        until(lambda: rows(folder_of(out), "SELECT keyframe FROM keyframes WHERE picture = 'gone'") == [(lost,)])


def test_clips_are_fetched_and_one_that_nobody_has_any_more_is_given_up(engine: ScriptedEngine, out: Path) -> None:
    lost, kept = engine.keyframe(), engine.keyframe()
    engine.clip(lost)
    engine.publisher.clips.fetch(lost).result(10)
    del engine.publisher.clips._clips[lost]
    engine.clip(kept)
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)):
        until(lambda: acknowledged(engine) == {lost, kept} and not engine.publisher.clips.unsaved)
        told = "SELECT keyframe, clip FROM clips ORDER BY rowid"
        until(lambda: rows(folder_of(out), told) == [(lost, "gone"), (kept, "saved")])
    check_clips(folder_of(out), {kept})


def test_a_clip_that_is_still_being_encoded_at_the_end_is_waited_for(
    engine: ScriptedEngine, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, encoded = threading.Event(), clip_cache.matroska
    monkeypatch.setattr(clip_cache, "matroska", lambda cut: gate.wait(10) and encoded(cut))
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)) as recorder:
        hears(engine, out)
        keyframe = engine.keyframe()
        engine.clip(keyframe)
        engine.goodbye()
        until(lambda: engine.control._waiting)
        gate.set()
        recorder.ended()
    check_clips(folder_of(out), {keyframe})


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
