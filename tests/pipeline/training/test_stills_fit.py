from dataclasses import replace

import numpy as np
import pytest

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.readout.openset import Rejector
from fetalstream.pipeline.training.stills_fit import LabelledStills, calibrated_config, fit_open_set

PLANES = ("abdomen", "brain", "femur")


def stills(seed=0, *, other_helps=True, without=None):
    """40 patients of ten pictures each: a third of "other", which its own sentences or the margin tell apart."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([*(plane for plane in PLANES if plane != without), "other"], 400)
    cosines = rng.normal(0.1, 0.01, (400, 3))
    for column, plane in enumerate(PLANES):
        cosines[labels == plane, column] += 0.06
    other = rng.normal(0.1, 0.01, 400) + (0.08 * (labels == "other") if other_helps else 0)
    return LabelledStills(labels, np.repeat(np.arange(40), 10).astype(str), PLANES, cosines, other)


def test_no_patient_is_in_both_halves_and_the_point_is_that_of_the_other_half():
    data = stills()
    found = fit_open_set(data)
    assert not set(data.patients[found.fitted_on]) & set(data.patients[found.judged_on])
    assert (found.fitted_on ^ found.judged_on).all()
    rest = data.select(found.judged_on)
    rejector = Rejector.of(found.open_set, PLANES)
    inside = np.array([rejector.probabilities(*each)[-1] < 0.5 for each in zip(rest.cosines, rest.other, strict=True)])
    point = found.open_set.operating_point
    assert point.true_positive_rate == pytest.approx(inside[rest.labels != "other"].mean(), abs=1e-4)
    assert point.false_positive_rate == pytest.approx(inside[rest.labels == "other"].mean(), abs=1e-4)
    assert point.true_positive_rate > 0.95 > 0.05 > point.false_positive_rate


def test_what_does_not_help_gets_little_weight():
    by_sentences, by_margin = fit_open_set(stills()).open_set, fit_open_set(stills(other_helps=False)).open_set
    assert by_sentences.background > by_margin.background
    assert by_margin.operating_point.true_positive_rate > 0.9
    unknown = fit_open_set(replace(stills(), other=None)).open_set
    assert unknown.background == 0


def test_planes_that_are_not_in_the_pictures_leave_similarity_out():
    found = fit_open_set(stills(without="femur")).open_set
    assert found.similarity == 0
    assert found.typical == {}


def test_without_both_kinds_in_both_halves_nothing_is_fitted():
    data = stills()
    with pytest.raises(ConfigError, match="both halves"):
        fit_open_set(data.select(data.labels != "other"))
    with pytest.raises(ConfigError, match="both halves"):
        fit_open_set(data.select(data.patients == "3"))
    rng = np.random.default_rng(1)
    noise = replace(data, cosines=np.sort(rng.normal(0.1, 1e-4, (400, 3))), other=None)
    noise.cosines[data.labels == "other", 2] += 0.05  # sure of what shows nothing
    with pytest.raises(ConfigError, match="nothing that this model says"):
        fit_open_set(noise)


def test_the_model_file_says_what_is_from_where(tmp_path):
    data = stills()
    found = fit_open_set(data)
    weights = tmp_path / "w.pt"
    config = calibrated_config(load_model_config("fetalclip"), found, data, "OWN", prompts=None, weights=weights)
    assert (config.weights.path, config.weights.repo) == (str(weights), None)
    assert config.calibrated
    assert "OWN, 200 pictures of 20 patients, operating point on 200 pictures of 20 patients" in config.calibrated_on
    assert config.calibrated_on.endswith("all else: not fitted")
    assert config.temporal is None
    own = calibrated_config(load_model_config("unimedclip"), found, data, "OWN", prompts=None, weights=None)
    assert own.weights.path.startswith("/")
    assert own.weights.path.endswith("unimed_clip_vit_b16.pt")
    kept = calibrated_config(load_model_config("mini"), found, data, "OWN", prompts=str(tmp_path), weights=None)
    assert kept.prompts == str(tmp_path.resolve())
    assert "phantom seeds" in kept.calibrated_on
