"""Pictures and clips that are not where the index says, or that it does not know: told by whoever opens the session."""

import shutil
import signal
from contextlib import closing
from pathlib import Path

import pytest

from fetalstream.tui import cli
from fetalstream.tui.commands.report import write_report
from fetalstream.tui.dashboard.app import FetalstreamApp
from fetalstream.tui.record.reconcile import Mismatch, Repair
from fetalstream.tui.record.replay import Recording, ReplayFeed
from fetalstream.tui.record.store import SessionStore
from tests.scripted_engine import ScriptedEngine
from tests.tui.recorded import STATE, Scan, png, recorded
from tests.tui.recorders import (
    Recorder,
    acknowledged,
    check_pictures,
    folder_of,
    hears,
    recorder_process,
    rows,
    stopped_at_the_end,
)
from tests.waiting import until

LOST = "a" * 32
CLIP = b"\x1a\x45\xdf\xa3 a clip"
STRAY = "keyframes/brain/stray.png"


def mismatch(folder: Path) -> Mismatch:
    with closing(Recording(folder)) as recording:
        return recording.mismatch()


def reopened(folder: Path) -> Repair:
    with SessionStore(folder.parent, STATE) as store:
        assert store.folder == folder
        return store.repair


@pytest.fixture
def session(out: Path) -> Path:
    return recorded(out)


@pytest.fixture
def spoiled(session: Path) -> Path:
    """One saved picture gone, one there that nobody knows."""
    (session / STRAY).write_bytes(png(9))
    (session / "keyframes" / "brain" / f"{LOST}.png").unlink()
    return session


def test_a_session_as_it_was_written_agrees(session: Path) -> None:
    assert mismatch(session) == Mismatch()
    assert mismatch(session).words is None
    assert reopened(session) == Repair()
    assert reopened(session).words is None


def test_a_missing_picture_and_one_in_no_index_are_noticed_and_nothing_is_changed(spoiled: Path) -> None:
    for _ in range(2):
        assert mismatch(spoiled) == Mismatch(pictures=(LOST,), strays=(STRAY,))
    assert (
        mismatch(spoiled).words == "1 saved picture or clip is missing; 1 picture or clip is in no index and not shown"
    )
    with closing(Recording(spoiled)) as recording:
        assert recording.pictures()[LOST] is None
        assert recording.pictures()["b" * 32] == f"keyframes/brain/{'b' * 32}.png"


def test_a_link_is_no_picture(session: Path, tmp_path: Path) -> None:
    picture = session / "keyframes" / "brain" / f"{LOST}.png"
    picture.rename(tmp_path / "elsewhere.png")
    picture.symlink_to(tmp_path / "elsewhere.png")
    assert mismatch(session).pictures == (LOST,)


def test_the_report_says_so(spoiled: Path) -> None:
    (spoiled / "keyframes" / "brain" / f"{'b' * 32}.png").unlink()
    page = write_report(spoiled).read_text()
    assert "2 saved pictures or clips are missing; 1 picture or clip is in no index and not shown." in page
    assert "The picture was saved, and is missing" in page


def test_the_report_of_a_whole_session_says_nothing_of_it(session: Path) -> None:
    page = write_report(session).read_text()
    assert "do not agree" not in page
    assert "is missing" not in page


def test_the_export_says_so_and_names_no_missing_file(
    spoiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["export", str(spoiled), "--out", str(tmp_path / "csv"), "--format", "csv"]) == 0
    assert capsys.readouterr().err.splitlines() == [mismatch(spoiled).words]
    told = (tmp_path / "csv" / "keyframes.csv").read_text()
    assert f"{'b' * 32}.png" in told
    assert f"{LOST}.png" not in told


async def test_the_replay_says_so(spoiled: Path) -> None:
    feed = ReplayFeed(Recording(spoiled))
    app = FetalstreamApp(feed)
    async with app.run_test(size=(120, 45)) as pilot:
        for _ in range(200):
            await pilot.pause(0.01)
            if app.said is not None:
                break
        assert app.said == (mismatch(spoiled).words, "warn")
        assert await feed.picture(LOST) is None


def test_reopened_a_missing_picture_is_wanted_again_and_a_stray_stays(spoiled: Path) -> None:
    mended = reopened(spoiled)
    assert mended == Repair(lost=(f"keyframes/brain/{LOST}.png",), strays=(STRAY,))
    assert mended.words == (
        "1 saved picture or clip is missing, asked for again; 1 picture or clip is in no index, left alone"
    )
    assert rows(spoiled, "SELECT keyframe, file FROM keyframes WHERE picture = 'wanted' ORDER BY rowid") == [
        (LOST, None), ("d" * 32, None),
    ]  # fmt: skip
    assert (spoiled / STRAY).is_file()
    assert reopened(spoiled) == Repair(strays=(STRAY,))


@pytest.mark.parametrize("state", ["wanted", "gone"])
def test_reopened_a_picture_that_was_written_and_not_noted_is_noted(session: Path, state: str) -> None:
    sql = f"UPDATE keyframes SET picture = '{state}', file = NULL WHERE keyframe IN ('{LOST}', '{'b' * 32}')"
    with SessionStore(session.parent, STATE) as store:
        store._database.execute(sql)  # as a machine leaves it that went down between the file and the index
    (session / "keyframes" / "brain" / f"{'b' * 32}.png").write_bytes(png(7))  # and this one is not what was written
    assert mismatch(session).strays == tuple(f"keyframes/brain/{each * 32}.png" for each in "ab")
    assert reopened(session).found == (f"keyframes/brain/{LOST}.png",)
    assert mismatch(session).strays == (f"keyframes/brain/{'b' * 32}.png",)


def test_clips_are_compared_as_well(out: Path) -> None:
    with Scan(out) as made:
        for keyframe in (LOST, "b" * 32):
            made.tell("clip", keyframe=keyframe)
            made.store.clips.save(keyframe, CLIP)
    folder = made.store.folder
    assert mismatch(folder) == Mismatch()
    (folder / "clips" / f"{LOST}.mkv").rename(folder / "clips" / "stray.mkv")
    assert mismatch(folder) == Mismatch(clips=(LOST,), strays=("clips/stray.mkv",))
    assert reopened(folder) == Repair(lost=(f"clips/{LOST}.mkv",), strays=("clips/stray.mkv",))
    assert rows(folder, "SELECT keyframe FROM clips WHERE clip = 'wanted'") == [(LOST,)]
    (folder / "clips" / "stray.mkv").rename(folder / "clips" / f"{LOST}.mkv")
    assert reopened(folder) == Repair(found=(f"clips/{LOST}.mkv",))


def test_a_session_from_before_clips_is_read(session: Path) -> None:
    with SessionStore(session.parent, STATE) as store:
        store._database.execute("DROP TABLE clips")
    assert mismatch(session) == Mismatch()


def test_a_recorder_that_goes_on_fetches_what_is_missing_and_gives_up_what_nobody_has(
    engine: ScriptedEngine, out: Path
) -> None:
    recorder = recorder_process(engine, out)
    try:
        hears(engine, out)
        kept, lost = engine.keyframe(), engine.keyframe("femur")
        until(lambda: acknowledged(engine) == {kept, lost})
    finally:
        recorder.send_signal(signal.SIGKILL)
        recorder.communicate()
    folder = folder_of(out)
    shutil.rmtree(folder / "keyframes")
    del engine.keyframe_store[lost]
    with stopped_at_the_end(Recorder(engine.endpoints.control, out)) as again:
        until(lambda: rows(folder, "SELECT picture FROM keyframes ORDER BY rowid") == [("saved",), ("gone",)])
    assert "Recorder: 2 saved pictures or clips are missing, asked for again" in again.lines
    check_pictures(folder, {kept})
    assert mismatch(folder) == Mismatch()
