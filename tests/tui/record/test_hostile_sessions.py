"""Sessions spoilt at random, by a seed: whatever reads them ends in a page, or in one line."""

import json
import random
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from fetalstream.tui.commands.report import write_report
from fetalstream.tui.errors import UserError
from fetalstream.tui.export.files import write_table
from fetalstream.tui.export.tables import tables_of
from fetalstream.tui.record.exams import exams_of
from fetalstream.tui.record.replay import Recording
from tests.tui.recorded import png, recorded

ODD: list[Any] = [
    None, True, -1, 0, 2**63, 2**70, 1e308, -1e308, 5e-324, "", "\x1b[31m\0", "../../x", "x" * 100_000, [], [[]], {},
    {"a": 1}, "other", "9999-99-99", "\u202e",
]  # fmt: skip


def spoilt(value: Any, rng: random.Random) -> Any:
    """The JSON value with something odd in one place."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        changed = dict(value)
        if rng.random() < 0.1:
            del changed[key]
        else:
            changed[key] = spoilt(changed[key], rng)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        return [*value[:place], spoilt(value[place], rng), *value[place + 1 :]]
    return rng.choice(ODD)


def spoil_rows(session: Path, rng: random.Random) -> None:
    with closing(sqlite3.connect(session / "session.db")) as database, database:
        database.execute("DROP TRIGGER events_are_final")
        rows = database.execute("SELECT rowid, header FROM messages").fetchall()
        for rowid, header in rng.sample(rows, 20):
            changed = json.dumps(spoilt(json.loads(header), rng))
            database.execute("UPDATE messages SET header = ? WHERE rowid = ?", (changed, rowid))
        column = rng.choice(["published_ns", "exam", "stream", "header", "kind", "wall_time", "pts_seconds"])
        value = rng.choice([b"\xff", "text", 2**62, -(2**62), 1e300, ""])
        (rowid, _) = rng.choice(rows)
        with suppress(sqlite3.IntegrityError):
            database.execute(f"UPDATE messages SET {column} = ? WHERE rowid = ?", (value, rowid))
        column = rng.choice(["file", "plane", "keyframe", "score", "chosen_by"])
        value = rng.choice([b"\xff", "../../x", "/etc/passwd", "a\0b", 7, "x" * 100_000])
        with suppress(sqlite3.IntegrityError):
            database.execute(f"UPDATE keyframes SET {column} = ? WHERE rowid = 1", (value,))


def spoil_files(session: Path, rng: random.Random) -> None:
    about = session / "session.json"
    about.write_text(json.dumps(spoilt(json.loads(about.read_text()), rng)))
    picture = rng.choice(sorted(session.glob("keyframes/*/*.png")))
    content = bytearray(rng.choice([png(5), b"\x89PNG\r\n\x1a\n", b""]))
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    picture.write_bytes(content)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.check) for seed in range(4, 40))])
def test_a_spoilt_session_ends_in_a_page_or_in_one_line(seed: int, whole: Path, tmp_path: Path) -> None:
    rng = random.Random(seed)
    session = tmp_path / "session"
    shutil.copytree(whole, session)
    spoil_rows(session, rng)
    spoil_files(session, rng)
    try:
        page = page_of(session, tmp_path)
    except UserError as error:
        said = str(error)
    else:
        said = ""
        assert not {"\x1b", "\0"} & set(page)
    assert "\n" not in said


def page_of(session: Path, out: Path) -> str:
    """The report, after everything else in the session has been read too."""
    with closing(Recording(session)) as recording:
        for exam in exams_of(recording):
            for best in exam.shown():
                recording.picture(best.keyframe)
        recording.keyframes()
        recording.protocol()
        for table in tables_of(recording):
            write_table(table, out, ["csv", "jsonl"])
    return write_report(session, out / "report.html").read_text()
