from pathlib import Path

import pytest

from fetalstream.tui.dashboard.background_commands import CommandFailed, run_command, session_of


async def test_a_command_gives_its_lines_or_the_line_that_it_failed_with(tmp_path: Path) -> None:
    assert (await run_command("--version"))[0].startswith("fetalstream")
    with pytest.raises(CommandFailed, match="is no session"):
        await run_command("report", str(tmp_path))


def test_a_run_is_found_in_the_folder_of_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fetalstream.tui.dashboard.background_commands.sessions_folder", lambda: tmp_path)
    (tmp_path / "20260102T100000Z_run-a").mkdir()
    assert session_of("run-a") == tmp_path / "20260102T100000Z_run-a"
    assert session_of("run-b") is None
    assert session_of("") is None
