import os
import resource

import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.health import HealthMeter
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer
from fetalstream.streamer.flow import FrameCounts
from fetalstream.streamer.status import SourceStatus
from tests.pipeline.doubles import FACTS, bank, frame
from tests.pipeline.stream.test_analyzer import passed

SECOND = 10**9


class LaneDouble:
    def __init__(self, captured=0, newest_ns=None, *, live=True, error=None):
        self.live = live
        self.error = error
        self.captured = captured
        self.newest_ns = newest_ns

    def tally(self):
        return FrameCounts(self.captured, 2, 1, self.newest_ns)

    status = SourceStatus()


def health(reader, now_ns=SECOND, meter=None, stage=None):
    stage = stage or StreamAnalyzer("stream-1", "exam-1", FACTS, bank)
    return (meter or HealthMeter("cpu", 0)).health(stage, reader, now_ns, paused=False)


def test_rates_are_of_the_last_interval():
    stage = StreamAnalyzer("stream-1", "exam-1", FACTS, bank)
    meter = HealthMeter("cpu", 0)
    for i in range(10):
        passed(stage, frame(i))
    first = health(LaneDouble(30), SECOND, meter, stage)
    assert (first.fps_in, first.fps_out) == (30, 10)
    second = health(LaneDouble(60), 3 * SECOND, meter, stage)
    assert (second.fps_in, second.fps_out) == (15, 0)
    assert first.counts == wire.Counts(captured=30, analysed=10, dropped=2, in_flight=1)
    wire.encode(first)


def test_a_message_that_goes_out_early_repeats_the_rates():
    meter = HealthMeter("cpu", 0)
    assert health(LaneDouble(30), SECOND, meter).fps_in == 30
    assert health(LaneDouble(35), round(1.1 * SECOND), meter).fps_in == 30
    assert health(LaneDouble(60), 2 * SECOND, meter).fps_in == 30


def test_a_silence_stands_above_what_the_picture_showed_last():
    stage = StreamAnalyzer("stream-1", "exam-1", FACTS, bank)
    found = HealthMeter("cpu", 0).health(stage, LaneDouble(), SECOND, paused=False, silence="lost")
    assert found.state == "lost"


def test_the_thousandth_is_told_of_a_thousand_only():
    meter = HealthMeter("cpu", 0)
    for i in range(1_000):
        meter.note(wire.Latency(total=float(i)), 0)
    assert health(LaneDouble(), SECOND, meter).latency_ms.p999 == pytest.approx(998, abs=1)


def test_latencies_are_of_the_last_ten_seconds():
    meter = HealthMeter("cpu", 0)
    meter.note(wire.Latency(total=1000.0), 0)
    for i in range(100):
        meter.note(wire.Latency(total=float(i), queue=2.0), 5 * SECOND)
    said = health(LaneDouble(), 12 * SECOND, meter)
    assert said.latency_ms.max == 99
    assert said.latency_ms.p50 == pytest.approx(49.5)
    assert said.latency_ms.p999 is None
    assert said.hops_ms["queue"].p99 == 2
    assert said.hops_ms["encode"] == wire.Percentiles()
    assert health(LaneDouble(), 30 * SECOND, meter).latency_ms == wire.Percentiles()


def test_memory_is_known():
    assert health(LaneDouble()).memory_mb > 1


def test_it_is_measured_with_no_descriptor_left():
    meter = HealthMeter("cpu", 0)
    known = health(LaneDouble(), meter=meter).memory_mb
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            os.dup(0)
        assert health(LaneDouble(), 2 * SECOND, meter).memory_mb == known
        assert health(LaneDouble(), 2 * SECOND).memory_mb == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
