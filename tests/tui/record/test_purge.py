"""``fetalstream purge`` removes what is due and nothing else, whatever lies about, writes or dies meanwhile."""

import io
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fetalstream.tui import cli
from fetalstream.tui.record.purge import purge, retain, size_words
from tests.scripted_engine import ScriptedEngine
from tests.tui.live_run import environment
from tests.tui.record.test_retention import DAY_S, NOW_S, session
from tests.tui.recorders import ROOT, hears, recorder_process, seqs
from tests.waiting import until

EVERYTHING = {"older_than_s": 0.0, "keep_bytes": None}
OLDER_THAN_30_DAYS = {"older_than_s": 30 * DAY_S, "keep_bytes": None}
KEEP_NOTHING = {"older_than_s": None, "keep_bytes": 0}
KILLED = """
import os, signal, sys
from pathlib import Path
from fetalstream.tui.record.retention import remove
left = int(sys.argv[3])
def hook(event, _):
    global left
    if event == sys.argv[2]:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
remove(Path(sys.argv[1]))
"""


def purged(out: Path, limits: dict[str, float | None] = EVERYTHING, *, well: bool = True, **more: bool) -> list[str]:
    lines: list[str] = []
    assert purge(out, NOW_S, **limits, agreed=lambda _: True, say=lines.append, **more) is well
    return lines


def test_what_is_due_goes_whole_and_is_told(out: Path) -> None:
    old, new = session(out, "old", 40, more_bytes=2_000_000), session(out, "new", 2)
    its_bytes = sum(path.stat().st_size for path in old.rglob("*") if path.is_file())
    lines = purged(out, OLDER_THAN_30_DAYS)
    assert list(out.iterdir()) == [new]
    assert lines[0].startswith("2 sessions, 2.")
    assert f"goes:  {old.name}  {size_words(its_bytes)}, last written 40.0 days ago" in lines
    assert lines[-1] == f"Removed 1 session, {size_words(its_bytes)} ({its_bytes} bytes)"
    assert purged(out, OLDER_THAN_30_DAYS)[-1] == "Nothing to remove"


def test_a_dry_run_and_a_no_remove_nothing(out: Path) -> None:
    folder = session(out, "old", 40)
    before = sorted(out.rglob("*"))
    assert purged(out, dry_run=True)[-1] == "Nothing was removed: this was a dry run"
    asked: list[str] = []
    assert purge(out, NOW_S, **EVERYTHING, agreed=lambda words: bool(asked.append(words)), say=lambda _: None)
    assert asked == ["Remove 1 session for good?"]
    assert sorted(out.rglob("*")) == before
    assert folder.is_dir()


def test_links_go_and_what_they_lead_to_stays(out: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    folder = session(out, "old", 40)
    (folder / "keyframes").symlink_to(mine)
    (folder / "previews" / "1.jpg").symlink_to(mine / "thesis.txt")
    (folder / "round").symlink_to(folder)
    elsewhere = session(tmp_path / "elsewhere", "b", 40)
    (out / elsewhere.name).symlink_to(elsewhere)
    purged(out)
    assert list(out.iterdir()) == [out / elsewhere.name]
    assert (mine / "thesis.txt").read_text() == "years of work"
    assert (elsewhere / "session.db").is_file()


def test_a_lock_that_is_a_link_leads_nowhere(out: Path, tmp_path: Path) -> None:
    folder = session(out, "old", 40)
    (folder / "session.lock").unlink()
    (folder / "session.lock").symlink_to(tmp_path / "made elsewhere")
    purged(out, well=False)
    assert not (tmp_path / "made elsewhere").exists()
    assert folder.is_dir()


def test_a_session_that_a_recorder_writes_stays_until_it_is_dead(engine: ScriptedEngine, out: Path) -> None:
    old = session(out, "old", 40)
    before = set(out.iterdir())
    recorder = recorder_process(engine, out)
    try:
        hears(engine, out)
        (live,) = set(out.iterdir()) - before
        lines = purged(out, KEEP_NOTHING)
        assert f"stays, being written:  {live.name}" in lines
        assert not old.exists()
        heard = max(seqs(live, "health"))
        hears(engine, out)
        until(lambda: max(seqs(live, "health")) > heard)
    finally:
        recorder.send_signal(signal.SIGKILL)
        recorder.communicate()
    purged(out, KEEP_NOTHING)
    assert list(out.iterdir()) == []


def test_a_recorder_that_comes_back_to_a_removed_session_begins_anew(engine: ScriptedEngine, out: Path) -> None:
    for turn in range(2):
        recorder = recorder_process(engine, out)
        try:
            hears(engine, out)
        finally:
            recorder.send_signal(signal.SIGKILL)
            recorder.communicate()
        # Not into what is left of the first: a hidden folder.
        (recorded,) = (path for path in out.iterdir() if not path.name.startswith("."))
        if turn == 0:
            assert kill_at(recorded, "shutil.rmtree", 1) == -signal.SIGKILL
            assert not recorded.exists()
    assert len(list(out.iterdir())) == 2
    purged(out, KEEP_NOTHING)
    assert list(out.iterdir()) == []


def kill_at(folder: Path, event: str, times: int) -> int:
    script = [sys.executable, "-c", KILLED, str(folder), event, str(times)]
    return subprocess.run(script, cwd=ROOT, check=False, timeout=60).returncode


@pytest.mark.parametrize(("event", "times"), [("os.rename", 1), ("shutil.rmtree", 1), ("os.remove", 3)])
def test_a_removal_that_was_killed_is_finished_next_time(out: Path, event: str, times: int) -> None:
    folder, new = session(out, "old", 40), session(out, "new", 2)
    assert kill_at(folder, event, times) == -signal.SIGKILL
    assert folder.exists() is (event == "os.rename")
    assert len(list(out.iterdir())) == 2
    lines = purged(out, OLDER_THAN_30_DAYS)
    assert list(out.iterdir()) == [new]
    assert lines[-1].startswith("Removed 1 session, ")


def test_a_session_that_cannot_be_removed_is_told_and_the_others_go(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session(out, "a", 40)
    stuck = session(out, "b", 41)
    rename = Path.rename

    def refused(self: Path, target: Path) -> Path:
        # As root this machine's tests may remove anything: the refusal is made up.
        if self == stuck:
            raise PermissionError(13, "Permission denied", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    lines = purged(out, well=False)
    assert list(out.iterdir()) == [stuck]
    assert f"cannot be removed:  {stuck.name}: {stuck.name}: Permission denied" in lines


def test_without_a_terminal_nothing_is_removed_unless_told_so(
    out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = session(out, "a", 40)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(SystemExit) as ended:
        cli.main(["purge", str(out), "--older-than", "30d"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("give --yes, or --dry-run")
    assert cli.main(["purge", str(out), "--older-than", "30d", "--dry-run"]) == 0
    assert folder.is_dir()
    assert cli.main(["purge", str(out), "--older-than", "30d", "--yes"]) == 0
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 1), (b"\n", 1), (b"\x04", 1), (b"y\n", 0)])
def test_on_a_terminal_it_asks(out: Path, answer: bytes, left: int) -> None:
    session(out, "a", 40)
    leader, follower = pty.openpty()
    try:
        os.write(leader, answer)
        command = [sys.executable, "-m", "fetalstream.tui.cli", "purge", str(out), "--older-than", "30d"]
        done = subprocess.run(
            command, cwd=ROOT, stdin=follower, capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        os.close(leader)
        os.close(follower)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Remove 1 session for good? [y/N]" in done.stdout
    assert len(list(out.iterdir())) == left


def test_what_is_no_folder_of_sessions_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert cli.main(["purge", str(tmp_path), "--keep", "0GB", "--yes"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"fetalstream: {tmp_path} is no folder of sessions: none of what is in it is one"
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0.0 kB"),
        (1_500, "1.5 kB"),
        (2_040_000, "2.0 MB"),
        (10**12, "1000.0 GB"),
    ],
)
def test_sizes_are_read_at_a_glance(count: int, words: str) -> None:
    assert size_words(count) == words


def test_settings_remove_unasked_and_tell_every_session(out: Path) -> None:
    old, new = session(out, "old", 40), session(out, "new", 2)
    lines: list[str] = []
    retain(out, NOW_S, **OLDER_THAN_30_DAYS, say=lines.append)
    assert list(out.iterdir()) == [new]
    assert any(line.startswith(f"Retention: goes:  {old.name}") for line in lines)
    assert lines[-1].startswith("Retention: Removed 1 session, ")


def test_settings_say_nothing_where_nothing_goes_and_never_stop_a_run(out: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    retain(out, NOW_S, **EVERYTHING, say=lines.append)
    session(out, "new", 2)
    retain(out, NOW_S, **OLDER_THAN_30_DAYS, say=lines.append)
    assert lines == []
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("years of work")
    retain(tmp_path / "papers", NOW_S, **EVERYTHING, say=lines.append)
    assert lines == [f"Retention: {tmp_path}/papers is no folder of sessions: none of what is in it is one"]


def test_a_run_begins_with_what_its_configuration_says_of_retention(out: Path, tmp_path: Path) -> None:
    old = session(out, "old", 40)  # of 2023
    config = tmp_path / "run.toml"
    config.write_text(
        f'record = "{out}"\nretention = {{ older_than = "30d" }}\n[[streams]]\nsource = "{tmp_path}/missing.mp4"\n'
    )
    (tmp_path / "run").mkdir(mode=0o700)
    script = [sys.executable, "-m", "fetalstream.tui.cli", "run", "--config", str(config), "--headless"]
    env = environment(tmp_path)
    kept = subprocess.run(
        [*script, "--no-record"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert "Retention" not in kept.stderr
    assert old.is_dir()
    done = subprocess.run(script, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert "Retention: Removed 1 session, " in done.stderr
    assert "missing.mp4" in done.stderr.splitlines()[-1]
    assert not old.exists()
