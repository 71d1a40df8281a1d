import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.flow import FrameCounts, Mailbox, paced
from fetalstream.streamer.frame import Frame
from tests.waiting import until

NS = 1_000_000_000
PIXELS = np.zeros((2, 2), np.uint8)


def frame(index, pts_seconds=None, epoch=0):
    return Frame(PIXELS, index, index / 10 if pts_seconds is None else pts_seconds, 0, epoch)


class Clock:
    """A clock that only moves when it is waited for, or told to."""

    def __init__(self):
        self.now_ns = 50 * NS
        self.waits = []

    def __call__(self):
        return self.now_ns

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now_ns += round(seconds * NS)


def test_frames_come_at_the_times_of_their_stamps_and_are_captured_then():
    clock = Clock()
    frames = list(paced([frame(0), frame(1), frame(2, 0.5)], clock, clock.wait))
    assert [(each.captured_ns - 50 * NS) / NS for each in frames] == [0.0, 0.1, 0.5]
    assert [each.index for each in frames] == [0, 1, 2]


def test_a_late_frame_is_not_waited_for_and_does_not_delay_the_next():
    clock, arrivals = Clock(), []
    for each in paced([frame(0), frame(1), frame(2), frame(3)], clock, clock.wait):
        arrivals.append(round((each.captured_ns - 50 * NS) / NS, 6))
        if each.index == 0:
            clock.now_ns += round(0.25 * NS)
    assert arrivals == [0.0, 0.25, 0.25, 0.3]


def test_an_epoch_anchors_time_anew():
    clock = Clock()
    list(
        paced([frame(0), frame(1, 100.0, epoch=1), frame(2, 100.2, epoch=1), frame(3, 0.0, epoch=2)], clock, clock.wait)
    )
    assert [round(seconds, 6) for seconds in clock.waits] == [0.2]


def test_the_newest_frame_wins_and_the_older_ones_are_counted():
    mailbox = Mailbox()
    for index in range(5):
        mailbox.put(frame(index))
    taken = mailbox.take()
    assert taken is not None
    assert taken.frame.index == 4
    assert mailbox.take() is None
    assert mailbox.tally() == FrameCounts(captured=5, taken=1, dropped=4, newest_ns=0)


def test_take_waits_no_longer_than_it_is_told():
    began = time.monotonic()
    assert Mailbox().take(0.05) is None
    assert 0.04 <= time.monotonic() - began < 5


def test_a_waiting_reader_gets_the_frame_that_comes():
    mailbox, got = Mailbox(), []
    reader = threading.Thread(target=lambda: got.append(mailbox.take(30)))
    reader.start()
    mailbox.put(frame(7))
    reader.join(60)
    assert [each.frame.index for each in got] == [7]


def test_close_wakes_a_waiting_reader():
    mailbox, got = Mailbox(), []
    reader = threading.Thread(target=lambda: got.append(mailbox.take(30)))
    reader.start()
    mailbox.close()
    reader.join(60)
    assert got == [None]
    assert mailbox.finished


def test_the_last_frame_can_be_taken_after_close_and_later_ones_are_dropped():
    mailbox = Mailbox()
    mailbox.put(frame(0))
    mailbox.close()
    mailbox.put(frame(1))
    last = mailbox.take()
    assert last is not None
    assert last.frame.index == 0
    assert mailbox.take(30) is None
    counts = mailbox.tally()
    assert (counts.captured, counts.taken, counts.dropped) == (2, 1, 1)


def test_one_event_serves_a_reader_of_many_mailboxes():
    arrived = threading.Event()
    first, second = Mailbox(arrived.set), Mailbox(arrived.set)
    second.put(frame(0))
    assert arrived.is_set()
    arrived.clear()
    first.close()
    assert arrived.is_set()


@given(st.lists(st.sampled_from(["put", "put", "take", "close"]), max_size=60))
def test_every_frame_is_taken_dropped_or_held(steps):
    mailbox, put, taken = Mailbox(), 0, []
    for step in steps:
        if step == "put":
            mailbox.put(frame(put))
            put += 1
        elif step == "take":
            got = mailbox.take()
            if got is not None:
                taken.append(got.frame.index)
        else:
            mailbox.close()
        counts = mailbox.tally()
        assert counts.captured == counts.taken + counts.dropped + counts.waiting
    counts = mailbox.tally()
    assert (counts.captured, counts.taken) == (put, len(taken))
    assert taken == sorted(set(taken))


def test_the_count_holds_between_threads():
    mailbox, taken = Mailbox(), []

    def read():
        while (got := mailbox.take(30)) is not None:
            taken.append(got.frame.index)

    reader = threading.Thread(target=read)
    reader.start()
    for index in range(3000):
        mailbox.put(frame(index))
    mailbox.close()
    reader.join(60)
    assert mailbox.tally().captured == 3000 == len(taken) + mailbox.tally().dropped
    assert taken == sorted(set(taken))
    assert taken[-1] == 2999


def test_a_source_that_loses_nothing_waits_for_room():
    mailbox, got = Mailbox(room=2), []
    writer = threading.Thread(target=lambda: got.extend(mailbox.put(frame(index), 7 + index) for index in range(4)))
    writer.start()
    until(lambda: mailbox.tally().waiting == 2)
    assert mailbox.tally().captured == 2
    taken = [mailbox.take(30) for _ in range(4)]
    writer.join(30)
    assert [(each.frame.index, each.arrived_ns) for each in taken] == [(0, 7), (1, 8), (2, 9), (3, 10)]
    assert got == [True] * 4
    assert mailbox.tally().dropped == 0


@pytest.mark.parametrize("room", [None, 1])
def test_closing_lets_a_source_that_waits_go_on_and_counts_what_is_discarded(room):
    mailbox, came = Mailbox(room=room), []
    mailbox.put(frame(0))
    writer = threading.Thread(target=lambda: came.append(mailbox.put(frame(1))))
    if room is not None:
        writer.start()
    mailbox.close(discard=True)
    if room is not None:
        writer.join(30)
        assert came == [False]
    assert mailbox.take(30) is None
    assert mailbox.finished
    counts = mailbox.tally()
    assert (counts.captured, counts.taken, counts.waiting) == (counts.dropped, 0, 0)


def test_the_arrival_goes_with_its_frame_however_many_come_between():
    mailbox = Mailbox()
    for index in range(50):
        mailbox.put(frame(index), 1000 + index)
    taken = mailbox.take()
    assert (taken.frame.index, taken.arrived_ns) == (49, 1049)


def test_each_change_is_told_outside_the_lock():
    counts = []
    mailbox = Mailbox(lambda: counts.append(mailbox.tally()))  # would wait for ever inside it
    mailbox.put(frame(0))
    mailbox.put(frame(1))
    mailbox.close()
    assert [(each.captured, each.dropped) for each in counts] == [(1, 0), (2, 1), (2, 1)]
