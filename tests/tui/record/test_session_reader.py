"""Sessions that were made up to harm whoever opens them: each is refused, or read without what does harm."""

import io
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fetalstream.tui import cli
from fetalstream.tui.commands.report import write_report
from fetalstream.tui.dashboard.background_commands import CommandFailed, search_recording
from fetalstream.tui.record.replay import Recording, RecordingError
from fetalstream.tui.record.session_files import make_folder_inside
from fetalstream.tui.record.session_reader import PICTURE_PIXELS, open_database, open_picture, read_file
from fetalstream.tui.record.vectors import FILE, read_vectors
from fetalstream.tui.report.pictures import map_of
from tests.tui.recorded import png, recorded

MOST = 1000


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path / "out")


def change(session: Path, *statements: str) -> None:
    with closing(sqlite3.connect(session / "session.db")) as database, database:
        for statement in statements:
            database.execute(statement)


def test_a_regular_file_inside_is_read(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(b"x" * MOST)
    assert read_file(tmp_path, "below/file", MOST) == b"x" * MOST


@pytest.mark.parametrize("kind", ["pipe", "link", "link to a folder", "folder", "too large", "sparse", "missing"])
def test_anything_else_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    session = tmp_path / "session"
    (session / "below").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    file = session / "below" / "file"
    match kind:
        case "pipe":
            os.mkfifo(file)
        case "link":
            file.symlink_to(tmp_path / "secret")
        case "link to a folder":
            (session / "below").rmdir()
            (session / "below").symlink_to(tmp_path)
            (tmp_path / "file").write_bytes(b"secret")
        case "folder":
            file.mkdir()
        case "too large":
            file.write_bytes(b"x" * (MOST + 1))
        case "sparse":
            with file.open("wb") as sparse:
                sparse.truncate(1 << 40)
        case _:
            pass
    with pytest.raises(OSError, match=r"below/file|file"):
        read_file(session, "below/file", MOST)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "below/../../secret", "", "a\0b"])
def test_a_name_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "session").mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - of several kinds
        read_file(tmp_path / "session", name, MOST)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_database_with_links_or_pipes_beside_it_is_not_opened(suffix: str, session: Path, tmp_path: Path) -> None:
    path = session / f"session.db{suffix}"
    if path.exists():
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(path)
    with pytest.raises(OSError, match="is a link or no regular file"):
        open_database(session / "session.db")
    with pytest.raises(RecordingError, match="cannot be read"):
        Recording(session)


@pytest.mark.parametrize("kind", ["pipe", "sparse", "deep", "list"])
def test_a_hostile_description_ends_in_one_line(kind: str, session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    about = session / "session.json"
    about.unlink()
    match kind:
        case "pipe":
            os.mkfifo(about)
        case "sparse":
            with about.open("wb") as file:
                file.truncate(1 << 40)
        case "deep":
            about.write_bytes(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
        case _:
            about.write_text("[1]")
    assert cli.main(["report", str(session)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be read" in line


def test_odd_values_in_the_description_are_left_out_of_the_report(session: Path) -> None:
    (session / "session.json").write_text(json.dumps({"run": 7, "streams": [1, {"stream": []}], "model": "x"}))
    assert "planes in view over time" in write_report(session).read_text()
    (session / "session.json").write_text(json.dumps({"streams": 3, "versions": 4}))
    assert "planes in view over time" in write_report(session).read_text()


def test_messages_that_cannot_be_read_are_counted_and_shown_and_the_others_reported(session: Path) -> None:
    hostile = [
        """json_replace(header, '$.kind', 'of-another-time') WHERE kind = 'reading' AND seq = 3""",
        """json_replace(header, '$.gestation.days', -1e308) WHERE kind = 'reading' AND seq = 4""",
        """json_replace(header, '$.gestation.high_days', 1e308) WHERE kind = 'reading' AND seq = 5""",
        """x'ff00' WHERE kind = 'reading' AND seq = 6""",
        """replace(header, '"seq":7', '"seq":99999999999999999999') WHERE kind = 'reading' AND seq = 7""",
        """'[' WHERE kind = 'keyframe' AND seq = 0""",
    ]
    with closing(Recording(session)) as recording:
        before = sum(1 for _ in recording.messages())
        assert recording.amiss() is None
    change(session, "DROP TRIGGER events_are_final", *(f"UPDATE messages SET header = {each}" for each in hostile))
    with closing(Recording(session)) as recording:
        assert sum(1 for _ in recording.messages()) == before - len(hostile)
        assert recording.state().amiss == "6 messages cannot be read and are left out"
        assert len(list(recording.headers("reading"))) == 80 - 5
    assert "6 messages cannot be read" in write_report(session).read_text()


def test_a_picture_is_never_read_through_a_link(session: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(9))
    picture = next(session.glob("keyframes/*/*.png"))
    picture.unlink()
    picture.symlink_to(secret)
    with closing(Recording(session)) as recording:
        assert recording.picture(picture.stem) is None


def test_maps_are_not_read_through_links_nor_from_pipes(tmp_path: Path) -> None:
    elsewhere, session = tmp_path / "elsewhere", tmp_path / "session"
    elsewhere.mkdir()
    session.mkdir()
    (elsewhere / "k.png").write_bytes(b"secret")
    (session / "maps").symlink_to(elsewhere)
    assert map_of(session, "k") is None
    (session / "maps").unlink()
    (session / "maps").mkdir()
    (session / "maps" / "k.png").symlink_to(elsewhere / "k.png")
    assert map_of(session, "k") is None
    (session / "maps" / "k.png").unlink()
    os.mkfifo(session / "maps" / "k.png")
    assert map_of(session, "k") is None


def test_a_folder_of_a_session_is_not_made_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "session").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "session" / "maps").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError, match="a link or a file lies where"):
        make_folder_inside(tmp_path / "session", "maps")
    with pytest.raises(NotADirectoryError):
        make_folder_inside(tmp_path / "session", "maps/brain")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert make_folder_inside(tmp_path / "session", "keyframes/brain").is_dir()


def test_explain_writes_nothing_through_a_link(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (session / "maps").symlink_to(tmp_path / "elsewhere")
    assert cli.main(["explain", str(session), "--model", "mini", "--weights", "random"]) == 1
    assert "a link or a file lies where" in capsys.readouterr().err
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.toml", "which is not installed here: choose one with --model"),
        ("../../model", "which is not installed here"),
        ("fetalclip", "have to be downloaded: give --model fetalclip to allow that"),
        ("biomedclip", "have to be downloaded: give --model biomedclip to allow that"),
    ],
)
def test_explain_obeys_no_session_that_names_a_file_or_a_download(
    name: str, said: str, session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "model.toml").write_text("not read")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (session / "session.json").write_text(json.dumps({"run": "run-a", "model": {"name": name}}))
    assert cli.main(["explain", str(session)]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["/tmp/model.toml", "model.toml", "../model", "--weights"])
async def test_a_search_from_the_dashboard_takes_no_file_for_a_model(name: str, session: Path) -> None:
    with pytest.raises(CommandFailed, match="the name of the recording's model is none"):
        await search_recording(session, "brain", name)


def test_pictures_that_would_fill_the_memory_are_not_decoded() -> None:
    side = int(PICTURE_PIXELS**0.5) + 1
    bomb = io.BytesIO()
    Image.new("1", (side, side)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 100_000
    assert open_picture(bomb.getvalue()) is None
    fits = open_picture(png(1, (48, 64, 3)))
    assert fits is not None
    assert np.asarray(fits).shape == (48, 64, 3)


def test_a_file_of_vectors_of_terabytes_is_refused(tmp_path: Path) -> None:
    folder = recorded(tmp_path)
    change(
        folder,
        """INSERT INTO messages SELECT 'embedding', stream, 0, exam, published_ns, wall_time, 0.0,
        json_object('kind', 'embedding', 'frame', json_extract(header, '$.frame'), 'dim', 4, 'dtype', 'float16')
        FROM messages WHERE kind = 'reading' AND seq = 0""",
    )
    (folder / FILE).write_bytes(np.arange(4, dtype="<f2").tobytes() + b"odd")
    assert read_vectors(folder).rows.tolist() == [[0, 1, 2, 3]]
    os.truncate(folder / FILE, 1 << 40)
    with pytest.raises(ValueError, match="is larger than"):
        read_vectors(folder)
