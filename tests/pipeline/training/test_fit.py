import msgspec
import numpy as np
import pytest

from fetalstream.pipeline.evaluation.phantom_scores import PhantomScores
from fetalstream.pipeline.readout.openset import OpenSet, Rejector
from fetalstream.pipeline.readout.temporal import Temporal
from fetalstream.pipeline.training.fit import (
    as_toml,
    decision_outcome,
    fit_weights,
    parse_seeds,
    raw_probabilities,
    well_hit,
    with_threshold,
)

PLANES = ("abdomen", "brain", "femur")


def scan(seed, *, known_by="background"):
    """Ten seconds: other, brain, other, abdomen, femur, two seconds each, told apart by ``known_by``."""
    rng = np.random.default_rng(seed)
    true = np.repeat(["other", "brain", "other", "abdomen", "femur"], 60)
    inside = true != "other"
    planes = rng.normal(0, 0.005, (300, 3))
    planes[true == "brain", 1] += 0.06
    planes[true == "abdomen", 0] += 0.04
    planes[true == "femur", 2] += 0.04
    other = np.where(inside, 0.0, 0.05) if known_by == "background" else np.zeros(300)
    names = np.where(inside, true, "")
    return PhantomScores(
        pts_seconds=np.arange(300) / 30, epoch=np.zeros(300, int), spacing_mm=np.full(300, 0.2),
        analysed=np.ones(300, bool), embedding=np.zeros((300, 4)), planes=planes,
        subplanes=np.zeros((300, 1)), other=other + rng.normal(0, 0.005, 300), sharpness=np.ones(300),
        contrast=np.ones(300), steadiness=np.ones(300), true_plane=names, true_subplane=names, true_label=true,
        in_plane=inside.astype(float), gestation_days=np.full(300, 150.0),
    )  # fmt: skip


def test_what_tells_planes_from_other_gets_the_weight():
    by_sentences = fit_weights([scan(0)], PLANES)
    assert by_sentences.margin < 0.5
    assert by_sentences.typical["brain"] == pytest.approx(6.0, abs=0.3)
    without = fit_weights([scan(0, known_by="margin")], PLANES)
    assert max(without.margin, without.similarity) > by_sentences.margin


def test_the_operating_point_is_that_of_the_threshold():
    low = with_threshold(OpenSet(typical=dict.fromkeys(PLANES, 5.0)), -20.0, [scan(1)]).operating_point
    fair = with_threshold(OpenSet(typical=dict.fromkeys(PLANES, 5.0)), 0.0, [scan(1)]).operating_point
    assert (low.true_positive_rate, low.false_positive_rate) == (1.0, 1.0)
    assert fair.true_positive_rate > 0.95
    assert fair.false_positive_rate < 0.05


def test_a_well_hit_plane_is_what_one_frame_in_a_hundred_exceeds():
    plain = OpenSet()
    scores = scan(4)
    odds = -np.log(1 / (1 - raw_probabilities(scores, Rejector()).raw[:, -1]) - 1)
    shown = odds[scores.true_label != "other"]
    assert np.mean(shown > well_hit(plain, [scores], PLANES)) == pytest.approx(0.01, abs=0.01)


def test_decisions_are_those_of_the_products_own_stage():
    outcome = decision_outcome([raw_probabilities(scan(2), Rejector())], (*PLANES, "other"), Temporal())
    assert (outcome.matched, outcome.decided, outcome.true) == (3, 3, 3)
    assert outcome.metrics()["other_recall"] == 1.0


def test_what_is_printed_is_what_a_model_file_reads():
    open_set = with_threshold(fit_weights([scan(3)], PLANES), 0.5, [scan(3)])
    open_set = msgspec.structs.replace(open_set, well_hit=well_hit(open_set, [scan(3)], PLANES))
    read = msgspec.toml.decode(as_toml(open_set, Temporal(dwell_seconds=2.5), "test"))
    assert msgspec.convert(read["open_set"], OpenSet) == open_set
    assert msgspec.convert(read["temporal"], Temporal) == Temporal(dwell_seconds=2.5)
    assert read["calibrated_on"] == "test"


def test_seeds_for_evaluation_are_refused():
    assert parse_seeds("1900010-1900012,1900020") == [1900010, 1900011, 1900012, 1900020]
    with pytest.raises(ValueError, match="evaluation"):
        parse_seeds("999999")
