from fetalstream.tui.settings.chosen_model import chosen_model, given
from fetalstream.tui.settings.settings import ModelSettings, RunSettings
from tests.tui.commands.parsing import parsed


def test_only_what_was_given_replaces_the_settings() -> None:
    settings = RunSettings(model="clip", record="/data")
    assert given(settings, record=None, pub="tcp://127.0.0.1:5556") == RunSettings(
        model="clip", record="/data", pub="tcp://127.0.0.1:5556"
    )
    assert given(settings, record="") == RunSettings(model="clip", record="")


def test_the_models_options_are_laid_over_the_settings_of_a_file() -> None:
    settings = RunSettings(model="clip", weights="own.pt", embeddings=True)
    assert chosen_model(parsed("demo"), settings) == settings
    assert chosen_model(parsed("demo", "--model", "mini", "--device", "cpu"), settings) == RunSettings(
        model="mini", weights="own.pt", device="cpu", embeddings=True
    )
    assert chosen_model(parsed("bench", "--precision", "fp32"), ModelSettings()).precision == "fp32"
