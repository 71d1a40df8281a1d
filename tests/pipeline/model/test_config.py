import pytest

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.model import config as config_module
from fetalstream.pipeline.model.config import load_model_config, model_names

MINIMAL = """
name = "own"
description = "own"
licence = "MIT"
architecture = "ViT-B-32"
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]
causal_text = true
"""
WEIGHTS = '[weights]\npath = "own.pt"\n'


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    folder = tmp_path / "own-models"
    monkeypatch.setattr(config_module, "user_models_folder", lambda: folder)
    return folder


def write(folder, text, name="own.toml"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize("name", ["mini", "fetalclip", "mobilefetalclip", "clip", "biomedclip", "unimedclip"])
def test_the_models_that_come_with_the_product(name):
    config = load_model_config(name)
    assert config.name == name
    assert config.prompts_folder == "fetal"
    assert config.folder == ""
    assert config.calibrated == (config.calibrated_on is not None)


def test_a_users_file_hides_the_packaged_one(own_folder):
    write(own_folder, MINIMAL.replace('"own"', '"mini"', 1) + WEIGHTS, "mini.toml")
    assert load_model_config("mini").description == "own"
    assert load_model_config("mini").folder == str(own_folder)
    assert model_names().count("mini") == 1


def test_a_path_and_what_is_relative_to_it(tmp_path):
    (tmp_path / "sentences").mkdir()
    config = load_model_config(write(tmp_path, MINIMAL.replace("causal", 'prompts = "sentences"\ncausal') + WEIGHTS))
    assert config.prompts_folder == str(tmp_path / "sentences")
    assert config.folder == str(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not toml at all", "own.toml"),
        ("a = " + "[" * 100_000, "own.toml"),
        (MINIMAL, "weights"),
        (MINIMAL + WEIGHTS + "colour = 1\n", "colour"),
        (MINIMAL + "[weights]\n", "exactly one of bundled, path and repo"),
        (MINIMAL + WEIGHTS + 'repo = "a/b"\nfile = "c"\n', "exactly one"),
        (MINIMAL + '[weights]\nrepo = "a/b"\n', "belong together"),
        (MINIMAL + WEIGHTS + 'sha256 = "abc"\n', "sha256"),
        (MINIMAL.replace("0.5, 0.5]\nstd = [0.5", "0.5, 0.5]\nstd = [0.0") + WEIGHTS, "std"),
        (MINIMAL.replace("[0.5, 0.5, 0.5]", "[0.5, 0.5]", 1) + WEIGHTS, "mean"),
        (MINIMAL.replace("0.5", "nan", 1) + WEIGHTS, "finite"),
        (MINIMAL.replace('"own"', '"My Model"', 1) + WEIGHTS, "lower-case"),
        (MINIMAL + WEIGHTS + "[temporal]\nenter = 0.4\nleave = 0.6\n", "leave"),
        (MINIMAL + WEIGHTS + "[gestation]\nhalf_widths = [[100.0, 5.0], [90.0, 6.0]]\n", "growing"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_names_the_field(tmp_path, text, says):
    with pytest.raises(ConfigError) as refused:
        load_model_config(write(tmp_path, text))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_model_names_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown model 'minni': choose .*mini.* path to a .toml"):
        load_model_config("minni")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        load_model_config(tmp_path / "none.toml")
