import sys
from collections.abc import Callable, Sequence

import pytest

from fetalstream.tui import cli
from fetalstream.tui.commands import watch as module
from fetalstream.tui.run import supervised_run
from fetalstream.tui.run.supervised_run import DashboardOptions


def test_a_browser_gets_the_same_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    web = pytest.importorskip("fetalstream.tui.run.web", reason="the extra [web] is not installed")
    served: list[tuple[Sequence[str], int]] = []
    monkeypatch.setattr(web, "serve", lambda arguments, _say, port: served.append((arguments, port)))
    assert cli.main(["watch", "tcp://127.0.0.1:5557", "--web", "8080", "--read-only", "--protocol", "p.toml"]) == 0
    assert cli.main(["watch", "--web"]) == 0
    assert served == [
        (["watch", "tcp://127.0.0.1:5557", "--read-only", "--protocol", "p.toml"], 8080),
        (["watch"], 0),
    ]


def test_without_the_extra_the_browser_is_refused_with_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "fetalstream.tui.run.web", raising=False)
    monkeypatch.delattr("fetalstream.tui.run.web", raising=False)
    assert cli.main(["watch", "--web"]) == 1
    assert capsys.readouterr().err.rstrip().endswith("is missing: pip install 'fetalstream[web]'")


def test_on_a_terminal_the_dashboard_is_shown_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str | None, DashboardOptions]] = []

    def watch(endpoint: str | None, look: DashboardOptions, stop_orphan: Callable[[], bool]) -> None:
        shown.append((endpoint, look))
        assert not stop_orphan()

    monkeypatch.setenv("TEXTUAL_DRIVER", "a browser")
    monkeypatch.setattr(supervised_run, "watch", watch)
    assert cli.main(["watch", "--read-only"]) == 0
    assert shown == [(None, DashboardOptions(None, True, "auto"))]


@pytest.mark.parametrize(("answer", "stops"), [("y", True), (" YES ", True), ("n", False), ("", False)])
def test_an_orphan_is_stopped_only_after_a_yes(
    answer: str, stops: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert module._stops_orphan() is stops
    assert "own foreground is gone" in capsys.readouterr().err
