import json

import msgspec
import numpy as np
import pytest

from fetalstream.pipeline import loaded_pipeline
from fetalstream.pipeline.errors import ConfigError, ModelError
from fetalstream.pipeline.inference.encoder import Item
from fetalstream.pipeline.loaded_pipeline import load_pipeline
from fetalstream.pipeline.model.model_file import write_model_file
from tests.pipeline.tiny import PROMPTS, tiny_config

WORDS = {"planes.json": dict(PROMPTS.planes), "subplanes.json": dict(PROMPTS.subplanes),
         "other.json": {"other": PROMPTS.other}, "gestation.json": {"templates": PROMPTS.gestation}}  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The user's cache, in a folder of the test's own."""
    monkeypatch.setattr(loaded_pipeline.platformdirs, "user_cache_path", lambda _: tmp_path / "cache")
    return tmp_path / "cache"


def prompts(folder, **changes):
    folder.mkdir()
    for name, words in {**WORDS, **changes}.items():
        (folder / name).write_text(json.dumps(words))
    return folder


@pytest.fixture
def model_file(tmp_path):
    """A tiny model's file, its prompts beside it."""
    prompts(tmp_path / "words")
    path = tmp_path / "tiny.toml"
    write_model_file(path, tiny_config(prompts="words", knows_gestation=True))
    return path


def load(model, **options):
    return load_pipeline(model, weights="random", device="cpu", precision="fp32", **options)


def test_all_parts_belong_to_one_model(model_file):
    pipeline = load(model_file)
    assert pipeline.model.config.name == pipeline.model_info.name == "tiny"
    assert pipeline.prompts.planes == PROMPTS.planes
    assert pipeline.banks.plane_labels == pipeline.model_info.planes == ("brain", "femur")
    assert pipeline.model_info.knows_gestation
    (outputs,) = pipeline.encoder.submit([Item(np.full((40, 60), 90, np.uint8))]).result()
    assert outputs.plane_cosines.shape == (2,)
    assert outputs.embedding @ pipeline.banks.planes[0] == pytest.approx(outputs.plane_cosines[0], abs=1e-5)


def test_a_prompts_folder_replaces_the_model_files(model_file, tmp_path):
    other = prompts(tmp_path / "others", **{"planes.json": {"heart": ["a beating heart"]}})
    pipeline = load(model_file, prompts=other)
    assert pipeline.model_info.planes == ("heart",)
    assert pipeline.prompts.sha256 != load(model_file).prompts.sha256


def test_sentences_are_kept_in_the_users_cache(model_file, cache):
    load(model_file)
    (kept,) = (cache / "sentences").iterdir()
    written_ns = kept.stat().st_mtime_ns
    load(model_file)
    assert [path.stat().st_mtime_ns for path in (cache / "sentences").iterdir()] == [written_ns]


def test_what_takes_long_is_reported_before_it_begins(model_file):
    lines = []
    load(model_file, progress=lines.append)
    assert lines == ["building tiny with random weights", "preparing the sentences"]


def test_a_model_that_does_not_exist_and_prompts_that_are_absent_are_one_line(model_file, tmp_path):
    with pytest.raises(ConfigError, match="unknown model 'gone': choose"):
        load_pipeline("gone")
    with pytest.raises(ConfigError, match="does not exist"):
        load(model_file, prompts=tmp_path / "absent")


def test_weights_that_are_absent_are_an_error_before_anything_is_built(model_file):
    lines = []
    with pytest.raises(ModelError, match=r"absent\.pt"):
        load_pipeline(model_file, device="cpu", progress=lines.append)
    assert lines == []


def test_ages_need_sentences_about_them(model_file, tmp_path):
    folder = prompts(tmp_path / "ageless")
    (folder / "gestation.json").unlink()
    pipeline = load(model_file, prompts=folder)
    assert not pipeline.model_info.knows_gestation
    assert msgspec.structs.asdict(pipeline.model.config)["knows_gestation"]
