import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.keyframes.clip_buffer import AFTER_SECONDS, BEFORE_SECONDS, RATE_HZ, ClipRing
from fetalstream.pipeline.keyframes.keyframe_store import WINDOW_SECONDS
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.streamer.frame import Frame
from tests.pipeline.keyframes.test_stored_keyframe import taken

PLENTY = 2**24


def frame(at, *, epoch=0, index=None, side=8):
    pixels = np.full((side, side), round(at * 30) % 256, np.uint8)
    return Frame(pixels, round(at * 30) if index is None else index, at, 0, epoch)


def best(at, *, plane="brain", epoch=0, chosen_by="score"):
    return taken(plane=plane, at=at, epoch=epoch, index=round(at * 30), chosen_by=chosen_by, shape=(8, 8))


def times(cut):
    return [still.pts_seconds for still in cut.stills]


def fed(ring, first, last, *, rate=30, exam="e", masking=0, epoch=0, **changed):
    """Frames of those seconds; the clips that became complete with each, by its time."""
    done = []
    for number in range(round(first * rate), round(last * rate)):
        ring.add(frame(number / rate, index=number, epoch=epoch, **changed), Segment(exam, epoch, masking))
        done += ring.taken()
    return done


def test_a_clip_is_cut_once_what_follows_has_come_and_has_its_own_frame_in_it():
    ring = ClipRing(PLENTY)
    assert fed(ring, 0, 4) == []
    ring.want(best(4.0))
    assert fed(ring, 4, 4 + AFTER_SECONDS) == []
    (cut,) = fed(ring, 4 + AFTER_SECONDS, 4 + AFTER_SECONDS + 0.1)
    assert times(cut) == pytest.approx(np.arange(60, 166) / 30)
    assert cut.exam == "e"
    assert any(still.pixels is cut.best.pixels for still in cut.stills)


def test_what_a_candidate_waits_is_less_than_what_follows():
    assert WINDOW_SECONDS < AFTER_SECONDS


def test_the_very_first_frame_may_be_the_best():
    ring = ClipRing(PLENTY)
    ring.want(best(0.0))
    (cut,) = fed(ring, 0, 3)
    assert times(cut)[0] == 0
    assert times(cut)[-1] == pytest.approx(AFTER_SECONDS)


def test_at_the_end_of_a_stream_a_clip_is_as_long_as_it_can_be():
    ring = ClipRing(PLENTY)
    fed(ring, 0, 3)
    ring.want(best(2.5))
    ring.finish()
    (cut,) = ring.taken()
    assert times(cut)[0] == pytest.approx(0.5)
    assert times(cut)[-1] == pytest.approx(89 / 30)
    assert ring.taken() == []


@pytest.mark.parametrize("change", [{"exam": "f"}, {"epoch": 1}, {"masking": 1}, {"side": 9}])
def test_nothing_from_beyond_an_examination_an_epoch_or_a_mask_is_in_a_clip(change):
    ring = ClipRing(PLENTY)
    fed(ring, 0, 3)
    ring.want(best(2.8))
    (cut,) = fed(ring, 3, 6, **change)
    assert times(cut)[-1] < 3
    assert cut.exam == "e"
    assert {still.pixels.shape for still in cut.stills} == {(8, 8)}


def test_a_best_frame_told_late_gets_nothing_of_another_mask():
    ring = ClipRing(PLENTY)
    fed(ring, 0, 3)
    fed(ring, 3, 3.5, masking=1)
    ring.want(best(2.9))
    assert fed(ring, 3.5, 6, masking=1) == []


def test_a_best_frame_that_is_replaced_at_once_leaves_its_clip_to_the_better_one():
    ring = ClipRing(PLENTY)
    fed(ring, 0, 3)
    ring.want(best(2.0, chosen_by="operator"))
    ring.want(best(2.0))
    ring.want(best(2.0, plane="femur"))
    ring.want(best(2.9))
    cuts = fed(ring, 3, 6)
    assert [(cut.best.plane, cut.best.frame.pts_seconds) for cut in cuts] == [
        ("brain", 2.0),
        ("femur", 2.0),
        ("brain", 2.9),
    ]
    assert cuts[0].best.chosen_by == "operator"


def test_a_fast_stream_is_thinned_to_the_most_that_is_kept():
    ring = ClipRing(PLENTY)
    ring.want(best(0.0))
    (cut,) = fed(ring, 0, 3, rate=120)
    apart = np.diff(times(cut))
    assert apart.min() >= 0.9 / RATE_HZ


def test_frames_that_are_too_large_for_the_memory_are_held_at_a_lower_rate_over_the_same_time():
    ring = ClipRing(20 * 64)
    fed(ring, 0, 4)
    ring.want(best(3.0))
    assert ring.nbytes <= 20 * 64
    (cut,) = fed(ring, 4, 6)
    assert len(cut.stills) >= 16
    assert times(cut)[0] < 3 - BEFORE_SECONDS + 0.3
    assert times(cut)[-1] > 3 + AFTER_SECONDS - 0.3


def test_one_frame_is_no_clip():
    ring = ClipRing(10)  # less than a frame takes
    ring.want(best(0.0))
    assert fed(ring, 0, 3) == []


def test_nothing_is_held_where_no_clips_are_wanted():
    ring = ClipRing()
    ring.want(best(0.0))
    assert fed(ring, 0, 3) == []
    assert ring.nbytes == 0


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(0, 2), st.integers(4, 40), st.booleans()), max_size=120))
def test_whatever_comes_memory_is_bounded_and_clips_are_in_order_and_of_one_shape(steps):
    ring, now, epoch = ClipRing(4000), 0.0, 0
    for number, (step, jump, side, wanted) in enumerate(steps):
        now, epoch = (now + step, epoch) if jump else (0.0, epoch + 1)
        seen = frame(now, epoch=epoch, index=number, side=side if jump == 2 else 16)
        if wanted:
            ring.want(taken(at=now, epoch=epoch, index=number, shape=seen.pixels.shape))
        ring.add(seen, Segment("e", epoch))
        assert ring.nbytes <= 4000
        for cut in ring.taken():
            assert times(cut) == sorted(set(times(cut)))
            assert len({still.pixels.shape for still in cut.stills}) == 1
    ring.finish()
    assert ring.nbytes == 0
