import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.prompts import gestation_sentence, load_prompts
from fetalstream.pipeline.readout.gestation import GRID_DAYS

PLANES = ["abdomen", "brain", "femur", "heart", "kidney", "lips_nose", "profile_patient", "spine", "cervix"]


def write(folder, **files):
    for name, content in files.items():
        (folder / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def test_the_set_that_comes_with_the_product():
    prompts = load_prompts("fetal")
    assert list(prompts.planes) == PLANES
    assert list(prompts.subplanes) == ["trans-thalamic", "trans-cerebellum", "trans-ventricular"]
    assert {len(each) for each in (*prompts.planes.values(), *prompts.subplanes.values())} == {5}
    assert len(prompts.other) == len(prompts.gestation) == 5
    everything = [s for group in (*prompts.planes.values(), *prompts.subplanes.values(), prompts.other) for s in group]
    assert len(set(everything)) == len(everything)


def test_every_sentence_fits_forty_tokens_and_the_spacing_comes_late():
    prompts = load_prompts("fetal")
    sentences = [s for group in (*prompts.planes.values(), *prompts.subplanes.values(), prompts.other) for s in group]
    sentences += [gestation_sentence(t, d, 12.34) for t in prompts.gestation for d in (GRID_DAYS[0], GRID_DAYS[-1])]
    tokens = openclip.tokenizer("ViT-B-32")(sentences)
    assert int((tokens != 0).sum(dim=1).max()) <= 40
    for template in prompts.gestation:
        assert template.index("{spacing}") > template.index("{days}") > template.index("{weeks}")


def test_a_sentence_says_weeks_days_and_two_decimals():
    assert gestation_sentence("{weeks}w{days}d at {spacing}", 143, 0.5) == "20w3d at 0.50"


@given(st.sampled_from([int(day) for day in GRID_DAYS]))
def test_weeks_and_days_add_up(day):
    weeks, days = gestation_sentence("{weeks} {days} {spacing}", day, 0.1).split()[:2]
    assert int(weeks) * 7 + int(days) == day
    assert int(days) < 7


def test_only_planes_are_needed(tmp_path):
    prompts = load_prompts(write(tmp_path, planes={"brain": ["a head"]}))
    assert prompts.planes == {"brain": ("a head",)}
    assert (prompts.subplanes, prompts.other, prompts.gestation) == ({}, (), ())


def test_the_sum_is_of_the_sentences_and_not_of_white_space(tmp_path):
    first = load_prompts(write(tmp_path, planes={"a": ["x"], "b": ["y"]})).sha256
    assert load_prompts(write(tmp_path, planes='{ "a" : ["x"],\n "b": ["y"] }')).sha256 == first
    assert load_prompts(write(tmp_path, planes={"b": ["y"], "a": ["x"]})).sha256 != first
    assert load_prompts(write(tmp_path, planes={"a": ["x"], "b": ["z"]})).sha256 != first


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no planes.json"),
        ({"planes": "{"}, "planes.json cannot be read"),
        ({"planes": {"brain": "not a list"}}, "cannot be read"),
        ({"planes": {"brain": []}}, "'brain' needs at least one sentence"),
        ({"planes": {"brain": ["  "]}}, "'brain' needs at least one sentence"),
        ({"planes": {"brain": ["a"], "other": ["b"]}}, "'other' stands for no plane"),
        ({"planes": {"brain": ["a"]}, "subplanes": {"other": ["b"]}}, "'other' stands for no plane"),
        ({"planes": {"brain": [str(each) for each in range(10_001)]}}, "10001 sentences: give 10000 at most"),
        ({"planes": {"brain": ["a"]}, "other": {"others": ["b"]}}, "must have the one key 'other'"),
        ({"planes": {"brain": ["a"]}, "gestation": {"templates": ["{weeks} {days}"]}}, "lacks {spacing}"),
        ({"planes": {"brain": ["a"]}, "gestation": {"templates": ["{weeks} {days} {spacing} {age}"]}}, "other than"),
        ({"planes": {"brain": ["a"]}, "gestation": {"templates": ["{weeks"]}}, "other than"),
    ],
)
def test_a_bad_folder_is_refused_in_one_line(tmp_path, files, says):
    with pytest.raises(ConfigError) as refused:
        load_prompts(write(tmp_path, **files))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_not_there():
    with pytest.raises(ConfigError, match="does not exist"):
        load_prompts("no-such-prompts")
