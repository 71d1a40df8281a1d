import json
from types import SimpleNamespace
from typing import Any

import pytest

from fetalstream.pipeline.evaluation import precision
from fetalstream.pipeline.model import precision_cache
from fetalstream.tui import cli
from fetalstream.tui.commands import models_parity as module
from fetalstream.tui.settings.settings import ModelSettings


class Found(SimpleNamespace):
    def to_dict(self) -> dict[str, Any]:
        return {"model": self.model, "reasons": list(self.reasons)}


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Stands for both models and for the comparison; ``reasons`` speak against the precision."""
    double = SimpleNamespace(reasons=(), loaded=[], frames=[], remembered=[])

    def load(settings: ModelSettings, _say: object) -> Any:
        double.loaded.append((settings.precision, settings.device))
        return SimpleNamespace(model=SimpleNamespace(weights_sha256="ab"))

    def compare(_reference: object, _candidate: object, frames: Any) -> Found:
        double.frames = [frame.index for frame in frames]
        return Found(
            model="mini", precision="bf16", device="cpu", frames=len(double.frames), centred_cosine=0.9999,
            top1_agreement=0.99, largest_probability_change=0.02, median_age_change_days=None, reasons=double.reasons,
        )  # fmt: skip

    monkeypatch.setattr(module, "load", load)
    monkeypatch.setattr(precision, "compare", compare)
    monkeypatch.setattr(
        precision, "precision_result_of", lambda found, sha256: (found.precision, sha256, found.reasons)
    )
    monkeypatch.setattr(precision_cache, "save", double.remembered.append)
    return double


def test_a_precision_that_agrees_may_be_used_and_is_remembered(
    compared: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["models", "parity", "--precision", "bf16", "--frames", "12", "--device", "cpu"]) == 0
    assert compared.loaded == [("fp32", "cpu"), ("bf16", "cpu")]
    assert compared.remembered == [("bf16", "ab", ())]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "mini in bf16 on cpu against float32, 12 frames"
    assert lines[-1] == "It may be used."
    assert any(line.endswith("not compared") for line in lines)


def test_a_precision_that_fails_is_an_exit_code_and_its_reasons(
    compared: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    compared.reasons = ("features differ", "planes differ")
    assert cli.main(["models", "parity", "--frames", "1"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "auto will not use it: features differ; planes differ."


def test_programs_get_one_line(compared: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "parity", "--frames", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"model": "mini", "reasons": []}


def test_without_a_source_ten_phantoms_take_turns(compared: SimpleNamespace) -> None:
    assert cli.main(["models", "parity", "--frames", "21"]) == 0
    assert compared.frames == [0] * 10 + [module.EVERY] * 10 + [2 * module.EVERY]


def test_given_sources_are_read_instead(compared: SimpleNamespace) -> None:
    assert cli.main(["models", "parity", "phantom:3", "--frames", "3"]) == 0
    assert compared.frames == [0, 1, 2]
