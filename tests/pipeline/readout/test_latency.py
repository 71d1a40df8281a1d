"""Where a frame's time went."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.readout.latency import BatchTimings, latency_of

MS = 1_000_000
TIMINGS = BatchTimings(queue_ms=2.0, preprocess_ms=3.0, encode_ms=4.0)


def test_every_part_of_the_way_is_told():
    latency = latency_of(10 * MS, 11 * MS, 15 * MS, 40 * MS, TIMINGS)
    assert latency.capture == pytest.approx(1)
    assert latency.queue == pytest.approx(4 + 2)
    assert (latency.preprocess, latency.encode) == (3.0, 4.0)
    assert latency.total == pytest.approx(30)


def test_what_nobody_measured_is_none_and_not_zero():
    latency = latency_of(10 * MS, None, 15 * MS, 40 * MS, None)
    assert (latency.capture, latency.preprocess, latency.encode) == (None, None, None)


def test_a_frame_whose_arrival_nobody_saw_has_waited_since_it_was_captured():
    assert latency_of(10 * MS, None, 15 * MS, 40 * MS, None).queue == pytest.approx(5)
    assert latency_of(10 * MS, 12 * MS, 15 * MS, 40 * MS, None).queue == pytest.approx(3)


@given(st.lists(st.integers(0, 10**12), min_size=4, max_size=4).map(sorted))
def test_no_part_is_negative_and_the_parts_fit_into_the_whole(stamps):
    captured, arrived, prepared, now = stamps
    latency = latency_of(captured, arrived, prepared, now, None)
    parts = (latency.capture or 0.0) + (latency.queue or 0.0)
    assert min(latency.capture, latency.queue, latency.total) >= 0
    assert parts <= latency.total + 1e-6  # milliseconds of whole nanoseconds in double precision
