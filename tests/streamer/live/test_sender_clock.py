import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.live.sender_clock import SenderClock
from fetalstream.streamer.readers.timeline import Timeline

RATE = 30


def timed(stamps, *, rate=RATE):
    """Media time and epoch of each picture, one coming every frame period; and whether its clock is doubted."""
    clock, timeline = SenderClock(), Timeline(1 / rate)
    placed = [timeline.place(clock.seconds(stamp, 500 + at / rate), (4, 4)) for at, stamp in enumerate(stamps)]
    return placed, clock.doubted


def test_a_right_clock_is_followed_to_the_bit():
    stamps = [1000.0 + at / 29.0 for at in range(300)]
    placed, doubted = timed(stamps)
    assert not doubted
    assert placed == [(stamp - 1000.0, 0) for stamp in stamps]


@pytest.mark.parametrize(
    "stamp",
    [
        lambda at: 1_000_000 + at * 1000 / RATE,  # milliseconds
        lambda at: (at * 1_000_000_000 // RATE) % (1 << 32),  # nanoseconds, in the 32 bits that there are
        lambda at: 1000.0,  # none at all
        lambda at: float(1000 + at // RATE),  # whole seconds only
        lambda at: 1000.0 + at,  # a number of the picture
        lambda at: 1000.0 - at / RATE,  # backwards
    ],
)
def test_what_is_no_clock_in_seconds_is_left_for_the_time_of_arrival(stamp):
    placed, doubted = timed([stamp(at) for at in range(12 * RATE)])
    assert doubted
    times = [seconds for seconds, _ in placed]
    assert times == sorted(times)
    # What was believed until it was doubted may be wrong by some seconds; from then on times go with the clock.
    assert times[-1] - times[3 * RATE] == pytest.approx(9, abs=0.05)
    assert placed[-1][1] <= 2


def test_milliseconds_are_noticed_at_the_second_picture():
    placed, _ = timed([1_000_000 + at * 1000 / RATE for at in range(10)])
    assert [seconds for seconds, _ in placed] == pytest.approx([at / RATE for at in range(10)])
    assert {epoch for _, epoch in placed} == {0}


def test_a_recording_that_is_sent_again_and_again_keeps_its_stamps():
    placed, doubted = timed([1000.0 + (at % 90) / RATE for at in range(360)])
    assert not doubted
    assert placed[-1] == (pytest.approx(359 / RATE), 3)


def test_a_new_connection_is_measured_anew():
    clock = SenderClock()
    assert clock.seconds(10.0, 0.0) == 10.0
    clock.connect()
    assert clock.seconds(900_000.0, 1.0) == 900_000.0
    assert not clock.doubted


@given(st.lists(st.floats(0, 2**32), min_size=1, max_size=60))
def test_time_never_runs_back_whatever_is_sent(stamps):
    times = [seconds for seconds, _ in timed(stamps)[0]]
    assert times == sorted(times)
