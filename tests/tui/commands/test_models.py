from pathlib import Path

import pytest

import fetalstream.pipeline.model.loading
from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.model.loading import ModelStatus, VerifiedWeights
from fetalstream.tui.commands.models import pull, show_list, verify


def status(name, path):
    return ModelStatus(name, f"what {name} is", "MIT", None, f"repo/{name}", path)


@pytest.fixture(autouse=True)
def two_models(monkeypatch):
    here, away = status("here", Path("/models/here.pt")), status("away", None)

    def check(name, progress):
        progress(f"checking {name}")
        if name != "here":
            raise ModelError(f"weights of {name} are not here: run `fetalstream models pull {name}`")
        return VerifiedWeights(name, Path("/models/here.pt"), "ab" * 32, False, 12, 3_400_000)

    monkeypatch.setattr(fetalstream.pipeline.model.loading, "list_models", lambda: [here, away])
    monkeypatch.setattr(fetalstream.pipeline.model.loading, "pull", lambda name, progress: here)
    monkeypatch.setattr(fetalstream.pipeline.model.loading, "verify", check)


def test_the_list_says_what_is_here_and_how_to_get_the_rest(capsys):
    show_list()
    assert capsys.readouterr().out.splitlines() == [
        "MODEL  WEIGHTS                       CALIBRATED  LICENCE  WHAT IT IS",
        "here   here                          no          MIT      what here is",
        "away   fetalstream models pull away  no          MIT      what away is",
    ]


def test_only_what_is_here_is_checked_unless_named(capsys):
    assert verify([])
    said = capsys.readouterr().out
    assert said == "here: well; 12 tensors, 3.4 million numbers, SHA-256 abababababab… (recorded at first sight)\n"


def test_what_is_not_well_is_told_and_the_rest_is_checked_all_the_same(capsys):
    assert not verify(["away", "here"])
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("away: weights of away are not here")
    assert said[1].startswith("here: well")


def test_a_download_says_where_it_is_and_under_which_licence(capsys):
    pull("here")
    assert capsys.readouterr().out == "here: /models/here.pt\nlicence: MIT\n"
