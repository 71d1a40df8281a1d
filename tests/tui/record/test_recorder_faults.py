"""The recorder killed, stopped, or without a disk: what it acknowledged is there, what it missed comes after."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.endpoints import endpoints_in
from fetalstream.pipeline.bus.replay_buffer import RING_BYTES
from fetalstream.tui.state.session import PLANES, SUBPLANES
from tests.scripted_engine import ScriptedEngine, frame_info, health, published, reading
from tests.tui.recorders import (
    Recorder,
    acknowledged,
    check_clips,
    check_pictures,
    folder_of,
    hears,
    recorder_process,
    rows,
    seqs,
    stopped_at_the_end,
)
from tests.waiting import until

FPS = 30
FIVE_MINUTES = 5 * 60 * FPS  # frames
BYTES_A_READING = 1_936
"""On average, in a minute of the phantom under ``mini``: 1,801 readings, the longest of 2,400."""


class Ahead:
    """The monotonic clock, and what a test has put it forward by."""

    def __init__(self) -> None:
        self.by_ns = 0

    def __call__(self) -> int:
        return time.monotonic_ns() + self.by_ns


class Disk:
    """A small disk of its own, of which only root can have one."""

    def __init__(self, folder: Path, options: str) -> None:
        self.folder = folder
        folder.mkdir()
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
        )
        if made.returncode:
            pytest.skip("a small disk needs root, and leave to mount")

    def remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True)

    def gone(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "disk", "size=1500k")
    yield disk
    disk.gone()


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "disk", "size=64m,ro")
    yield disk
    disk.gone()


def says(recorder: Recorder, *words: str) -> bool:
    return any(all(word in line for word in words) for line in recorder.lines)


@pytest.mark.parametrize(
    "kills",
    [
        3,
        pytest.param(50, marks=[pytest.mark.check, pytest.mark.timeout(600)]),
        pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(1200)]),
    ],
)
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
    assert rows(folder, "SELECT count(*) FROM clips WHERE clip != 'saved'") == [(0,)]
    clips = {keyframe for (keyframe,) in rows(folder, "SELECT keyframe FROM clips")}
    assert clips == announced
    check_clips(folder, clips)
    assert not list(folder.rglob("*.part"))
    assert rows(folder, "SELECT count(*) FROM keyframes WHERE picture != 'saved'") == [(0,)]


def as_large_as_real(index: int) -> wire.Reading:
    """A reading of all planes and subplanes, with as many digits as a model gives."""
    third = 1 / 3 + index * 1e-9
    score = wire.LabelScore(cosine=-third / 10, raw=third / 1e3, smoothed=third / 1e3)
    return reading(
        index, planes=dict.fromkeys((*PLANES, "other"), score), subplanes=dict.fromkeys(SUBPLANES, score),
        subplane=SUBPLANES[0], quality=wire.Quality(sharpness=third, steadiness=third),
        latency_ms=wire.Latency(capture=third, queue=third, preprocess=third, encode=third, publish=third, total=third),
    )  # fmt: skip


def test_stopped_for_five_minutes_it_misses_nothing(short_path: Path, out: Path) -> None:
    """The traffic of five minutes at 30 frames a second, by the publisher's clock, while the recorder stands still."""
    clock = Ahead()
    with ScriptedEngine(endpoints_in(short_path), clock_ns=clock) as engine:
        process = recorder_process(engine, out)
        until(lambda: process.stdout and process.stdout.readline().startswith("Recording into"))
        hears(engine, out)
        process.send_signal(signal.SIGSTOP)
        keyframes: set[str] = set()
        picture = np.zeros((48, 64), np.uint8)
        for index in range(FIVE_MINUTES):
            clock.by_ns += 1_000_000_000 // FPS
            engine.publisher.send(as_large_as_real(index))
            engine.publisher.preview("stream-1", "exam-a", frame_info(index), picture)
            if index % FPS == 0:
                engine.publisher.send(health())
            if index % (10 * FPS) == 0:
                keyframes.add(engine.keyframe(side_px=256))
                engine.mark(f"second {index // FPS}")
        process.send_signal(signal.SIGCONT)
        until(lambda: keyframes <= acknowledged(engine))
        engine.goodbye()
        process.communicate(timeout=60)
        for kind, count in (("reading", FIVE_MINUTES), ("event", 30), ("keyframe", 30)):
            assert seqs(folder_of(out), kind) == list(range(count)), kind
        check_pictures(folder_of(out), keyframes)
        times = "SELECT max(published_ns) - min(published_ns), avg(length(header)) FROM messages WHERE kind = 'reading'"
        ((span_ns, mean_bytes),) = rows(folder_of(out), times)
    assert span_ns >= 299 * 1_000_000_000
    assert mean_bytes >= BYTES_A_READING
    assert 2 * FIVE_MINUTES * mean_bytes < RING_BYTES  # and there is room for as much again


def test_a_disk_that_fills_keeps_what_was_acknowledged_and_gets_the_rest_once_there_is_room(
    engine: ScriptedEngine, small_disk: Disk
) -> None:
    out = small_disk.folder / "sessions"
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)) as recorder:
        until(recorder.recording)
        hears(engine, out)
        engine.play_in_thread(period_s=0.005)
        until(lambda: says(recorder, "NOT RECORDING", "full") or says(recorder, "NOT RECORDING", "No space"))
        kept = acknowledged(engine)
        assert kept
        check_pictures(folder_of(out), kept)
        seen = engine.publisher.topics()["reading/stream-1"]
        until(lambda: engine.publisher.topics()["reading/stream-1"] > seen + 20)  # the engine is not held up
        small_disk.remount("size=256m")
        until(lambda: recorder.recording(2))
        engine.stop_playing()
        announced = {header["keyframe"] for header in published(engine, "keyframe")}
        until(lambda: acknowledged(engine) == announced)
        engine.goodbye()
        recorder.ended()
    folder = folder_of(out)
    for kind in ("reading", "event", "keyframe"):
        assert seqs(folder, kind) == list(range(engine.publisher.topics()[f"{kind}/stream-1"] + 1)), kind
    check_pictures(folder, announced)
    assert not list(folder.rglob("*.part"))


def test_the_guard_stops_before_a_disk_is_full_and_goes_on_when_there_is_room(
    engine: ScriptedEngine, small_disk: Disk
) -> None:
    def really_free(folder: Path) -> int:
        return shutil.disk_usage(folder).free

    small_disk.remount("size=900m")
    out = small_disk.folder / "sessions"
    with stopped_at_the_end(Recorder(engine.endpoints.control, out, really_free)) as recorder:
        until(lambda: says(recorder, "NOT RECORDING: only 0.9 GB are free"))
        engine.read(20)
        assert not recorder.recording()
        small_disk.remount("size=6g")
        until(recorder.recording)
        until(lambda: seqs(folder_of(out), "reading") == list(range(20)))


def test_a_disk_that_is_read_only_is_loud_and_recorded_on_once_it_is_not(
    engine: ScriptedEngine, read_only_disk: Disk
) -> None:
    out = read_only_disk.folder / "sessions"
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)) as recorder:
        until(lambda: says(recorder, "NOT RECORDING", "Read-only"))
        engine.read(20)
        keyframe = engine.keyframe()
        read_only_disk.remount("rw")
        until(lambda: keyframe in acknowledged(engine))
        until(lambda: seqs(folder_of(out), "reading") == list(range(20)))
        check_pictures(folder_of(out), {keyframe})


def test_a_folder_that_cannot_be_written_is_loud_and_recording_begins_once_it_can(
    engine: ScriptedEngine, tmp_path: Path
) -> None:
    # Nobody may write below a file, not even root, whom permissions do not stop.
    (tmp_path / "blocked").write_text("")
    with stopped_at_the_end(Recorder(engine.endpoints.control, tmp_path / "blocked" / "sessions")) as recorder:
        until(lambda: says(recorder, "NOT RECORDING"))
        engine.read(20)
        (tmp_path / "blocked").unlink()
        until(recorder.recording)
        until(lambda: seqs(folder_of(tmp_path / "blocked" / "sessions"), "reading") == list(range(20)))


def test_a_folder_that_is_removed_is_loud_and_recorded_into_anew(engine: ScriptedEngine, out: Path) -> None:
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)) as recorder:
        until(recorder.recording)
        engine.read(20)
        keyframe = engine.keyframe()
        until(lambda: keyframe in acknowledged(engine))
        shutil.rmtree(out)
        until(lambda: says(recorder, "NOT RECORDING", "removed"))
        until(lambda: recorder.recording(2))
        hears(engine, out)
        until(lambda: seqs(folder_of(out), "reading") == list(range(20)))


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
