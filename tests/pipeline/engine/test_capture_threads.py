import threading
import time

import pytest

from fetalstream.pipeline.engine.capture_threads import READ_AHEAD, EveryFrame, NewestFrame
from fetalstream.streamer.errors import SourceError
from tests.pipeline.doubles import ListSource, frame


def until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)


def nothing():
    pass


def test_every_frame_comes_in_order_and_the_source_waits():
    lane = EveryFrame(ListSource(frame(i) for i in range(READ_AHEAD * 3)))
    lane.start(nothing)
    until(lambda: lane.tally().waiting == READ_AHEAD)
    assert lane.tally().captured == READ_AHEAD
    taken = []
    while not lane.finished:
        if (next_frame := lane.take()) is not None:
            taken.append(next_frame.index)
    assert taken == list(range(READ_AHEAD * 3))
    tally = lane.tally()
    assert (tally.captured, tally.dropped, tally.waiting) == (READ_AHEAD * 3, 0, 0)
    lane.close()


def test_closing_lets_go_of_a_source_that_waits_and_counts_what_is_left():
    source = ListSource(frame(i) for i in range(READ_AHEAD * 3))
    lane = EveryFrame(source)
    lane.start(nothing)
    until(lambda: lane.tally().waiting == READ_AHEAD)
    assert lane.take() is not None
    lane.close()
    lane.close()
    tally = lane.tally()
    assert tally.captured == 1 + tally.dropped
    assert tally.waiting == 0
    assert source.closed
    assert lane.finished


def test_the_newest_frame_wins_and_the_others_are_counted():
    lane = NewestFrame(ListSource(frame(i, fps=1000.0) for i in range(50)), time.monotonic_ns)
    lane.start(nothing)
    until(lambda: lane.tally().captured == 50)
    assert not lane.finished
    newest = lane.take()
    assert newest is not None
    assert newest.index == 49
    until(lambda: lane.finished)
    tally = lane.tally()
    assert (tally.captured, tally.dropped, tally.waiting) == (50, 49, 0)
    lane.close()


def test_live_play_keeps_the_sources_time_and_can_be_cut_short():
    lane = NewestFrame(ListSource(frame(i, fps=0.01) for i in range(3)), time.monotonic_ns)
    lane.start(nothing)
    until(lambda: lane.tally().captured == 1)
    begun = time.monotonic()
    lane.close()
    assert time.monotonic() - begun < 2
    tally = lane.tally()
    assert tally.captured == tally.dropped
    assert lane.finished


@pytest.mark.parametrize("lane_of", [EveryFrame, lambda source: NewestFrame(source, time.monotonic_ns)])
def test_trouble_ends_the_lane_after_what_could_be_read(lane_of):
    lane = lane_of(ListSource([frame(0)], trouble=SourceError("torn off; read it again")))
    woken = threading.Event()
    lane.start(woken.set)
    until(lambda: lane.error is not None)
    assert woken.wait(5)
    assert lane.take() is not None
    until(lambda: lane.finished)
    assert str(lane.error) == "torn off; read it again"
    lane.close()


def test_the_counts_belong_together_while_frames_come():
    lane = NewestFrame(ListSource(frame(i, fps=20_000.0) for i in range(2_000)), time.monotonic_ns)
    lane.start(nothing)
    taken = 0
    while not lane.finished:
        taken += lane.take() is not None
        tally = lane.tally()
        assert tally.captured == taken + tally.dropped + tally.waiting
    assert lane.tally().captured == 2_000
    lane.close()
