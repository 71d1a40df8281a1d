from types import SimpleNamespace

from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.model_info import model_info_of
from fetalstream.pipeline.readout.openset import Rejector
from fetalstream.pipeline.readout.temporal import Temporal


def model_info(config, *, has_gestation=True):
    model = SimpleNamespace(config=config, image_size=224)
    banks = SimpleNamespace(plane_labels=("a", "b"), subplane_labels=(), has_gestation=has_gestation)
    return model_info_of(model, banks)


def test_what_a_model_file_does_not_say_is_as_for_any_model():
    config = load_model_config("clip")
    found = model_info(config)
    assert (found.name, found.planes, found.image_size) == ("clip", ("a", "b"), 224)
    if config.temporal is None and config.open_set is None:
        assert found.temporal == Temporal()
        assert found.rejector.weights == Rejector().weights
    assert found.calibrated == (config.calibrated_on is not None)


def test_ages_need_a_model_that_knows_them_and_sentences_that_ask():
    config = load_model_config("fetalclip")
    assert model_info(config).knows_gestation
    assert not model_info(config, has_gestation=False).knows_gestation
