from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.planes_over_time import as_shipped, decided, judged, markov, mean_of_logits, mean_of_probabilities
from fetalstream.pipeline.readout.temporal import Temporal
from fetalstream.pipeline.training.fit import Scan

LABELS = ["brain", "femur", "other"]
STEP_S = 1 / 30


def scan(truth, *, sure=0.9, epochs=None):
    """A scan whose raw probabilities follow the truth at 30 frames a second."""
    rows = np.full((len(truth), 3), (1 - sure) / 2)
    for row, label in enumerate(truth):
        rows[row, LABELS.index(label)] = sure
    scores = SimpleNamespace(
        pts_seconds=np.arange(len(truth)) * STEP_S, true_label=np.array(truth),
        epoch=np.zeros(len(truth), int) if epochs is None else np.array(epochs),
    )  # fmt: skip
    return Scan(scores, rows)


def test_the_moving_average_forgets_what_is_older_than_its_window():
    step = mean_of_probabilities(0.1)
    assert step(0.0, np.array([1.0, 0.0])).tolist() == [1.0, 0.0]
    assert step(0.05, np.array([0.0, 1.0])).tolist() == [0.5, 0.5]
    assert step(0.06, np.array([0.0, 1.0])).tolist() == [0.0, 1.0]


def test_the_mean_of_logits_is_a_distribution_that_leans_to_the_newest():
    step = mean_of_logits(0.2)
    first = step(0.0, np.array([0.9, 0.1]))
    np.testing.assert_allclose(first, [0.9, 0.1])
    second = step(0.1, np.array([0.1, 0.9]))
    assert second.sum() == pytest.approx(1.0)
    assert second[1] > 0.5
    long_after = step(100.0, np.array([0.2, 0.8]))
    np.testing.assert_allclose(long_after, [0.2, 0.8], atol=1e-6)


def test_without_a_threshold_the_largest_decides_whatever_it_is():
    wanted = ["brain", "femur", "other", "femur"]
    assert list(decided(scan(wanted, sure=0.4), lambda: lambda _, row: row, 0.0, 0.0, LABELS)) == wanted


def test_a_plane_is_entered_above_one_threshold_and_left_below_another():
    rows = [0.85, 0.5, 0.42, 0.38, 0.5]
    made = scan(["brain"] * 5)
    made.raw[:, 0], made.raw[:, 1] = rows, 0.0
    made.raw[:, 2] = 1 - np.array(rows)
    found = list(decided(made, lambda: lambda _, row: row, 0.8, 0.4, LABELS))
    assert found == ["brain", "brain", "brain", "other", "other"]


def test_layers_are_made_anew_for_each_epoch():
    made = scan(["brain"] * 4 + ["femur"] * 2, epochs=[0, 0, 0, 0, 1, 1])
    with_memory = list(decided(made, lambda: mean_of_probabilities(10.0), 0.0, 0.0, LABELS))
    assert with_memory == ["brain"] * 4 + ["femur"] * 2


def test_the_markov_layer_is_the_products_own_filter():
    truth = ["other"] * 15 + ["brain"] * 45
    layer = list(decided(scan(truth), lambda: markov(LABELS, Temporal()), Temporal().enter, Temporal().leave, LABELS))
    shipped = list(as_shipped(LABELS, Temporal())(scan(truth)))
    assert layer == shipped
    assert shipped[-1] == "brain"


def test_a_frame_that_is_left_out_repeats_the_last_decision():
    truth = ["other"] * 15 + ["brain"] * 45
    found = list(as_shipped(LABELS, Temporal(), lambda i: i < 40)(scan(truth)))
    assert len(found) == 60
    assert set(found[40:]) == {found[39]}


def test_judging_tells_planes_that_were_never_named():
    truth = ["other"] * 30 + ["brain"] * 30
    found = judged([scan(truth)], lambda one: iter(["other"] * len(one.raw)))
    assert found["never_named"] == 1.0
    assert found["segment_f1"] == 0.0
    right = judged([scan(truth)], lambda one: iter(truth))
    assert (right["never_named"], right["segment_f1"], right["naming_delay_median_seconds"]) == (0.0, 1.0, 0.0)
