from pathlib import Path

import pytest

from fetalstream.tui import cli
from fetalstream.tui.run import supervised_run
from fetalstream.tui.run.supervised_run import DashboardOptions


@pytest.fixture(autouse=True)
def browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_DRIVER", "a browser")


def test_the_session_is_shown_with_the_views_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[Path, DashboardOptions]] = []
    monkeypatch.setattr(supervised_run, "replay", lambda *given: shown.append(given))
    assert cli.main(["replay", "a session", "--protocol", "fasp-20-week"]) == 0
    assert shown == [(Path("a session"), DashboardOptions("fasp-20-week"))]


def test_a_folder_that_is_no_session_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["replay", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"fetalstream: {tmp_path} is no session: give a folder that holds session.db"
