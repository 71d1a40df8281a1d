from types import SimpleNamespace

import pytest

from fetalstream.pipeline.model.config import GestationConstants, load_model_config
from fetalstream.pipeline.model.model_info import model_info_of
from fetalstream.pipeline.readout.openset import OpenSet, Rejector
from fetalstream.pipeline.readout.temporal import Temporal
from tests.pipeline.tiny import tiny_config


def model_info(config, *, has_gestation=True):
    model = SimpleNamespace(config=config, image_size=224)
    banks = SimpleNamespace(plane_labels=("a", "b"), subplane_labels=("c",), has_gestation=has_gestation)
    return model_info_of(model, banks)


def test_labels_come_from_the_prompts_and_the_name_from_the_model_file():
    found = model_info(tiny_config())
    assert (found.name, found.planes, found.subplanes, found.image_size) == ("tiny", ("a", "b"), ("c",), 224)


def test_defaults_stand_in_for_constants_that_the_model_file_lacks():
    found = model_info(tiny_config(temporal=None, open_set=None, gestation=None))
    assert not found.calibrated
    assert found.temporal == Temporal()
    assert found.rejector.weights == Rejector().weights
    assert (found.half_widths, found.shared) == (None, None)


def test_constants_of_the_model_file_are_taken_over():
    found = model_info(
        tiny_config(
            calibrated_on="phantoms",
            temporal={"dwell_seconds": 7.0},
            open_set={"margin": 3.0, "typical": {"a": 20.0, "b": 25.0}},
            gestation={"half_widths": [[0.0, 6.0], [150.0, 8.5]], "shared": 0.25},
        )
    )
    assert found.calibrated
    assert found.temporal == Temporal(dwell_seconds=7.0)
    wanted = Rejector.of(OpenSet(margin=3.0, typical={"a": 20.0, "b": 25.0}), ("a", "b"))
    assert found.rejector.weights == wanted.weights != Rejector().weights
    assert (found.half_widths, found.shared) == (((0.0, 6.0), (150.0, 8.5)), 0.25)


def test_a_share_of_the_variance_is_never_more_than_all_of_it():
    assert GestationConstants(half_widths=((0.0, 6.0),), shared=1.0).shared == 1.0
    with pytest.raises(ValueError, match="<= 1"):
        tiny_config(gestation={"half_widths": [[0.0, 6.0]], "shared": 1.1})


def test_ages_need_a_model_that_knows_them_and_sentences_that_ask():
    config = load_model_config("fetalclip")
    assert model_info(config).knows_gestation
    assert not model_info(config, has_gestation=False).knows_gestation
    assert not model_info(tiny_config(knows_gestation=False)).knows_gestation
