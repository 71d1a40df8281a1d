"""``fetalstream explain``: maps into a recorded session, with an untrained model."""

import io
import json
import sqlite3

import pytest
from PIL import Image

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui import cli
from fetalstream.tui.commands.report import write_report
from fetalstream.tui.record.exams import exams_of
from fetalstream.tui.record.replay import Recording
from fetalstream.tui.report.pictures import map_of
from tests.tui.recorded import recorded


@pytest.fixture
def session(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return recorded(tmp_path / "out")


def shown(session):
    recording = Recording(session)
    try:
        wanted = [best.keyframe for exam in exams_of(recording) for best in exam.shown()]
        return {keyframe: png for keyframe in wanted if (png := recording.picture(keyframe))}
    finally:
        recording.close()


def test_each_best_frame_gets_a_map_that_the_report_shows(session, capsys):
    assert cli.main(["explain", str(session), "--model", "mini", "--weights", "random"]) == 0
    written = capsys.readouterr().out.splitlines()
    pictures = shown(session)
    assert len(written) == len(pictures) == len(list((session / "maps").glob("*.png"))) >= 2
    for keyframe, png in pictures.items():
        path = session / "maps" / f"{keyframe}.png"
        told = json.loads(path.with_suffix(".json").read_text())
        assert (told["keyframe"], told["notice"], told["method"]) == (keyframe, NOTICE, "LayerCAM")
        assert told["model"]["weights_sha256"].startswith("random-")
        with Image.open(path) as drawn, Image.open(io.BytesIO(png)) as frame:
            assert (drawn.mode, drawn.size) == ("RGB", frame.size)
            assert drawn.text["Disclaimer"] == NOTICE
        assert path.stat().st_mode & 0o777 == 0o600
        assert map_of(session, keyframe) == path.read_bytes()
    assert write_report(session).read_text().count("class activation map of") == len(pictures)


def test_another_model_than_the_sessions_is_refused(session, capsys):
    about = json.loads((session / "session.json").read_text())
    about["model"] = {"name": "mini", "weights_sha256": "0" * 64}
    (session / "session.json").write_text(json.dumps(about))
    assert cli.main(["explain", str(session)]) == 1
    assert "was made by mini with other weights" in capsys.readouterr().err
    assert not (session / "maps").exists()


def test_a_session_without_pictures_says_so(session, capsys):
    database = sqlite3.connect(session / "session.db")
    with database:
        database.execute("UPDATE keyframes SET picture = 'gone'")
    database.close()
    assert cli.main(["explain", str(session)]) == 1
    assert "holds no picture of a best frame" in capsys.readouterr().err


def test_what_is_no_session_is_told(tmp_path, capsys):
    assert cli.main(["explain", str(tmp_path)]) == 1
    assert "is no session" in capsys.readouterr().err
