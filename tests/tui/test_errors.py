"""What a person can mend is one line; everything else is called unexpected."""

import importlib
import inspect

import pytest

from fetalstream.pipeline import errors as pipeline_errors
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.errors import UserError as UserErrorBelow
from fetalstream.tui import cli, errors
from fetalstream.tui.commands import doctor
from fetalstream.tui.errors import UsageError, UserError
from tests.test_floor_plan import SOURCES


def test_the_tree_in_the_docstring_names_every_error_and_no_other() -> None:
    for name in SOURCES:
        if name.startswith(("streamer.errors", "pipeline.errors", "tui.")) and "run.web" not in name:
            importlib.import_module(f"fetalstream.{name}")

    def below(root: type[Exception]) -> set[type[Exception]]:
        return {root}.union(*(below(each) for each in root.__subclasses__()))

    found = {f"{each.__module__}.{each.__name__}".removeprefix("fetalstream.") for each in below(UserError)}
    found |= {f"{each.__module__}.{each.__name__}".removeprefix("fetalstream.") for each in below(UserErrorBelow)}
    found = {each for each in found if not each.startswith("tests.")}
    doc = inspect.getdoc(errors) or ""
    named = {line.split()[-1] if "──" in line and len(line.split()) == 2 else line.strip("├│└─ ").split()[0]
             for line in doc.partition("::")[2].splitlines() if line.strip()}  # fmt: skip
    assert named == found


@pytest.mark.parametrize(
    "error",
    [
        UserError("give another name"),
        SourceError("no such file", "clip.mp4"),
        pipeline_errors.ModelError("weights are not here"),
        pipeline_errors.DeviceFault("the card fell off the bus"),
    ],
)
def test_a_user_error_of_any_floor_is_its_own_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(_: object) -> int:
        raise error

    monkeypatch.setattr(doctor, "run", failing)
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().err == f"fetalstream: {error}\n"


def test_wrong_usage_is_code_2_after_the_usage_and_names_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(_: object) -> int:
        raise UsageError("give one or the other")

    monkeypatch.setattr(doctor, "run", failing)
    with pytest.raises(SystemExit) as ended:
        cli.main(["doctor"])
    assert ended.value.code == 2
    usage, *_, last = capsys.readouterr().err.splitlines()
    assert usage.startswith("usage: fetalstream")
    assert last == "fetalstream: error: doctor: give one or the other"


def test_a_file_error_names_the_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def failing(_: object) -> int:
        raise PermissionError(13, "Permission denied", "/root/x")

    monkeypatch.setattr(doctor, "run", failing)
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().err == "fetalstream: /root/x: Permission denied\n"


def test_an_interruption_is_a_failure_of_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "run", failing)
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().err == "fetalstream: interrupted\n"
