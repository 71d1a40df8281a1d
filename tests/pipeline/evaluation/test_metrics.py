import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as judge

from fetalstream.pipeline.evaluation.metrics import (
    auroc,
    confusion,
    exact_interval,
    fpr_at_tpr,
    in_top_k,
    label_codes,
    macro_f1,
    share,
    share_with_interval,
    with_interval,
)

LABELS = ["abdomen", "brain", "femur"]
labels = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from([*LABELS, "cervix"])), min_size=1, max_size=40)
scored = st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=2, max_size=40)


@given(labels)
def test_labels_are_judged_as_scikit_learn_judges_them(pairs):
    truth, told = (np.array(column) for column in zip(*pairs, strict=True))
    occurring = np.unique(truth)
    wanted = judge.f1_score(truth, told, labels=occurring, average="macro", zero_division=0)
    assert macro_f1(truth, told) == pytest.approx(wanted)
    assert share(truth == told) == pytest.approx(judge.accuracy_score(truth, told))
    assert macro_f1(*label_codes(truth, told)) == macro_f1(truth, told)
    table = confusion(truth, told)
    matrix = judge.confusion_matrix(truth, told, labels=[*LABELS, "cervix"])
    assert [[table.get(a, {}).get(b, 0) for b in (*LABELS, "cervix")] for a in (*LABELS, "cervix")] == matrix.tolist()


@given(scored)
def test_scores_are_judged_as_scikit_learn_judges_them(pairs):
    positive = np.array([each for each, _ in pairs])
    scores = np.array([float(score) for _, score in pairs])
    if positive.all() or not positive.any():
        assert auroc(scores, positive) is None
        assert fpr_at_tpr(scores, positive) is None
        return
    assert auroc(scores, positive) == pytest.approx(judge.roc_auc_score(positive, scores))
    false, true, _ = judge.roc_curve(positive, scores, drop_intermediate=False)
    assert fpr_at_tpr(scores, positive) == pytest.approx(false[true >= 0.95].min())


def test_the_likeliest_few():
    rng = np.random.default_rng(0)
    table = rng.random((60, 3))
    truth = np.array(LABELS)[rng.integers(0, 3, 60)]
    for k in (1, 2):
        assert share(in_top_k(truth, table, LABELS, k)) == pytest.approx(
            judge.top_k_accuracy_score(truth, table, k=k, labels=LABELS)
        )
    assert in_top_k(truth, table, LABELS, 3).all()
    assert not in_top_k(np.array(["cervix"]), table[:1], LABELS, 3).any()


def test_of_nothing_nothing_is_said():
    nothing = np.array([], dtype=np.str_)
    assert macro_f1(nothing, nothing) is None
    assert share(nothing == nothing) is None
    assert with_interval(lambda rows: None if not len(rows) else 1.0, []) == (None, None, None)


def test_an_interval_is_of_patients_not_of_pictures():
    rng = np.random.default_rng(1)
    patients = np.repeat(np.arange(20), 50).astype(str)
    right = np.repeat(rng.random(20) < 0.7, 50).astype(float)  # all pictures of a patient fare alike

    def mean(rows):
        return float(right[rows].mean())

    by_patient = with_interval(mean, patients)
    by_picture = with_interval(mean, np.arange(1000).astype(str))
    assert by_patient.value == by_picture.value == right.mean()
    assert by_patient.high - by_patient.low > 3 * (by_picture.high - by_picture.low)
    assert with_interval(mean, patients) == by_patient


@pytest.mark.parametrize(("hits", "trials"), [(0, 10), (10, 10), (1, 118), (409, 8187)])
def test_exact_intervals_are_those_of_clopper_and_pearson(hits, trials):
    judged = binomtest(hits, trials).proportion_ci(0.95, "exact")
    assert exact_interval(hits, trials) == pytest.approx((judged.low, judged.high), abs=1e-8)


def test_what_never_fails_is_no_certainty():
    groups = [str(row // 2) for row in range(60)]
    assert share_with_interval(np.ones(60, bool), groups) == pytest.approx((1.0, 1 - exact_interval(0, 30)[1], 1.0))
    assert share_with_interval(np.zeros(60, bool), groups) == pytest.approx((0.0, 0.0, exact_interval(0, 30)[1]))
    one = np.arange(60) > 0
    value, low, high = share_with_interval(one, groups)
    assert (value, low, high) == pytest.approx((59 / 60, 1 - exact_interval(1, 30)[1], 1 - exact_interval(1, 30)[0]))


def test_an_interval_holds_its_value_if_one_group_has_many_of_the_rows():
    rows = np.arange(60) >= 20
    groups = ["large"] * 20 + [str(row) for row in range(40)]
    value, low, high = share_with_interval(rows, groups)
    assert value == pytest.approx(2 / 3)
    assert low <= value <= high


def test_a_share_in_the_middle_is_resampled():
    rows = np.arange(60) % 2 == 0
    groups = [str(row) for row in range(60)]
    assert share_with_interval(rows, groups) == with_interval(lambda drawn: share(rows[drawn]), groups)
    assert share_with_interval(rows[:0], groups[:0]) == (None, None, None)
