import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.readout.temporal import PlaneFilter, Temporal

LABELS = ("abdomen", "brain", "other")
ABDOMEN, BRAIN, OTHER = np.eye(3) * 0.94 + 0.02
HALF = np.array([0.0, 0.5, 0.5])


def run(stage, frames, *, fps=30.0, start=0.0, epoch=0):
    """The decision after each of ``frames``."""
    return [stage.update(start + i / fps, Segment(epoch=epoch), p) for i, p in enumerate(frames)]


def test_the_first_frame_decides():
    first = PlaneFilter(LABELS, Temporal()).update(0.0, Segment(), BRAIN)
    assert first.plane == "brain"
    assert first.probabilities == pytest.approx(BRAIN)


def test_one_stray_frame_changes_nothing():
    decided = run(PlaneFilter(LABELS, Temporal()), [BRAIN] * 10 + [ABDOMEN] + [BRAIN] * 10)
    assert {step.plane for step in decided} == {"brain"}


@pytest.mark.parametrize("fps", [10.0, 30.0, 60.0, 120.0])
def test_a_change_is_followed_within_the_same_time_at_any_frame_rate(fps):
    stage = PlaneFilter(LABELS, Temporal())
    run(stage, [ABDOMEN] * int(2 * fps), fps=fps)
    after = run(stage, [BRAIN] * int(fps), fps=fps, start=2.0)
    first = next(i for i, step in enumerate(after) if step.plane == "brain")
    assert 0.1 <= (first + 1) / fps <= 0.3


def test_other_is_no_plane():
    decided = run(PlaneFilter(LABELS, Temporal()), [BRAIN] * 5 + [OTHER] * 30)
    assert decided[4].plane == "brain"
    assert decided[-1].plane is None


def test_between_the_thresholds_the_decision_stands():
    entered = run(PlaneFilter(LABELS, Temporal()), [BRAIN] * 30 + [HALF] * 60)
    assert entered[-1].plane == "brain"
    never = run(PlaneFilter(LABELS, Temporal()), [HALF] * 60)
    assert never[-1].plane is None


def test_below_the_leaving_threshold_it_falls():
    decided = run(PlaneFilter(LABELS, Temporal()), [BRAIN] * 30 + [np.array([0.4, 0.2, 0.4])] * 60)
    assert decided[-1].plane is None


def test_a_new_epoch_starts_afresh():
    stage = PlaneFilter(LABELS, Temporal())
    run(stage, [BRAIN] * 30)
    step = stage.update(1.0, Segment(epoch=1), ABDOMEN)
    assert step.plane == "abdomen"
    assert step.probabilities == pytest.approx(ABDOMEN)


@pytest.mark.parametrize("bad", [None, np.full(3, np.nan), np.array([np.inf, 0, 0])])
def test_a_bad_frame_is_skipped_not_smeared(bad):
    with_it, without = PlaneFilter(LABELS, Temporal()), PlaneFilter(LABELS, Temporal())
    run(with_it, [BRAIN] * 5 + [bad] + [ABDOMEN])
    for i in (0, 1, 2, 3, 4, 6):
        expected = without.update(i / 30, Segment(epoch=0), ABDOMEN if i == 6 else BRAIN)
    assert with_it.update(7 / 30, Segment(epoch=0), BRAIN).probabilities == pytest.approx(
        without.update(7 / 30, Segment(epoch=0), BRAIN).probabilities
    )
    assert expected.plane == "brain"


def test_before_any_good_frame_nothing_is_known():
    assert PlaneFilter(LABELS, Temporal()).update(0.0, Segment(), None) == (None, None)


@pytest.mark.parametrize(
    "constants",
    [{"evidence_seconds": 0.0}, {"enter": 0.4, "leave": 0.6}, {"enter": 1.1}, {"dwell_seconds": -1.0}],
)
def test_senseless_constants_are_refused(constants):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(constants, Temporal)


def test_many_weak_frames_are_as_good_as_a_strong_one():
    weak = np.array([0.15, 0.55, 0.3])
    decided = run(PlaneFilter(LABELS, Temporal()), [weak] * 30)
    assert decided[0].plane is None
    assert decided[-1].plane == "brain"


def test_a_picture_that_stands_still_in_time_says_nothing_new():
    stage = PlaneFilter(LABELS, Temporal())
    first = stage.update(1.0, Segment(epoch=0), BRAIN)
    again = stage.update(1.0, Segment(epoch=0), ABDOMEN)
    assert again.probabilities == pytest.approx(first.probabilities)


def test_dropped_frames_lead_to_the_same_belief():
    scan = [ABDOMEN] * 30 + [HALF] * 15 + [BRAIN] * 45
    every, third = PlaneFilter(LABELS, Temporal()), PlaneFilter(LABELS, Temporal())
    pairs = [
        (
            every.update(i / 30, Segment(epoch=0), row),
            third.update(i / 30, Segment(epoch=0), row) if i % 3 == 0 else None,
        )
        for i, row in enumerate(scan)
    ]
    apart = [np.abs(full.probabilities - part.probabilities).max() for full, part in pairs if part is not None]
    assert np.median(apart) < 0.02
    assert pairs[-3][1].plane == pairs[-1][0].plane == "brain"


@given(
    st.lists(
        st.tuples(
            st.floats(-1e6, 1e6),
            st.integers(0, 2),
            st.lists(st.floats(1e-6, 1.0), min_size=3, max_size=3),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_whatever_the_times_the_mean_is_a_distribution(frames):
    stage = PlaneFilter(LABELS, Temporal())
    for pts, epoch, weights in frames:
        step = stage.update(pts, Segment(epoch=epoch), np.array(weights) / sum(weights))
        assert step.probabilities is not None
        assert step.probabilities.sum() == pytest.approx(1)
        assert (step.probabilities >= 0).all()
        assert step.plane in (None, "abdomen", "brain")
