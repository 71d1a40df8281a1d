"""A live source whose connections are scripted: what comes, how it is lost, and how long is waited, without a wait."""

import dataclasses
import errno
import itertools

import av.error
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.live.backoff import LONGEST_SECONDS
from fetalstream.streamer.live.live_source import Arrival, LiveSource
from fetalstream.streamer.status import SourceStatus

NS = 1_000_000_000


class Clock:
    """A clock that moves when the source waits, and by a frame's time when a frame is taken."""

    def __init__(self):
        self.now_ns = 100 * NS
        self.waits = []

    def __call__(self):
        return self.now_ns


class ClockedEvent:
    """An event whose wait moves the clock and takes no time."""

    def __init__(self, clock):
        self._clock = clock
        self._set = False

    def is_set(self):
        return self._set

    def set(self):
        self._set = True

    def wait(self, seconds):
        self._clock.waits.append(seconds)
        self._clock.now_ns += round(seconds * NS)
        return self._set


class Scripted(LiveSource):
    """Connections one after another: what arrives in each, and what it is lost by. The last one closes the source."""

    def __init__(self, *connections, spacing_mm=None):
        self.clock = Clock()
        super().__init__("test", "0" * 64, spacing_mm=spacing_mm, clock_ns=self.clock)
        self._closed = ClockedEvent(self.clock)
        self._connections = list(connections)
        self.opened = self.let_go = 0
        self.statuses = []

    def _arrivals(self):
        self.opened += 1
        if len(self._connections) == 1:
            self.close()
        connection = self._connections.pop(0)
        try:
            for each in connection:
                self.clock.now_ns += NS // 30
                if isinstance(each, Exception):
                    raise each
                self.statuses.append(self.status)
                yield each
            self.trouble = "the other side has ended the stream"
        finally:
            self.let_go += 1


def arrival(seconds=None, size=(2, 3), spacing_mm=None):
    return Arrival(np.zeros(size, np.uint8), seconds, spacing_mm)


def test_frames_are_numbered_through_and_each_return_is_an_epoch():
    source = Scripted([arrival(7.0), arrival(7.5)], [arrival(0.0), arrival(0.25)], [arrival(3.0)])
    frames = list(source)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.epoch for frame in frames] == [0, 0, 1, 1, 2]
    assert source.reconnects == 2
    times = [frame.pts_seconds for frame in frames]
    assert times[:2] == [0.0, 0.5]
    assert times == sorted(times)
    assert times[3] - times[2] == pytest.approx(0.25)
    # A return is placed in media time by the clock, whatever the sender's own clock says, but behind what came before.
    elapsed_s = (frames[4].captured_ns - frames[0].captured_ns) / NS
    assert times[4] == pytest.approx(max(elapsed_s, times[3] + 1 / 30))


def test_frames_are_stamped_when_they_come():
    source = Scripted([arrival(), arrival()])
    begun_ns = source.clock.now_ns
    assert [round((frame.captured_ns - begun_ns) / NS * 30) for frame in source] == [1, 2]


def test_a_connection_without_time_stamps_is_timed_by_arrival_and_the_next_one_by_its_stamps():
    source = Scripted([arrival()] * 3, [arrival(7.0), arrival(7.5)])
    frames = list(source)
    assert [frame.pts_seconds for frame in frames[:3]] == pytest.approx([0.0, 1 / 30, 2 / 30])
    assert [frame.epoch for frame in frames] == [0, 0, 0, 1, 1]
    assert frames[4].pts_seconds - frames[3].pts_seconds == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ECONNREFUSED, "Connection refused", "rtsp://me:s3cret@host"), "connection refused"),
        (av.error.ExitError(errno.EINTR, "Immediate exit requested", "rtsp://me:s3cret@host"), "no answer in time"),
        (av.error.InvalidDataError(errno.EINVAL, "Invalid data found", "rtsp://me:s3cret@host"), "invalid data found"),
        (UnicodeError("rtsp://me:s3cret@host"), "UnicodeError"),
        (IndexError("rtsp://me:s3cret@host"), "IndexError"),
        (OSError("rtsp://me:s3cret@host"), "OSError"),
    ],
)
def test_any_error_is_tried_again_and_told_without_the_address(error, words):
    source = Scripted([error], [arrival()])
    seen = []
    source._closed.wait = lambda seconds: seen.append(source.status.trouble)
    frames = list(source)
    assert len(frames) == 1
    assert seen[0] == words
    assert "s3cret" not in repr(source.status) + repr(source.warnings)


def test_what_a_person_must_mend_is_not_tried_again():
    source = Scripted([SourceError("the installed PyAV knows no srt://")], [arrival()])
    with pytest.raises(SourceError, match="knows no srt"):
        list(source)
    assert source.opened == source.let_go == 1


def test_failures_are_ever_further_apart_and_a_success_begins_anew():
    lost = [OSError(errno.ECONNREFUSED, "refused")]
    source = Scripted(*[lost] * 6, [arrival()], lost, lost, [])
    list(source)
    waits = source.clock.waits
    assert waits[:6] == sorted(waits[:6])
    assert max(waits) <= LONGEST_SECONDS
    assert waits[5] > 4 * waits[0]
    assert waits[6] < waits[5] / 4, "after pictures came, the next attempt is soon"
    assert waits[7] > waits[6]


def test_the_status_says_why_nothing_comes_and_nothing_while_frames_do():
    source = Scripted([arrival(), arrival()], [arrival()])
    assert source.status == SourceStatus(trouble="not connected yet")
    frames = iter(source)
    next(frames)
    assert source.status.trouble is None
    next(frames)
    next(frames)
    assert source.status == SourceStatus(steps=source.steps, reconnects=1)
    assert list(frames) == []
    assert source.status.trouble == "the other side has ended the stream"


def test_every_attempt_is_a_step_so_that_one_that_hangs_is_noticed():
    source = Scripted([OSError(5, "x")], [OSError(5, "x")], [])
    list(source)
    assert source.steps == 3


def test_a_connection_is_let_go_of_when_its_reader_stops():
    source = Scripted([arrival()] * 9, [])
    frames = iter(source)
    next(frames)
    assert source.let_go == 0
    frames.close()
    assert source.let_go == source.opened == 1


def test_the_given_spacing_holds_for_the_first_size_and_the_sources_own_for_others():
    small, large = (2, 3), (4, 6)
    source = Scripted(
        [arrival(size=small, spacing_mm=0.5), arrival(size=large, spacing_mm=0.7), arrival(size=large)], spacing_mm=0.2
    )
    frames = list(source)
    assert [(frame.spacing_mm, frame.spacing_from) for frame in frames] == [
        (0.2, "operator"), (0.7, "igtl"), (None, None),
    ]  # fmt: skip
    assert len(source.warnings) == 1


def test_another_size_or_another_spacing_of_the_sources_own_is_another_layout():
    source = Scripted(
        [arrival(), arrival(), arrival(size=(4, 4)), arrival(size=(4, 4), spacing_mm=0.3), arrival(size=(4, 4))]
    )
    assert [frame.epoch for frame in source] == [0, 0, 1, 2, 3]


def test_it_is_live_has_no_end_and_is_of_the_kind_it_was_made():
    source = Scripted([])
    assert (source.kind, source.live, source.frames_expected, source.rate_hz) == ("test", True, None, None)
    assert source.masker is None
    assert dataclasses.is_dataclass(source.status)


STEPS = st.sampled_from(["frame", "stamped", "back", "error", "end"])


@given(st.lists(STEPS, max_size=40))
def test_whatever_a_source_does_time_goes_on_and_epochs_only_grow(steps):
    connections, seconds = [[]], 50.0
    for step in steps:
        if step == "end":
            connections.append([])
        elif step == "error":
            connections[-1].append(OSError(errno.EIO, "x"))
            connections.append([])
        elif step == "frame":
            connections[-1].append(arrival())
        else:
            seconds += 0.04 if step == "stamped" else -20
            connections[-1].append(arrival(seconds))
    source = Scripted(*connections)
    frames = list(source)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert len(frames) == sum(isinstance(each, Arrival) for connection in connections for each in connection)
    epochs = [frame.epoch for frame in frames]
    assert epochs == sorted(epochs)
    for before, after in itertools.pairwise(frames):
        assert after.captured_ns > before.captured_ns
        if after.epoch == before.epoch:
            assert after.pts_seconds >= before.pts_seconds
    with_frames = [each for each in connections if any(isinstance(one, Arrival) for one in each)]
    assert source.reconnects == max(0, len(with_frames) - 1)
    assert source.opened == source.let_go == len(connections)
