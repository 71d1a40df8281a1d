import threading
import time

import pytest

from fetalstream.pipeline.engine.frame_readers import READ_AHEAD, LatestReader, QueuedReader
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
    reader = QueuedReader(ListSource(frame(i) for i in range(READ_AHEAD * 3)))
    reader.start(nothing)
    until(lambda: reader.tally().waiting == READ_AHEAD)
    assert reader.tally().captured == READ_AHEAD
    taken = []
    while not reader.finished:
        if (next_frame := reader.take()) is not None:
            taken.append(next_frame.index)
    assert taken == list(range(READ_AHEAD * 3))
    tally = reader.tally()
    assert (tally.captured, tally.dropped, tally.waiting) == (READ_AHEAD * 3, 0, 0)
    reader.close()


def test_closing_lets_go_of_a_source_that_waits_and_counts_what_is_left():
    source = ListSource(frame(i) for i in range(READ_AHEAD * 3))
    reader = QueuedReader(source)
    reader.start(nothing)
    until(lambda: reader.tally().waiting == READ_AHEAD)
    assert reader.take() is not None
    reader.close()
    reader.close()
    tally = reader.tally()
    assert tally.captured == 1 + tally.dropped
    assert tally.waiting == 0
    assert source.closed
    assert reader.finished


def test_the_newest_frame_wins_and_the_others_are_counted():
    reader = LatestReader(ListSource(frame(i, fps=1000.0) for i in range(50)), time.monotonic_ns)
    reader.start(nothing)
    until(lambda: reader.tally().captured == 50)
    assert not reader.finished
    newest = reader.take()
    assert newest is not None
    assert newest.index == 49
    until(lambda: reader.finished)
    tally = reader.tally()
    assert (tally.captured, tally.dropped, tally.waiting) == (50, 49, 0)
    reader.close()


def test_live_play_keeps_the_sources_time_and_can_be_cut_short():
    reader = LatestReader(ListSource(frame(i, fps=0.01) for i in range(3)), time.monotonic_ns)
    reader.start(nothing)
    until(lambda: reader.tally().captured == 1)
    begun = time.monotonic()
    reader.close()
    assert time.monotonic() - begun < 2
    tally = reader.tally()
    assert tally.captured == tally.dropped
    assert reader.finished


@pytest.mark.parametrize("lane_of", [QueuedReader, lambda source: LatestReader(source, time.monotonic_ns)])
def test_trouble_ends_the_lane_after_what_could_be_read(lane_of):
    reader = lane_of(ListSource([frame(0)], trouble=SourceError("torn off; read it again")))
    woken = threading.Event()
    reader.start(woken.set)
    until(lambda: reader.error is not None)
    assert woken.wait(5)
    assert reader.take() is not None
    until(lambda: reader.finished)
    assert str(reader.error) == "torn off; read it again"
    reader.close()


def test_the_counts_belong_together_while_frames_come():
    reader = LatestReader(ListSource(frame(i, fps=20_000.0) for i in range(2_000)), time.monotonic_ns)
    reader.start(nothing)
    taken = 0
    while not reader.finished:
        taken += reader.take() is not None
        tally = reader.tally()
        assert tally.captured == taken + tally.dropped + tally.waiting
    assert reader.tally().captured == 2_000
    reader.close()
