import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import wire
from pipeline.keyframes import MIN_GAIN, SNAPSHOTS_KEPT, KeyframeShelf, Shelved, in_plane_part, owned, score_parts

QUALITY = wire.Quality(sharpness=0.5, steadiness=0.8)


def taken(score=0.5, *, plane="brain", at=0.0, epoch=0, index=0, chosen_by="score", value=7, shape=(4, 6)):
    return Shelved(
        pixels=np.full(shape, value, np.uint8),
        plane=plane,
        subplane=None,
        score=score,
        parts={"probability": score},
        frame=wire.FrameInfo(index=index, epoch=epoch, pts_seconds=at, captured_ns=0),
        gestation=None,
        chosen_by=chosen_by,
    )


def offered(shelf, candidate):
    shelf.offer(candidate)
    return shelf.due(candidate.frame.epoch, candidate.frame.pts_seconds)


def test_the_parts_and_a_negative_margin():
    parts = score_parts(0.9, 0.7, QUALITY)
    assert math.prod(parts.values()) == pytest.approx(0.9 * 0.7 * 0.5 * 0.8)
    assert math.prod(score_parts(0.9, -0.2, QUALITY).values()) == 0


def test_how_well_a_plane_is_hit_counts_where_its_probability_has_long_come_close_to_one():
    parts = [in_plane_part(other, 6.0) for other in (1.0, 0.9, 0.5, 0.02, 0.004, 0.0026, 0.0)]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0.0, 1.0)
    assert parts[2] == pytest.approx(0.5**8)
    assert parts[5] > 1.2 * parts[4]  # 0.996 and 0.9974 of probability
    told = score_parts(0.9, 0.7, QUALITY, parts[4])
    assert math.prod(told.values()) == pytest.approx(parts[4] * math.prod(score_parts(0.9, 0.7, QUALITY).values()))


def test_the_first_frame_of_a_plane_is_its_best_at_once():
    shelf = KeyframeShelf()
    first = taken()
    assert offered(shelf, first) == [first]
    assert shelf.get(first.keyframe) is first
    assert list(shelf) == [first]


def test_a_frame_without_any_score_is_not_kept():
    assert offered(KeyframeShelf(), taken(0.0)) == []


def test_a_little_better_is_not_better():
    shelf = KeyframeShelf()
    first = taken(0.5)
    offered(shelf, first)
    assert offered(shelf, taken(0.5 * (1 + MIN_GAIN) - 0.001, at=5.0)) == []
    better = taken(0.5 * (1 + MIN_GAIN) + 0.001, at=6.0)
    assert offered(shelf, better) == [better]
    assert shelf.get(first.keyframe) is None


def test_within_the_window_the_best_candidate_waits_and_none_is_lost():
    shelf = KeyframeShelf()
    offered(shelf, taken(0.2))
    best = taken(0.6, at=0.4)
    assert offered(shelf, taken(0.4, at=0.2)) == []
    assert offered(shelf, best) == []
    assert offered(shelf, taken(0.5, at=0.6)) == []
    assert shelf.due(0, 0.9) == []
    assert shelf.due(0, 1.0) == [best]
    assert shelf.due(0, 1.1) == []


def test_each_plane_has_its_own_best_and_window():
    shelf = KeyframeShelf()
    brain, femur = taken(), taken(plane="femur", at=0.1)
    offered(shelf, brain)
    assert offered(shelf, femur) == [femur]
    assert set(shelf) == {brain, femur}


def test_another_epoch_ends_the_window():
    shelf = KeyframeShelf()
    offered(shelf, taken(0.2, at=5.0))
    better = taken(0.6, at=0.0, epoch=1)
    assert offered(shelf, better) == [better]


def test_a_flush_takes_what_waits():
    shelf = KeyframeShelf()
    offered(shelf, taken(0.2))
    better = taken(0.6, at=0.1)
    offered(shelf, better)
    assert shelf.flush() == [better]
    assert shelf.flush() == []


def test_snapshots_are_bounded_and_saved_ones_go_first():
    shelf = KeyframeShelf()
    snapshots = [taken(chosen_by="operator", index=i) for i in range(SNAPSHOTS_KEPT + 2)]
    for snapshot in snapshots[:SNAPSHOTS_KEPT]:
        shelf.snapshot(snapshot)
    assert shelf.saved([snapshots[3].keyframe, "unknown"]) == [snapshots[3].keyframe]
    shelf.snapshot(snapshots[-2])
    assert snapshots[3] not in list(shelf)
    assert snapshots[0] in list(shelf)
    shelf.snapshot(snapshots[-1])
    assert snapshots[0] not in list(shelf)
    assert len(list(shelf)) == SNAPSHOTS_KEPT


def test_the_message_says_all_but_the_picture():
    shelved = taken(0.5, chosen_by="operator")
    message = shelved.message()
    assert message.keyframe == shelved.keyframe
    assert (message.plane, message.score, message.chosen_by) == ("brain", 0.5, "operator")
    wire.encode(message)


def test_the_png_is_the_picture_bit_for_bit():
    rng = np.random.default_rng(1)
    for shape in ((5, 7), (5, 7, 3)):
        pixels = rng.integers(0, 256, shape, dtype=np.uint8)
        base = taken()
        shelved = Shelved(pixels, "brain", None, 0.5, {}, base.frame, None)
        read = cv2.imdecode(np.frombuffer(shelved.png(), np.uint8), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(read if len(shape) == 2 else read[..., ::-1], pixels)


def test_a_kept_cut_out_holds_nothing_of_what_was_round_it():
    frame = np.zeros((40, 60), np.uint8)
    kept = owned(frame[5:9, 5:11])
    assert kept.base is None
    assert not kept.flags.writeable
    assert owned(frame) is frame


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.4)), min_size=1, max_size=50))
def test_after_a_flush_no_offer_beats_the_best_by_the_gain(frames):
    shelf, now, best = KeyframeShelf(), 0.0, 0.0
    for score, step in frames:
        now += step
        best = max(best, score)
        offered(shelf, taken(score, at=now))
    shelf.flush()
    kept = max((shelved.score for shelved in shelf), default=0.0)
    assert kept <= best <= kept * (1 + MIN_GAIN) + 1e-9
