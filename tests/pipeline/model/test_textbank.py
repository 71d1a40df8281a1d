from dataclasses import replace

import numpy as np
import pytest
import torch

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.model import textbank
from fetalstream.pipeline.model.prompts import gestation_sentence
from fetalstream.pipeline.model.textbank import BuildCancelled, TextBanks
from fetalstream.pipeline.readout.gestation import GRID_DAYS
from tests.pipeline.tiny import PROMPTS, tiny_model

DAYS = GRID_DAYS[::25]


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(autouse=True)
def few_days(monkeypatch):
    monkeypatch.setattr(textbank, "GRID_DAYS", DAYS)


def unit(model, sentences) -> np.ndarray:
    with torch.inference_mode():
        return model.clip.encode_text(model.tokenizer(sentences), normalize=True).numpy()


def no_encoding(monkeypatch):
    monkeypatch.setattr(textbank.openclip, "encode_text", lambda *_: pytest.fail("sentences were encoded again"))


def test_planes_are_normalised_averaged_and_normalised_again(model):
    banks = TextBanks(model, PROMPTS, None)
    assert banks.plane_labels == ("brain", "femur")
    mean = unit(model, ["a head", "a skull"]).mean(axis=0)
    np.testing.assert_allclose(banks.planes[0], mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_allclose(banks.subplanes, unit(model, ["two thalami"]), atol=1e-5)
    np.testing.assert_allclose(banks.other, unit(model, ["nothing to see"])[0], atol=1e-5)


def test_ages_are_averaged_over_templates_and_not_normalised(model):
    bank = TextBanks(model, PROMPTS, None).gestation(0.4567)
    sentences = [[gestation_sentence(t, day, 0.46) for day in DAYS] for t in PROMPTS.gestation]
    wanted = np.mean([unit(model, each) for each in sentences], axis=0)
    assert bank.shape == (len(DAYS), 16)
    np.testing.assert_allclose(bank, wanted, atol=5e-4)  # half precision on disk
    assert np.linalg.norm(bank, axis=1).max() < 0.9999
    assert not bank.flags.writeable


def test_prompts_without_the_optional_files(model):
    banks = TextBanks(model, replace(PROMPTS, subplanes={}, other=(), gestation=()), None)
    assert banks.subplanes.shape == (0, 16)
    assert banks.other is None
    assert not banks.has_gestation
    with pytest.raises(ModelError, match=r"gestation.json"):
        banks.gestation(0.5)


def test_a_second_start_reads_what_the_first_one_built(model, tmp_path, monkeypatch):
    first = TextBanks(model, PROMPTS, tmp_path)
    bank = first.gestation(0.5)
    no_encoding(monkeypatch)
    second = TextBanks(model, PROMPTS, tmp_path)
    np.testing.assert_array_equal(second.planes, first.planes)
    np.testing.assert_array_equal(second.gestation(0.501), bank)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("changed", ["weights", "prompts", "spacing"])
def test_another_model_prompts_or_spacing_is_another_bank(model, tmp_path, changed):
    TextBanks(model, PROMPTS, tmp_path).gestation(0.5)
    files = len(list(tmp_path.iterdir()))
    other_model = replace(model, weights_sha256="f" * 64) if changed == "weights" else model
    prompts = replace(PROMPTS, sha256="1" * 64) if changed == "prompts" else PROMPTS
    TextBanks(other_model, prompts, tmp_path).gestation(0.51 if changed == "spacing" else 0.5)
    assert len(list(tmp_path.iterdir())) == files + (1 if changed == "spacing" else 2)


@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(b""), lambda p: p.write_bytes(p.read_bytes()[:-40])])
def test_a_damaged_file_is_built_again(model, tmp_path, damage):
    banks = TextBanks(model, PROMPTS, tmp_path)
    bank = banks.gestation(0.5)
    for file in tmp_path.iterdir():
        damage(file)
    again = TextBanks(model, PROMPTS, tmp_path)
    np.testing.assert_array_equal(again.planes, banks.planes)
    np.testing.assert_array_equal(again.gestation(0.5), bank)


def test_a_cache_that_cannot_be_written_is_no_error(model, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert TextBanks(model, PROMPTS, blocked / "cache").gestation(0.5).shape == (len(DAYS), 16)


def test_a_bank_may_be_given_up_and_is_whole_the_next_time(model):
    banks = TextBanks(model, PROMPTS, None)
    answers = iter([False, True])
    with pytest.raises(BuildCancelled):
        banks.gestation(0.5, lambda: next(answers))
    np.testing.assert_array_equal(banks.gestation(0.5), TextBanks(model, PROMPTS, None).gestation(0.5))


@pytest.mark.parametrize("spacings", [(0.5, 0.52, 1.37, 0.5), (0.91, 0.99, 0.08)])
def test_one_spacing_after_another_is_as_exact_as_the_first(model, spacings):
    banks = TextBanks(model, PROMPTS, None)
    for spacing in spacings:
        sentences = [[gestation_sentence(t, day, spacing) for day in DAYS] for t in PROMPTS.gestation]
        wanted = np.mean([unit(model, each) for each in sentences], axis=0)
        np.testing.assert_allclose(banks._found_or_built("", spacing, lambda: False), wanted, atol=5e-4)
        got = np.mean([banks._days(template, spacing) for template in PROMPTS.gestation], axis=0)
        np.testing.assert_allclose(got, wanted, atol=1e-5)
