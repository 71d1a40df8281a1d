import sys

import pytest

from fetalstream.tui.commands.terminal import dashboard_of, on_terminal, require_terminal
from fetalstream.tui.run.foreground import RunFailed
from fetalstream.tui.run.supervised_run import DashboardOptions
from tests.tui.commands.parsing import parsed

STREAMS = ("stdin", "stdout", "stderr")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    for name in STREAMS:
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda: True, raising=False)


@pytest.mark.usefixtures("terminal")
def test_a_terminal_needs_all_three_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    assert on_terminal()
    require_terminal("watch")
    for name in STREAMS:
        with monkeypatch.context() as patch:
            patch.setattr(getattr(sys, name), "isatty", lambda: False, raising=False)
            assert not on_terminal()
            with pytest.raises(RunFailed, match="watch draws on a terminal, and this is none"):
                require_terminal("watch")


def test_a_browser_stands_for_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    monkeypatch.setenv("TEXTUAL_DRIVER", "textual_serve:WebDriver")
    assert on_terminal()


def test_the_dashboard_gets_what_was_asked_for() -> None:
    options = parsed("watch", "--protocol", "isuog-midtrimester", "--pictures", "blocks")
    assert dashboard_of(options, read_only=True) == DashboardOptions("isuog-midtrimester", True, "blocks")
    assert dashboard_of(parsed("replay", "session")) == DashboardOptions()
