"""What begins a new segment: the frames themselves, and what the operator says."""

import pytest

from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.stream.segment_tracker import SegmentTracker
from fetalstream.streamer.region.masker import Masked, Region, RegionEvent
from fetalstream.streamer.region.sector import Rectangle
from tests.pipeline.doubles import frame

BOX = Rectangle(0, 0, 32, 32)


def region(x=0.0):
    return Region(((x, 0.0), (32.0, 0.0), (32.0, 32.0), (x, 32.0)), BOX, 1.0, "found")


def masked(index=0, *, epoch=0, around=None, events=(), trouble=None):
    return Masked(frame(index, epoch=epoch), around, tuple(RegionEvent(each) for each in events), trouble)


def test_frames_that_follow_each_other_are_of_one_segment():
    tracker = SegmentTracker("exam-1")
    assert [tracker.of(masked(i), 0) for i in range(3)] == [Segment("exam-1")] * 3


def test_an_epoch_is_the_frames_own():
    tracker = SegmentTracker("exam-1")
    assert [tracker.of(masked(i, epoch=e), 0).epoch for i, e in enumerate([0, 0, 4])] == [0, 0, 4]


@pytest.mark.parametrize(
    ("regions", "maskings"),
    [([None, None], [0, 0]), ([region(), region()], [1, 1]), ([region(), region(4.0)], [1, 2]),
     ([region(), None, region()], [1, 2, 3])],
)  # fmt: skip
def test_a_region_that_appears_moves_or_goes_is_another_masking(regions, maskings):
    tracker = SegmentTracker("exam-1")
    assert [tracker.of(masked(i, around=each), 0).masking for i, each in enumerate(regions)] == maskings


def test_what_the_operator_says_of_the_sector_is_another_masking_even_if_the_outline_is_the_same():
    tracker = SegmentTracker("exam-1")
    before = tracker.of(masked(0, around=region()), 0)
    tracker.set_sector()
    after = tracker.of(masked(1, around=region()), 0)
    assert after.masking == before.masking + 1
    assert after.picture != before.picture
    assert after.ages == before.ages


def test_each_word_of_the_operator_on_the_spacing_is_another_scale_and_the_same_picture():
    tracker = SegmentTracker("exam-1")
    seen = [tracker.of(masked(0), 0)]
    for index, spacing_mm in enumerate([0.2, 0.2, None], start=1):
        tracker.set_spacing(spacing_mm)
        seen.append(tracker.of(masked(index), 0))
    assert [each.scale for each in seen] == [0, 1, 2, 3]
    assert {each.picture for each in seen} == {seen[0].picture}


@pytest.mark.parametrize("trouble", [None, "it does not fit"])
def test_the_operators_spacing_ends_with_the_layout_also_on_a_refused_frame(trouble):
    tracker = SegmentTracker("exam-1")
    tracker.set_spacing(0.2)
    assert tracker.of(masked(0), 0).scale == 1
    assert tracker.spacing_mm == 0.2
    before = tracker.of(masked(1), 0)
    after = tracker.of(masked(2, epoch=1, events=["layout_changed"], trouble=trouble), 0)
    assert tracker.spacing_mm is None
    assert after.ages == before.ages  # ages that were read with a right scale are kept


@pytest.mark.parametrize("event", ["sector_changed", "source_warning", "sector_unknown"])
def test_other_events_leave_the_operators_spacing(event):
    tracker = SegmentTracker("exam-1")
    tracker.set_spacing(0.2)
    tracker.of(masked(0, events=[event]), 0)
    assert tracker.spacing_mm == 0.2


def test_frames_captured_before_a_new_examination_stay_with_the_one_before():
    tracker = SegmentTracker("exam-1")
    tracker.of(masked(0), 0)
    tracker.new_exam("exam-2", now_ns=frame(2).captured_ns)
    assert [tracker.of(masked(i), 0).exam for i in (1, 2, 3)] == ["exam-1", "exam-2", "exam-2"]
    assert tracker.previous_exam == "exam-1"


def test_of_the_first_examination_no_frame_is_too_early():
    tracker = SegmentTracker("exam-1")
    assert tracker.exam_began_ns is None
    assert tracker.of(masked(0), now_ns=10**12).exam == "exam-1"
    assert tracker.exam_began_ns == 10**12
    tracker.of(masked(1), now_ns=2 * 10**12)
    assert tracker.exam_began_ns == 10**12
