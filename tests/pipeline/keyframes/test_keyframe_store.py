import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.keyframes.keyframe_store import (
    APART_SECONDS,
    RUNNERS_UP,
    RUNNERS_UP_BYTES,
    SNAPSHOTS_KEPT,
    KeyframeStore,
)
from fetalstream.pipeline.wire import MIN_GAIN
from tests.pipeline.keyframes.test_stored_keyframe import taken


def offered(keyframe_store, candidate):
    keyframe_store.offer(candidate)
    return keyframe_store.due(candidate.frame.epoch, candidate.frame.pts_seconds)


def test_the_first_frame_of_a_plane_is_its_best_at_once():
    keyframe_store = KeyframeStore()
    first = taken()
    assert offered(keyframe_store, first) == [first]
    assert keyframe_store.get(first.keyframe) is first
    assert list(keyframe_store) == [first]


def test_a_frame_without_any_score_is_not_kept():
    assert offered(KeyframeStore(), taken(0.0)) == []


def test_a_little_better_is_not_better():
    keyframe_store = KeyframeStore()
    first = taken(0.5)
    offered(keyframe_store, first)
    assert offered(keyframe_store, taken(0.5 * (1 + MIN_GAIN) - 0.001, at=1.2)) == []
    better = taken(0.5 * (1 + MIN_GAIN) + 0.001, at=1.5)
    assert offered(keyframe_store, better) == [better]
    assert keyframe_store.get(first.keyframe) is None


def test_within_the_window_the_best_candidate_waits_and_none_is_lost():
    keyframe_store = KeyframeStore()
    offered(keyframe_store, taken(0.2))
    best = taken(0.6, at=0.4)
    assert offered(keyframe_store, taken(0.4, at=0.2)) == []
    assert offered(keyframe_store, best) == []
    assert offered(keyframe_store, taken(0.5, at=0.6)) == []
    assert keyframe_store.due(0, 0.9) == []
    assert keyframe_store.due(0, 1.0) == [best]
    assert keyframe_store.due(0, 1.1) == []


def test_each_plane_has_its_own_best_and_window():
    keyframe_store = KeyframeStore()
    brain, femur = taken(), taken(plane="femur", at=0.1)
    offered(keyframe_store, brain)
    assert offered(keyframe_store, femur) == [femur]
    assert set(keyframe_store) == {brain, femur}


def test_another_epoch_ends_the_window():
    keyframe_store = KeyframeStore()
    offered(keyframe_store, taken(0.2, at=5.0))
    better = taken(0.6, at=0.0, epoch=1)
    assert offered(keyframe_store, better) == [better]


def test_a_flush_takes_what_waits():
    keyframe_store = KeyframeStore()
    offered(keyframe_store, taken(0.2))
    better = taken(0.6, at=0.1)
    offered(keyframe_store, better)
    assert keyframe_store.flush() == [better]
    assert keyframe_store.flush() == []


def test_snapshots_are_bounded_and_saved_ones_go_first():
    keyframe_store = KeyframeStore()
    snapshots = [taken(chosen_by="operator", index=i) for i in range(SNAPSHOTS_KEPT + 2)]
    for snapshot in snapshots[:SNAPSHOTS_KEPT]:
        keyframe_store.snapshot(snapshot)
    assert keyframe_store.saved([snapshots[3].keyframe, "unknown"]) == [snapshots[3].keyframe]
    keyframe_store.snapshot(snapshots[-2])
    assert snapshots[3] not in list(keyframe_store)
    assert snapshots[0] in list(keyframe_store)
    keyframe_store.snapshot(snapshots[-1])
    assert snapshots[0] not in list(keyframe_store)
    assert len(list(keyframe_store)) == SNAPSHOTS_KEPT


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.4)), min_size=1, max_size=50))
def test_after_a_flush_no_offer_beats_the_best_by_the_gain(frames):
    keyframe_store, now, best = KeyframeStore(), 0.0, 0.0
    for score, step in frames:
        now += step
        best = max(best, score)
        offered(keyframe_store, taken(score, at=now))
    keyframe_store.flush()
    kept = max((stored.score for stored in keyframe_store), default=0.0)
    assert kept <= best <= kept * (1 + MIN_GAIN) + 1e-9


def ranks(keyframe_store, plane="brain"):
    """Scores of a plane's kept frames, the best first."""
    kept = [stored for stored in keyframe_store if stored.plane == plane and stored.chosen_by == "score"]
    assert [keyframe_store.rank(stored) for stored in kept] == list(range(len(kept)))
    return [stored.score for stored in kept]


def played(keyframe_store, *frames):
    """Scores at times, and what was told at each."""
    return [[told.score for told in offered(keyframe_store, taken(score, at=at))] for score, at in frames]


def test_a_lesser_frame_of_another_moment_is_told_once_that_moment_is_over():
    keyframe_store = KeyframeStore()
    told = played(keyframe_store, (0.8, 0), (0.5, 1.9), (0.4, 5.0), (0.6, 5.5), (0.5, 6.0), (0.1, 7.4))
    assert told == [[0.8], [], [], [], [], []]
    assert [each.score for each in keyframe_store.due(0, 7.5)] == [0.6]
    assert ranks(keyframe_store) == [0.8, 0.6]


def test_a_best_frame_that_is_beaten_by_another_moment_runs_up_and_is_not_told_again():
    keyframe_store = KeyframeStore()
    assert played(keyframe_store, (0.5, 0), (0.8, 3), (0.9, 4.5)) == [[0.5], [0.8], [0.9]]
    assert ranks(keyframe_store) == [0.9, 0.5]  # the one of 3 s showed the moment of the best


def test_moments_of_another_epoch_are_others_however_near():
    keyframe_store = KeyframeStore()
    offered(keyframe_store, taken(0.8, at=5.0))
    assert offered(keyframe_store, taken(0.5, at=0.0, epoch=1)) == []
    assert [each.score for each in keyframe_store.flush()] == [0.5]


def test_a_few_are_kept_of_each_plane_the_best_of_all():
    keyframe_store = KeyframeStore()
    played(keyframe_store, (0.9, 0), *((0.1 * (1 + at % 5), 10.0 * at) for at in range(1, 12)))
    keyframe_store.flush()
    assert ranks(keyframe_store) == pytest.approx([0.9, 0.5, 0.5, 0.4])
    offered(keyframe_store, taken(0.3, plane="femur", at=200.0))
    assert len(ranks(keyframe_store)) == 1 + RUNNERS_UP


def test_runners_up_are_bounded_in_bytes_too():
    keyframe_store = KeyframeStore()
    shape = (1024, 1024)
    most = RUNNERS_UP_BYTES // 2**20
    planes = [f"plane {number}" for number in range(most // 2)]
    for at in range(4):
        for plane in planes:
            offered(keyframe_store, taken(0.9 - at / 10, plane=plane, at=10.0 * at, shape=shape))
    keyframe_store.flush()
    kept = list(keyframe_store)
    assert len(kept) == len(planes) + most
    assert {stored.plane for stored in kept if keyframe_store.rank(stored) == 1} == set(planes)


def test_what_is_withdrawn_makes_room_for_the_first_runner_up_and_comes_back():
    keyframe_store = KeyframeStore()
    played(keyframe_store, (0.5, 0), (0.7, 10), (0.9, 20))
    best = next(iter(keyframe_store))
    assert keyframe_store.withdraw(best.keyframe) is best
    assert ranks(keyframe_store) == [0.7, 0.5]
    keyframe_store.put_back(best)
    assert ranks(keyframe_store) == [0.9, 0.7, 0.5]
    last = list(keyframe_store)[-1]
    assert keyframe_store.withdraw(last.keyframe) is last
    assert ranks(keyframe_store) == [0.9, 0.7]
    keyframe_store.put_back(last)
    assert ranks(keyframe_store) == [0.9, 0.7, 0.5]
    assert keyframe_store.withdraw("unknown") is None


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 3), st.integers(0, 1)), min_size=1, max_size=60))
def test_kept_frames_of_a_plane_are_of_different_moments_and_told_once(frames):
    keyframe_store, now, told = KeyframeStore(), 0.0, []
    for score, step, epoch in frames:
        now += step
        told += offered(keyframe_store, taken(score, at=now, epoch=epoch))
    told += keyframe_store.flush()
    kept = list(keyframe_store)
    ranks(keyframe_store)
    assert len(kept) <= 1 + RUNNERS_UP
    assert {stored.keyframe for stored in kept} <= {stored.keyframe for stored in told}
    assert len({stored.keyframe for stored in told}) == len(told)
    for one, other in itertools.combinations([stored.frame for stored in kept], 2):
        assert one.epoch != other.epoch or abs(one.pts_seconds - other.pts_seconds) >= APART_SECONDS
