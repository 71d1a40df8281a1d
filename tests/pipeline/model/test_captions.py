import itertools
import string

import pytest

from fetalstream.pipeline.model.captions import AGE_TEMPLATES, CAPTION_TEMPLATES, PLANE_NAMES
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.prompts import gestation_sentence, load_prompts
from fetalstream.pipeline.wire import OTHER


@pytest.fixture(scope="module")
def prompts():
    return load_prompts(load_model_config("mini").prompts_folder)


def test_every_label_of_the_prompts_has_names(prompts):
    assert {*prompts.planes, *prompts.subplanes, OTHER} <= set(PLANE_NAMES)
    assert all(len(names) >= 3 for names in PLANE_NAMES.values())


def test_no_name_stands_for_two_planes():
    names = [name for names in PLANE_NAMES.values() for name in names]
    assert len(names) == len(set(names))


def test_captions_of_different_names_differ_in_every_template():
    captions = [template.format(name) for names in PLANE_NAMES.values() for name in names
                for template in CAPTION_TEMPLATES]  # fmt: skip
    assert len(captions) == len(set(captions))
    assert not any("{" in caption for caption in captions)


@pytest.mark.parametrize("template", CAPTION_TEMPLATES)
def test_a_caption_template_has_one_place_for_a_name(template):
    assert [field for _, field, _, _ in string.Formatter().parse(template) if field is not None] == [""]


@pytest.mark.parametrize("template", AGE_TEMPLATES)
def test_an_age_template_takes_the_fields_of_the_products_own(template, prompts):
    sentence = gestation_sentence(template, 20 * 7 + 3, 0.5)
    assert "20" in sentence
    assert "3" in sentence
    assert "0.50" in sentence
    assert template not in prompts.gestation


def test_sentences_for_neighbouring_days_differ():
    for template, day in itertools.product(AGE_TEMPLATES, range(98, 272)):
        assert gestation_sentence(template, day, 0.5) != gestation_sentence(template, day + 1, 0.5)
