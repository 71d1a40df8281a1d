import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from fetalstream.pipeline.evaluation.phantom_scores import PhantomScores
from fetalstream.pipeline.evaluation.searching import average_precision, search_metrics
from fetalstream.pipeline.stream.questions import Question

AXES = np.eye(4, dtype=np.float32)
WHERE = {"femur": 0, "spine": 1, "other": 3}


def question(text):
    own = WHERE[text]
    return Question(text, AXES[own], np.delete(AXES, own, axis=0))


def scan(true, seen):
    """Each frame's vector points at what was ``seen``."""
    count = len(true)
    some = np.zeros(count)
    return PhantomScores(
        pts_seconds=np.arange(count) / 2, epoch=np.arange(count), spacing_mm=some, analysed=some > -1,
        embedding=AXES[[WHERE[label] for label in seen]], planes=some[:, None], subplanes=some[:, None], other=some,
        sharpness=some, contrast=some, steadiness=some, true_plane=np.array(true), true_subplane=np.array(true),
        true_label=np.array(true), in_plane=some, gestation_days=some,
    )  # fmt: skip


def test_average_precision_is_scikit_learns():
    rng = np.random.default_rng(2)
    scores, relevant = rng.normal(size=60), rng.random(60) < 0.3
    assert average_precision(scores.tolist(), relevant.tolist()) == pytest.approx(
        average_precision_score(relevant, scores)
    )


def test_a_sentence_that_finds_its_plane_first_and_one_that_does_not():
    sentences = {"femur": "femur", "spine": "spine", "kidney": "femur"}  # no scan shows the kidney: it is not asked
    true = ["femur", "", "other", "spine", "other"]
    good = search_metrics({1: scan(true, ["femur", "femur", "other", "spine", "other"])}, question, sentences)
    assert (good["mean_average_precision"].value, good["first_right"].value) == (1.0, 1.0)
    bad = search_metrics({1: scan(true, ["femur", "femur", "spine", "other", "other"])}, question, sentences)
    assert bad["first_right"].value == 0.5
    assert bad["mean_average_precision"].value == pytest.approx((1 + 1 / 3) / 2)
