"""A session as tables, read back by the programs that they are for."""

import csv
import json
import stat

import pytest

from fetalstream.pipeline.wire import NOTICE, decode
from fetalstream.tui.commands.export import export
from fetalstream.tui.export.errors import ExportError
from fetalstream.tui.export.wanted import Export
from tests.tui.recorded import HOSTILE, Scan, recorded

arrow = pytest.importorskip("pyarrow.parquet", reason="the extra [export] is not installed")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "new" / "out"
    session = recorded(tmp_path_factory.mktemp("sessions"))
    written = export(session, Export(out=folder, formats=("csv", "jsonl", "parquet")))
    assert set(written) == set(folder.iterdir())
    return folder


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_table_is_there_in_every_format_for_the_user_alone(out):
    names = ("readings", "events", "keyframes", "decisions")
    assert {path.name for path in out.iterdir()} == {
        f"{name}.{form}" for name in names for form in ("csv", "jsonl", "parquet")
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_csv_says_what_was_read(out):
    readings = rows(out / "readings.csv")
    assert len(readings) == 80
    first = readings[0]
    assert (first["plane"], first["subplane"], first["gestation_days"]) == ("brain", "trans-thalamic", "143.0")
    assert (first["frame_spacing_mm"], first["calibrated"], first["planes_brain_raw"]) == ("0.21", "false", "0.9")
    assert first["subplanes_trans-thalamic_smoothed"] == "0.7"
    assert first["planes_other_cosine"] == ""  # unknown is nothing, not nought
    assert readings[-1]["subplanes_trans-thalamic_raw"] == ""
    assert {row["notice"] for row in readings} == {NOTICE}


def test_kept_frames_say_where_their_pictures_are(out):
    files = {row["keyframe"][0]: row["file"] for row in rows(out / "keyframes.csv")}
    assert files["a"] == f"keyframes/brain/{'a' * 32}.png"
    assert files["d"] == ""
    assert [row["verdict"] for row in rows(out / "decisions.csv")] == ["accept", "reject"]


def test_json_lines_are_the_messages_themselves(out):
    messages = [decode(line) for line in (out / "readings.jsonl").read_bytes().splitlines()]
    assert len(messages) == 80
    events = [json.loads(line) for line in (out / "events.jsonl").read_bytes().splitlines()]
    (mark,) = [event for event in events if event["event"] == "mark"]
    assert mark["detail"]["text"] == HOSTILE


def test_parquet_is_typed_and_carries_the_notice(out):
    table = arrow.read_table(out / "readings.parquet")
    assert table.num_rows == 80
    kinds = {name: str(table.schema.field(name).type) for name in ("seq", "reused", "gestation_days", "plane")}
    assert kinds == {"seq": "int64", "reused": "bool", "gestation_days": "double", "plane": "string"}
    assert table.schema.metadata[b"notice"].decode() == NOTICE
    assert table["planes_other_cosine"].null_count == 80


def test_formulas_are_words_in_csv_only(tmp_path):
    with Scan(tmp_path / "sessions") as made:
        made.look("brain", 2, model="=cmd|' /C calc'!A0")
    export(made.store.folder, Export(out=tmp_path / "out", formats=("csv", "parquet")))
    assert rows(tmp_path / "out" / "readings.csv")[0]["model"] == "'=cmd|' /C calc'!A0"
    assert arrow.read_table(tmp_path / "out" / "readings.parquet")["model"][0].as_py() == "=cmd|' /C calc'!A0"


def test_more_rows_than_a_group_come_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("fetalstream.tui.export.files._ROWS_A_GROUP", 7)
    with Scan(tmp_path / "sessions") as made:
        made.look("brain", 20)
    export(made.store.folder, Export(out=tmp_path / "out", formats=("parquet",)))
    assert arrow.read_table(tmp_path / "out" / "readings.parquet")["seq"].to_pylist() == list(range(20))


def test_one_examination_only(tmp_path):
    session = recorded(tmp_path / "sessions")
    export(session, Export(out=tmp_path / "out", formats=("csv",), exam=2))
    assert {row["exam"] for row in rows(tmp_path / "out" / "readings.csv")} == {"exam-b"}
    with pytest.raises(ExportError, match="no examination 3: this session holds 2"):
        export(session, Export(out=tmp_path / "out", exam=3))


def test_an_empty_session_is_empty_tables(tmp_path):
    with Scan(tmp_path / "sessions") as made:
        pass
    export(made.store.folder, Export(out=tmp_path / "out", formats=("csv", "jsonl", "parquet")))
    assert rows(tmp_path / "out" / "readings.csv") == []
    assert arrow.read_table(tmp_path / "out" / "readings.parquet").num_rows == 0


def test_what_fails_leaves_no_half_of_a_file(tmp_path, monkeypatch):
    session = recorded(tmp_path / "sessions")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fetalstream.tui.export.files._Csv.add", full)
    with pytest.raises(OSError, match="No space"):
        export(session, Export(out=tmp_path / "out", formats=("csv", "jsonl")))
    assert list((tmp_path / "out").iterdir()) == []
