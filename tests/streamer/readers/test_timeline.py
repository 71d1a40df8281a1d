import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.readers.timeline import Timeline

SIZE = (48, 64)


def placed(*stamps, period=0.1):
    timeline = Timeline(period)
    return [timeline.place(stamp, SIZE) for stamp in stamps]


def test_time_counts_from_the_first_frame():
    assert placed(100.0, 100.5, 102.0) == [(0.0, 0), (0.5, 0), (2.0, 0)]


def test_time_going_back_begins_an_epoch():
    assert [epoch for _, epoch in placed(10.0, 11.0, 10.5, 10.6)] == [0, 0, 1, 1]


def test_the_same_time_twice_does_not():
    assert [epoch for _, epoch in placed(10.0, 10.0)] == [0, 0]


def test_a_jump_of_five_seconds_is_let_through_and_a_longer_one_is_not():
    assert [epoch for _, epoch in placed(0.0, 5.0, 10.25)] == [0, 0, 1]


@pytest.mark.parametrize("stamp", [0.0, 95_000.0])
def test_a_clock_that_starts_again_goes_on_in_media_time(stamp):
    found = placed(10.0, 10.5, stamp, stamp + 0.5, stamp + 1.0)
    assert found == [(0.0, 0), (0.5, 0), (pytest.approx(0.6), 1), (pytest.approx(1.1), 1), (pytest.approx(1.6), 1)]


def test_a_pause_on_one_clock_counts_and_going_back_on_it_does_not():
    timeline = Timeline(0.1, pauses=True)
    found = [timeline.place(stamp, SIZE) for stamp in (0.0, 8.0, 8.5)]
    assert found == [(0.0, 0), (8.0, 1), (8.5, 1)]
    assert not timeline.clock_restarted
    assert timeline.place(0.0, SIZE) == (pytest.approx(8.6), 2)
    assert timeline.clock_restarted


def test_missing_stamps_go_on_by_the_period_in_an_epoch_of_their_own():
    assert placed(1.0, None, None, 1.5, period=0.25) == [(0.0, 0), (0.25, 1), (0.5, 1), (0.5, 1)]


def test_a_source_without_stamps_is_one_epoch():
    assert placed(None, None, None, period=0.5) == [(0.0, 0), (0.5, 0), (1.0, 0)]


def test_stamps_that_come_late_go_on_from_the_time_counted_so_far():
    assert placed(None, None, 70.0, 70.25, period=0.5) == [(0.0, 0), (0.5, 0), (1.0, 0), (1.25, 0)]


def test_another_size_begins_an_epoch():
    timeline = Timeline(0.1)
    assert [timeline.place(at / 10, size)[1] for at, size in enumerate([SIZE, (64, 48), (64, 48), SIZE])] == [
        0,
        1,
        1,
        2,
    ]


@given(st.lists(st.none() | st.floats(-1e9, 1e9), max_size=30))
def test_whatever_the_stamps_time_is_finite_and_never_runs_back(stamps):
    epoch, last = 0, -math.inf
    for now, found in placed(*stamps):
        assert math.isfinite(now)
        assert found in (epoch, epoch + 1)
        assert now >= last
        epoch, last = found, now


def test_a_source_that_comes_back_goes_on_in_time_in_a_new_epoch():
    timeline = Timeline(0.1)
    timeline.reconnect(3.0)
    assert timeline.place(500.0, (4, 4)) == (0.0, 0)
    timeline.reconnect(7.0)
    assert timeline.place(12.0, (8, 8)) == (7.0, 1)
    assert timeline.place(12.1, (8, 8)) == (pytest.approx(7.1), 1)
    timeline.reconnect(0.0)
    assert timeline.place(None, (8, 8)) == (pytest.approx(7.2), 2)
    assert timeline.place(None, (8, 8)) == (pytest.approx(7.3), 2)
