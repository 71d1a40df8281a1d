import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.keyframes.shelf import (
    APART_SECONDS,
    MIN_GAIN,
    RUNNERS_UP,
    RUNNERS_UP_BYTES,
    SNAPSHOTS_KEPT,
    KeyframeShelf,
)
from tests.pipeline.keyframes.test_keyframes import taken


def offered(shelf, candidate):
    shelf.offer(candidate)
    return shelf.due(candidate.frame.epoch, candidate.frame.pts_seconds)


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
    assert offered(shelf, taken(0.5 * (1 + MIN_GAIN) - 0.001, at=1.2)) == []
    better = taken(0.5 * (1 + MIN_GAIN) + 0.001, at=1.5)
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


def ranks(shelf, plane="brain"):
    """Scores of a plane's kept frames, the best first."""
    kept = [shelved for shelved in shelf if shelved.plane == plane and shelved.chosen_by == "score"]
    assert [shelf.rank(shelved) for shelved in kept] == list(range(len(kept)))
    return [shelved.score for shelved in kept]


def played(shelf, *frames):
    """Scores at times, and what was told at each."""
    return [[told.score for told in offered(shelf, taken(score, at=at))] for score, at in frames]


def test_a_lesser_frame_of_another_moment_is_told_once_that_moment_is_over():
    shelf = KeyframeShelf()
    told = played(shelf, (0.8, 0), (0.5, 1.9), (0.4, 5.0), (0.6, 5.5), (0.5, 6.0), (0.1, 7.4))
    assert told == [[0.8], [], [], [], [], []]
    assert [each.score for each in shelf.due(0, 7.5)] == [0.6]
    assert ranks(shelf) == [0.8, 0.6]


def test_a_best_frame_that_is_beaten_by_another_moment_runs_up_and_is_not_told_again():
    shelf = KeyframeShelf()
    assert played(shelf, (0.5, 0), (0.8, 3), (0.9, 4.5)) == [[0.5], [0.8], [0.9]]
    assert ranks(shelf) == [0.9, 0.5]  # the one of 3 s showed the moment of the best


def test_moments_of_another_epoch_are_others_however_near():
    shelf = KeyframeShelf()
    offered(shelf, taken(0.8, at=5.0))
    assert offered(shelf, taken(0.5, at=0.0, epoch=1)) == []
    assert [each.score for each in shelf.flush()] == [0.5]


def test_a_few_are_kept_of_each_plane_the_best_of_all():
    shelf = KeyframeShelf()
    played(shelf, (0.9, 0), *((0.1 * (1 + at % 5), 10.0 * at) for at in range(1, 12)))
    shelf.flush()
    assert ranks(shelf) == pytest.approx([0.9, 0.5, 0.5, 0.4])
    offered(shelf, taken(0.3, plane="femur", at=200.0))
    assert len(ranks(shelf)) == 1 + RUNNERS_UP


def test_runners_up_are_bounded_in_bytes_too():
    shelf = KeyframeShelf()
    shape = (1024, 1024)
    most = RUNNERS_UP_BYTES // 2**20
    planes = [f"plane {number}" for number in range(most // 2)]
    for at in range(4):
        for plane in planes:
            offered(shelf, taken(0.9 - at / 10, plane=plane, at=10.0 * at, shape=shape))
    shelf.flush()
    kept = list(shelf)
    assert len(kept) == len(planes) + most
    assert {shelved.plane for shelved in kept if shelf.rank(shelved) == 1} == set(planes)


def test_what_is_withdrawn_makes_room_for_the_first_runner_up_and_comes_back():
    shelf = KeyframeShelf()
    played(shelf, (0.5, 0), (0.7, 10), (0.9, 20))
    best = next(iter(shelf))
    assert shelf.withdraw(best.keyframe) is best
    assert ranks(shelf) == [0.7, 0.5]
    shelf.put_back(best)
    assert ranks(shelf) == [0.9, 0.7, 0.5]
    last = list(shelf)[-1]
    assert shelf.withdraw(last.keyframe) is last
    assert ranks(shelf) == [0.9, 0.7]
    shelf.put_back(last)
    assert ranks(shelf) == [0.9, 0.7, 0.5]
    assert shelf.withdraw("unknown") is None


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 3), st.integers(0, 1)), min_size=1, max_size=60))
def test_kept_frames_of_a_plane_are_of_different_moments_and_told_once(frames):
    shelf, now, told = KeyframeShelf(), 0.0, []
    for score, step, epoch in frames:
        now += step
        told += offered(shelf, taken(score, at=now, epoch=epoch))
    told += shelf.flush()
    kept = list(shelf)
    ranks(shelf)
    assert len(kept) <= 1 + RUNNERS_UP
    assert {shelved.keyframe for shelved in kept} <= {shelved.keyframe for shelved in told}
    assert len({shelved.keyframe for shelved in told}) == len(told)
    for one, other in itertools.combinations([shelved.frame for shelved in kept], 2):
        assert one.epoch != other.epoch or abs(one.pts_seconds - other.pts_seconds) >= APART_SECONDS
