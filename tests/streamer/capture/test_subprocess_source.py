"""Capture in a child that is really started, really killed, and really gone afterwards."""

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from fetalstream.streamer.capture.subprocess_source import SubprocessSource
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.readers.files import VideoFile
from fetalstream.streamer.region.sector import Rectangle
from tests.streamer.clips import moving, write
from tests.streamer.live.test_network import Listener
from tests.streamer.ts_server import TsServer
from tests.waiting import until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def clip(tmp_path):
    return write(tmp_path / "Doe^Jane.mp4", moving(40))


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_recording_comes_whole_and_as_it_is_read_here(clip):
    expected = list(VideoFile(clip, spacing_mm=0.3))
    with SubprocessSource(str(clip), spacing_mm=0.3) as source:
        assert (source.kind, source.live, source.frames_expected) == ("file", False, 40)
        assert source.rate_hz == VideoFile(clip).rate_hz
        assert source.identity == VideoFile(clip).identity
        found = list(source)
        pid = source.pid
    assert pid is None
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours.pixels, theirs.pixels)
        assert (ours.index, ours.pts_seconds, ours.epoch) == (theirs.index, theirs.pts_seconds, theirs.epoch)
        assert (ours.spacing_mm, ours.spacing_from) == (0.3, "operator")
    assert [frame.captured_ns for frame in found] == sorted(frame.captured_ns for frame in found)


def test_what_was_wrong_with_a_recording_is_told(tmp_path):
    whole = write(tmp_path / "whole.mkv", moving(40))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with SubprocessSource(str(cut)) as source:
        frames = list(source)
    assert 0 < len(frames) < 40
    assert source.warnings == [line for line in source.warnings if line]
    assert any("cut short" in line for line in source.warnings)


@pytest.mark.parametrize(
    ("name", "words"),
    [("no/such/file.mp4", "no such file"), ("tcp://me:s3cret@host", "names no port")],
)
def test_what_cannot_be_opened_is_told_as_if_it_were_opened_here(name, words):
    with pytest.raises(SourceError, match=words) as caught:
        SubprocessSource(name)
    assert "s3cret" not in f"{caught.value} {caught.value.reason}"
    assert caught.value.reason in str(caught.value)


def test_nothing_outside_the_sector_arrives_and_the_sector_can_be_changed(clip):
    with TsServer() as server:
        source = SubprocessSource(server.url, sector=Rectangle(10, 20, 100, 80))
        with Listener(source) as listener:
            first = listener.more()[0]
            assert first.pixels.shape == (80, 100)
            assert source.status.size in (None, (320, 240))
            source.masker.set_sector(Rectangle(0, 0, 64, 48))
            until(lambda: listener.frames[-1].pixels.shape == (48, 64))
            os.kill(source.pid, signal.SIGKILL)
            until(lambda: listener.frames[-1].epoch > first.epoch)
            assert {frame.pixels.shape for frame in listener.frames} == {(80, 100), (48, 64)}
            assert listener.frames[-1].pixels.shape == (48, 64)
            assert source.masker.update(listener.frames[-1]).region.rectangle == Rectangle(0, 0, 64, 48)

            source.masker.set_sector(Rectangle(0, 0, 640, 48))
            until(lambda: source.masker.update(listener.frames[-1]).trouble)
            seen = source.masker.update(listener.more()[-1])
            assert "set it anew" in seen.trouble
            assert not seen.frame.pixels.any()


def deaths_of(server, number, times):
    """Seconds until frames came again after each of so many deaths."""
    seconds = []
    with Listener(SubprocessSource(server.url, deaths=2 * times + 1)) as listener:
        source = listener.source
        for death in range(1, times + 1):
            before, pid = listener.more()[-1], source.pid
            killed_s = time.monotonic()
            os.kill(pid, number)
            until(lambda: listener.frames[-1].epoch > before.epoch)  # noqa: B023 - called at once
            seconds.append(time.monotonic() - killed_s)
            assert source.pid != pid
            assert gone(pid)
            assert source.status.deaths >= death
        frames = listener.frames
        assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})
        assert [frame.pts_seconds for frame in frames] == sorted(frame.pts_seconds for frame in frames)
        assert source.status.reconnects >= times
    return seconds


def test_a_spacing_ends_when_a_source_comes_back_in_another_size():
    ended = []
    with (
        TsServer() as server,
        Listener(SubprocessSource(server.url, spacing_mm=0.2, scale_over=lambda: ended.append(True))) as listener,
    ):
        source = listener.source
        assert listener.more()[-1].spacing_mm == 0.2
        width, height = source.status.size
        assert ended == []
        os.kill(source.pid, signal.SIGKILL)
        until(lambda: listener.frames[-1].epoch == 1)
        assert ended == []  # it came back as it was
        source._take_in({"size": [width // 2, height // 2]})
        assert ended == [True]
        until(lambda: listener.frames[-1].spacing_mm is None)


def test_a_spacing_that_ended_with_the_layout_is_not_believed_again_by_the_next_child():
    with TsServer() as server, Listener(SubprocessSource(server.url, spacing_mm=0.2)) as listener:
        source = listener.source
        assert listener.more()[-1].spacing_mm == 0.2
        os.kill(source.pid, signal.SIGKILL)
        until(lambda: listener.frames[-1].epoch == 1)
        assert listener.frames[-1].spacing_mm == 0.2
        said = {
            "mask": {"index": 0, "events": [["layout_changed", {}]], "revision": 0, "region": None, "trouble": None}
        }
        source._take_in(said)
        os.kill(source.pid, signal.SIGKILL)
        until(lambda: listener.frames[-1].epoch == 2)
        assert {frame.spacing_mm for frame in listener.frames if frame.epoch == 2} == {None}


DEADLY = (signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP)


def test_a_live_child_that_is_killed_or_hangs_is_replaced():
    with TsServer() as server, ThreadPoolExecutor() as pool:
        for future in [pool.submit(deaths_of, server, number, 3) for number in DEADLY]:
            future.result()


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", DEADLY)
def test_fifty_deaths_each_is_over_within_two_seconds(number):
    threads, descriptors = threading.active_count(), psutil.Process().num_fds()
    with TsServer() as server:
        seconds = deaths_of(server, number, 50)
    logging.getLogger(__name__).info("%s: back after %.2f s at the latest", number.name, max(seconds))
    assert max(seconds) <= 2.0, sorted(seconds)[-5:]
    assert (threading.active_count(), psutil.Process().num_fds()) == (threads, descriptors)


def test_after_too_many_deaths_the_capture_is_given_up_until_somebody_resumes_it():
    with TsServer() as server, Listener(SubprocessSource(server.url, deaths=2)) as listener:
        source = listener.source
        for _ in range(2):
            listener.more()
            os.kill(source.pid, signal.SIGKILL)
            until(lambda: source.pid is None or source.status.state == "starting")
            until(lambda: source.status.state in ("running", "failed"))
        assert source.status.state == "failed"
        assert "resume" in source.status.trouble
        assert source.pid is None
        source.resume()
        listener.more()
        assert source.status.state == "running"


def test_a_child_that_grows_too_much_is_ended():
    # Python alone takes more than a megabyte: the limit is met with the child's first word.
    with pytest.raises(SourceError, match="took more than 1 MB of memory"):
        SubprocessSource("tcp://127.0.0.1:9", memory_bytes=1 << 20)


@pytest.mark.parametrize("persist", [False, True])
def test_a_recording_whose_decoder_dies_goes_on_or_ends_with_a_reason(tmp_path, persist):
    clip = write(tmp_path / "long.mp4", moving(600))  # more than fits between the two processes
    with SubprocessSource(str(clip), persist=persist) as source:
        frames = iter(source)
        got = [next(frames) for _ in range(3)]
        os.kill(source.pid, signal.SIGKILL)
        if persist:
            got += list(frames)
            # What lay in the dead child's hands is read again, by number.
            assert [frame.index for frame in got] == list(range(600))
            assert got[0].epoch < got[-1].epoch
        else:
            with pytest.raises(SourceError, match="died"):
                got += list(frames)
            assert [frame.index for frame in got] == list(range(len(got)))


def test_closing_ends_a_reader_that_waits_and_leaves_nothing_behind(clip):
    threads, descriptors = threading.active_count(), psutil.Process().num_fds()
    for _ in range(3):
        with Listener(SubprocessSource("tcp://127.0.0.1:9")) as listener:
            pid = listener.source.pid
        assert gone(pid)
        assert listener.frames == []
    assert threading.active_count() == threads
    assert psutil.Process().num_fds() == descriptors


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("stopped", [False, True])
def test_a_child_ends_with_a_parent_that_is_killed(stopped):
    script = """
        import time
        from fetalstream.streamer.capture.subprocess_source import SubprocessSource
        source = SubprocessSource("tcp://127.0.0.1:9")
        print(source.pid, flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with parent:
        pid = int(parent.stdout.readline())
        if stopped:
            os.kill(pid, signal.SIGSTOP)
        parent.kill()
    until(lambda: gone(pid), 10.0)


def test_the_child_loads_no_model():
    heavy = {"torch", "scipy", "fetalstream.pipeline", "fetalstream.tui", "zmq"}
    script = f"import fetalstream.streamer.capture.child_main, sys; print({heavy} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set()", done.stderr


def test_a_child_that_computes_is_waited_for_longer_than_one_that_is_stopped(monkeypatch):
    status = ["running"]  # as which it starts
    monkeypatch.setattr(psutil.Process, "status", lambda _: status[0])
    with SubprocessSource("tcp://127.0.0.1:9") as source:
        child = source._child
        child._silent_ticks = 5
        for status[:], stretched in (["stopped"], 0), (["running"], 3), (["sleeping"], 1):
            assert child._patience_factor(5) == stretched
            assert child._patience_factor(100) == stretched
        child._silent_ticks, status[:] = 1, ["stopped"]
        assert child._patience_factor(5) == 1
        child._silent_ticks = 2
        assert child._patience_factor(5) == 0
