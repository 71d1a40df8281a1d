import os
import signal
import subprocess
import sys
import time

import pytest

from fetalstream.streamer.capture.restart_limit import DEATHS, WITHIN_S
from fetalstream.tui.run.supervise import (
    EXIT_CRASHED,
    EXIT_DEVICE,
    RESTART_AFTER_S,
    ChildCommand,
    Supervisor,
)
from tests.waiting import until

SLEEPER = "import time; time.sleep(60)"
# It says what it was told, then waits for the end of its standard input, as an orphan would see it.
LISTENER = (
    "import sys; print('told', sys.stdin.readline().strip(), flush=True); sys.stdin.read(); print('alone', flush=True)"
)
POLITE = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print('up', flush=True); "
    "time.sleep(60)"
)
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def python(name, script, first_line=b"", **fields):
    return ChildCommand(name, (sys.executable, "-c", script), first_line, **fields)


@pytest.fixture
def supervise(tmp_path):
    made = []

    def make(*commands):
        supervisor = Supervisor(commands, tmp_path)
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        supervisor.stop(0.0)


def polled_until(supervisor, condition):
    def look():
        supervisor.poll(time.monotonic())
        return condition()

    until(look)


def died(supervisor, child, now_s):
    """Polls at one and the same time until the death of the running child is seen."""

    def look():
        supervisor.poll(now_s)
        return child.state != "running"

    until(look)


def test_a_killed_child_is_back_within_two_seconds(supervise):
    supervisor = supervise(python("engine", SLEEPER))
    child = supervisor.child("engine")
    supervisor.poll(0.0)
    first = child.pid
    os.kill(first, signal.SIGKILL)
    died(supervisor, child, 100.0)
    assert child.state == "waiting"
    supervisor.poll(100.0 + RESTART_AFTER_S)
    assert child.state == "running"
    assert child.pid != first
    assert RESTART_AFTER_S < 2.0


def test_each_dies_and_comes_back_alone(supervise):
    supervisor = supervise(python("engine", SLEEPER), python("recorder", SLEEPER))
    supervisor.poll(0.0)
    engine, recorder = supervisor.children
    stays = engine.pid
    os.kill(recorder.pid, signal.SIGKILL)
    polled_until(supervisor, lambda: recorder.starts == 2)
    assert engine.pid == stays


@pytest.mark.parametrize("code", [EXIT_CRASHED, EXIT_DEVICE])
def test_after_five_deaths_in_a_minute_it_is_given_up(supervise, code):
    supervisor = supervise(python("engine", f"import sys; print('broken'); sys.exit({code})"))
    child = supervisor.child("engine")
    for death in range(DEATHS):
        supervisor.poll(float(death))
        died(supervisor, child, float(death))
    assert child.starts == DEATHS
    assert child.state == "failed"
    assert supervisor.failed is child
    assert child.last_words() == "broken"
    assert not supervisor.running


def test_deaths_far_apart_are_forgiven(supervise):
    supervisor = supervise(python("engine", f"import sys; sys.exit({EXIT_CRASHED})"))
    child = supervisor.child("engine")
    for death in range(DEATHS + 2):
        supervisor.poll(death * WITHIN_S / 2)
        died(supervisor, child, death * WITHIN_S / 2)
    assert child.state == "waiting"


def test_what_a_person_must_mend_is_not_tried_again(supervise):
    supervisor = supervise(python("engine", "import sys; sys.exit('clip.mp4 is not a video')"))
    child = supervisor.child("engine")
    polled_until(supervisor, lambda: child.state != "running")
    assert (child.state, child.starts) == ("failed", 1)
    assert child.last_words() == "clip.mp4 is not a video"


def test_news_is_read_once_and_only_whole_lines_are_told(supervise):
    child = supervise(python("recorder", SLEEPER)).child("recorder")
    assert (child.news(), child.last_words(), child.lines()) == ([], "", [])
    child.log.write_bytes("eins\nzwei\u00e4\n\ndr".encode())
    assert child.last_words() == "zwei\u00e4"
    assert child.news() == ["eins", "zwei\u00e4", ""]
    assert child.news() == []
    with child.log.open("ab") as log:
        log.write(b"ei\n\xff\n")
    assert child.news() == ["drei", "\ufffd"]
    assert child.last_words() == "\ufffd"
    assert child.lines() == ["eins", "zwei\u00e4", "", "drei", "\ufffd"]


def test_what_was_read_is_not_read_again(supervise):
    child = supervise(python("recorder", SLEEPER)).child("recorder")
    child.log.write_text("one\n")
    assert child.news() == ["one"]
    child.log.write_text("ONE\ntwo\n")
    assert child.news() == ["two"]


def test_a_clean_end_is_the_end(supervise):
    supervisor = supervise(python("engine", "pass"))
    polled_until(supervisor, lambda: not supervisor.running)
    assert supervisor.child("engine").state == "ended"
    assert supervisor.failed is None


def test_a_child_is_told_once_and_sees_the_foreground_go(supervise):
    supervisor = supervise(python("recorder", LISTENER, b'{"out": "x"}'))
    child = supervisor.child("recorder")
    polled_until(supervisor, lambda: child.last_words() == 'told {"out": "x"}')
    child.close()
    polled_until(supervisor, lambda: child.state == "ended")
    assert child.last_words() == "alone"


def test_a_key_in_the_terminal_does_not_reach_the_children(supervise):
    supervisor = supervise(python("engine", SLEEPER))
    supervisor.poll(0.0)
    assert os.getsid(supervisor.child("engine").pid) != os.getsid(0)


def test_children_inherit_what_keeps_their_folder_alive(supervise, tmp_path):
    with (tmp_path / "lock").open("w") as lock:
        number = lock.fileno()
        script = f"import os; os.fstat({number}); print('held', flush=True)"
        supervisor = supervise(python("engine", script, pass_fds=(number,)))
        child = supervisor.child("engine")
        polled_until(supervisor, lambda: child.state == "ended")


def test_stopping_asks_the_first_and_the_others_follow(supervise):
    supervisor = supervise(python("engine", POLITE), python("recorder", POLITE))
    polled_until(supervisor, lambda: all(child.last_words() == "up" for child in supervisor.children))
    begun_s = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begun_s < 4.5
    assert [child.state for child in supervisor.children] == ["ended", "ended"]


def test_whoever_does_not_stop_is_killed_in_time(supervise):
    supervisor = supervise(python("engine", STUBBORN), python("recorder", STUBBORN))
    polled_until(supervisor, lambda: all(child.last_words() == "up" for child in supervisor.children))
    begun_s = time.monotonic()
    supervisor.stop(0.3)
    assert time.monotonic() - begun_s < 5.0
    assert not supervisor.running


def test_stopping_starts_nothing_again(supervise):
    supervisor = supervise(python("engine", f"import sys; sys.exit({EXIT_CRASHED})"))
    child = supervisor.child("engine")
    supervisor.poll(0.0)
    died(supervisor, child, 0.0)
    supervisor.stop()
    assert (child.state, child.starts) == ("ended", 1)


def test_children_live_on_when_the_foreground_is_killed(tmp_path):
    script = f"""
import sys, time
from pathlib import Path
from fetalstream.streamer.capture.restart_limit import DEATHS, WITHIN_S
from fetalstream.tui.run.supervise import ChildCommand, Supervisor
child = {LISTENER!r} + "; import time; time.sleep(0.2); print('went on', flush=True)"
supervisor = Supervisor([ChildCommand("engine", (sys.executable, "-c", child), b"go")], Path({str(tmp_path)!r}))
while True:
    supervisor.poll(time.monotonic())
    time.sleep(0.01)
"""
    log = tmp_path / "engine.log"
    with subprocess.Popen([sys.executable, "-c", script]) as foreground:
        until(lambda: log.exists() and "told go" in log.read_text())
        foreground.kill()
    until(lambda: log.read_text().splitlines()[-2:] == ["alone", "went on"])
