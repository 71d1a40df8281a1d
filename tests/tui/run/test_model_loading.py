from importlib.metadata import version

import pytest

from fetalstream.pipeline.errors import ConfigError
from fetalstream.tui.run import model_loading
from fetalstream.tui.run.model_loading import load, model_state, versions
from fetalstream.tui.settings.settings import ModelSettings


def test_versions_are_those_of_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_loading, "_PACKAGES", ("numpy", "no-such-package"))
    found = versions()
    assert set(found) == {"python", "numpy"}
    assert found["numpy"] == version("numpy")


def test_what_the_state_says_of_the_bundled_model() -> None:
    said: list[str] = []
    state = model_state(load(ModelSettings(device="cpu", precision="fp32"), said.append))
    assert (state.name, state.weights_from, state.device, state.precision) == ("mini", "bundled", "cpu", "float32")
    assert state.calibrated is True
    assert all(len(each or "") == 64 for each in (state.weights_sha256, state.prompts_sha256))


def test_a_model_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown model 'nobody'"):
        load(ModelSettings(model="nobody"), print)
