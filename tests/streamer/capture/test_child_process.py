"""The parent's view of its child, with children that each do one thing."""

import os
import signal
import time

import psutil
import pytest

from fetalstream.streamer.capture import child_process
from fetalstream.streamer.capture.child_main import EXIT_BROKEN, EXIT_MEMORY, EXIT_STUCK
from fetalstream.streamer.capture.child_process import ChildDied, ChildProcess
from tests.waiting import until

SPEAKING = """
import socket, sys, time, os
sys.path[:] = {path!r}
from fetalstream.streamer.capture.frame_channel import ChannelWriter
channel = socket.socket(fileno=os.dup(0))
lines = channel.makefile("rb")
writer = ChannelWriter(channel)
for line in lines:
    writer.send_note({{"echo": line.decode()}})
"""
SILENT = "import time; time.sleep(600)"


@pytest.fixture
def child_of(monkeypatch):
    children = []

    def start(script, memory_bytes=1 << 40):
        monkeypatch.setattr(child_process, "_SCRIPT", script)
        children.append(ChildProcess({"name": "x"}, memory_bytes))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        assert not psutil.pid_exists(child.pid), "killed, and waited for"


def messages(child, count, patience_ticks=100):
    found = []
    while len(found) < count:
        message = child.next(patience_ticks)
        if message is not None:
            found.append(message)
    return found


def death(child, patience_ticks=100):
    with pytest.raises(ChildDied) as caught:
        list(iter(lambda: child.next(patience_ticks), "never"))
    return str(caught.value)


def test_the_configuration_comes_first_and_messages_follow_in_order(child_of):
    child = child_of(SPEAKING)
    child.send({"sector": None})
    child.send({"sector": [1, 2, 3, 4]})
    echoes = [message["echo"] for message in messages(child, 3)]
    assert echoes == ['{"name": "x"}\n', '{"sector": null}\n', '{"sector": [1, 2, 3, 4]}\n']


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (f"os._exit({EXIT_STUCK})", "capture hung and was ended"),
        (f"os._exit({EXIT_MEMORY})", "capture ran out of memory"),
        (f"os._exit({EXIT_BROKEN})", "capture broke down"),
        ("os._exit(3)", "capture died (code 3)"),
        ("os._exit(0)", "capture died (code 0)"),
        ("os.kill(os.getpid(), 9)", "capture died (signal 9)"),
        ("os.kill(os.getpid(), 6)", "capture died (signal 6)"),
    ],
)
def test_how_it_died_is_told_in_words(child_of, end, words):
    assert death(child_of(f"import os; {end}")) == words


def test_a_child_that_closes_its_channel_and_stays_is_ended(child_of):
    script = f"import os; os.close(0); {SILENT}"
    assert death(child_of(script)) == "capture broke off and was ended"


def test_bytes_that_are_no_message_end_it(child_of):
    script = f"import os; os.write(0, bytes([1]) * 500); {SILENT}"
    assert death(child_of(script)) == "capture broke off and was ended"


def test_silence_is_borne_for_as_many_ticks_as_were_given(child_of):
    child = child_of(SILENT)
    until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_SLEEPING)
    begun_s = time.monotonic()
    assert [child.next(3) for _ in range(2)] == [None, None]
    assert death(child, 3) == "capture hung and was ended"
    assert time.monotonic() - begun_s > 0.5


def test_a_word_begins_the_count_of_silent_ticks_anew(child_of):
    child = child_of(SPEAKING)
    messages(child, 1)
    assert [child.next(4) for _ in range(2)] == [None, None]
    child.send({})
    messages(child, 1)
    assert [child.next(4) for _ in range(2)] == [None, None]


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
def test_a_child_that_is_stopped_is_not_waited_for(child_of):
    child = child_of(SILENT)
    os.kill(child.pid, signal.SIGSTOP)
    until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_STOPPED)
    assert death(child, 100) == "capture hung and was ended"


def test_a_child_that_holds_too_much_memory_is_told_when_it_next_speaks(child_of):
    assert death(child_of(SPEAKING, memory_bytes=1 << 20)) == "capture took more than 1 MB of memory and was ended"


def test_what_is_sent_to_a_dead_child_is_lost_without_a_word(child_of):
    child = child_of("import os; os._exit(0)")
    death(child)
    child.send({"sector": None})
    child.kill()
    child.send({"sector": None})
    child.kill()


def test_nothing_stays_open_in_the_parent(child_of):
    before = psutil.Process().num_fds()
    for _ in range(3):
        child = child_of(SPEAKING)
        messages(child, 1)
        child.kill()
    assert psutil.Process().num_fds() == before


def test_a_child_that_cannot_be_started_leaves_nothing_open(monkeypatch):
    monkeypatch.setattr(child_process.sys, "executable", "/no/such/python")
    before = psutil.Process().num_fds()
    with pytest.raises(OSError, match="No such file"):
        ChildProcess({}, 1 << 40)
    assert psutil.Process().num_fds() == before
