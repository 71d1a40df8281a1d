import pytest

from fetalstream.pipeline.engine.capture_watch import CaptureWatch
from fetalstream.streamer.flow import FrameCounts
from fetalstream.streamer.status import SourceStatus

MS = 1_000_000


class LaneDouble:
    """A live lane whose frames come when the test says so."""

    live = True
    error = None
    finished = False
    status = SourceStatus()
    captured = 0
    newest_ns = None

    def tally(self):
        return FrameCounts(self.captured, 0, 0, self.newest_ns)

    def frames(self, count, now_ms):
        self.captured += count
        self.newest_ns = now_ms * MS


def told(watch, now_ms):
    return [(name, *detail.values()) for name, detail in watch.update(now_ms * MS)]


def test_a_silent_source_is_stale_within_a_second_and_lost_within_three():
    reader, seen = LaneDouble(), {}
    watch = CaptureWatch(reader, [], 0)
    reader.frames(30, 0)
    for now_ms in range(0, 5000, 250):  # the engine looks four times a second
        state = watch.silence(now_ms * MS)
        if state not in seen:
            seen[state] = now_ms
    assert seen["stale"] <= 1000
    assert seen["lost"] <= 3000


def test_silence_counts_from_the_start_where_nothing_has_come_yet():
    watch = CaptureWatch(LaneDouble(), [], 0)
    assert watch.silence(500 * MS) is None
    assert watch.silence(3000 * MS) == "lost"


def test_a_file_that_takes_long_is_not_stale():
    reader = LaneDouble()
    reader.live = False
    assert CaptureWatch(reader, [], 0).silence(60_000 * MS) is None


def test_a_source_that_ended_properly_is_not_lost():
    reader = LaneDouble()
    reader.finished = True
    assert CaptureWatch(reader, [], 0).silence(60_000 * MS) is None


def test_a_source_of_one_frame_a_second_is_live_between_them():
    reader = LaneDouble()
    watch = CaptureWatch(reader, [], 0)
    for second in range(1, 6):
        reader.frames(1, 1000 * second)
        watch.update((1000 * second + 10) * MS)
    assert watch.silence(6_900 * MS) is None
    assert watch.silence(8_000 * MS) == "stale"
    assert watch.silence(12_000 * MS) == "lost"


def test_a_rate_cut_short_by_the_silence_itself_does_not_hide_it():
    reader = LaneDouble()
    watch = CaptureWatch(reader, [], 0)
    reader.frames(30, 1000)
    watch.update(1000 * MS)
    reader.frames(1, 1033)
    watch.update(2000 * MS)
    assert watch.silence(2000 * MS) == "stale"


def test_loss_and_return_are_told_once_with_the_reason():
    reader = LaneDouble()
    watch = CaptureWatch(reader, [], 0)
    reader.frames(30, 100)
    assert told(watch, 200) == []
    reader.status = SourceStatus("running", "connection refused")
    assert told(watch, 3000) == [("source_lost", "connection refused")]
    assert told(watch, 4000) == []
    reader.frames(1, 5000)
    reader.status = SourceStatus("running")
    assert told(watch, 5010) == [("source_back",)]
    assert told(watch, 5020) == []


def test_a_capture_that_is_given_up_fails_loudly_each_time_and_may_come_back():
    reader = LaneDouble()
    watch = CaptureWatch(reader, [], 0)
    reader.status = SourceStatus("starting", "capture died (signal 11)", deaths=1, died="capture died (signal 11)")
    assert told(watch, 100) == [("source_warning", "capture died (signal 11); it is started again")]
    reader.status = SourceStatus("failed", "it died; send resume", deaths=5, died="capture died (signal 11)")
    assert watch.silence(200 * MS) == "failed"
    assert told(watch, 200) == [
        ("source_warning", "capture died (signal 11)"),
        ("source_failed", "it died; send resume"),
    ]
    assert told(watch, 300) == []
    reader.status = SourceStatus("starting", deaths=5)
    assert told(watch, 3000) == []
    reader.status = SourceStatus("failed", "again", deaths=10, died="x")
    assert told(watch, 3100)[-1] == ("source_failed", "again")
    reader.status = SourceStatus("running", deaths=10)
    reader.frames(1, 4000)
    assert told(watch, 4000) == [("source_back",)]


def test_warnings_are_told_as_they_come_and_a_source_that_has_ended_is_not_lost():
    reader, warnings = LaneDouble(), ["the picture is interlaced"]
    watch = CaptureWatch(reader, warnings, 0)
    assert told(watch, 10) == [("source_warning", "the picture is interlaced")]
    warnings.append("more")
    reader.finished = True
    assert told(watch, 60_000) == [("source_warning", "more")]
    assert told(watch, 61_000) == []


def test_a_broken_source_has_failed():
    reader = LaneDouble()
    reader.error = ValueError()
    assert CaptureWatch(reader, [], 0).silence(0) == "failed"


@pytest.mark.parametrize("now_ms", [0, 699])
def test_a_moment_without_frames_is_nothing(now_ms):
    reader = LaneDouble()
    reader.frames(1, 0)
    assert CaptureWatch(reader, [], 0).silence(now_ms * MS) is None
