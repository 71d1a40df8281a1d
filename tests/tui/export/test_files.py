"""Tables as files, from rows of a test's own; sessions as tables are in ``test_tables.py``."""

import csv
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.export.errors import ExportError
from fetalstream.tui.export.files import write_table
from fetalstream.tui.export.tables import Cell, Column, Table

COLUMNS = (
    Column("words", "text", ("words",)),
    Column("seq", "integer", ("seq",)),
    Column("score", "number", ("score",)),
    Column("sure", "truth", ("sure",)),
)
ROWS: list[tuple[str, list[Cell]]] = [
    ('{"seq":0}', ["=1+1", 0, 0.5, True]),
    ('{"seq":1}', [None, 1, None, False]),
]


def table(rows: list[tuple[str, list[Cell]]] = ROWS) -> Table:
    return Table("things", COLUMNS, lambda: iter(rows))


def test_a_table_is_read_once_and_written_in_every_format(tmp_path: Path) -> None:
    readings: list[int] = []

    def counted() -> Iterator[tuple[str, list[Cell]]]:
        readings.append(1)
        return iter(ROWS)

    written = write_table(Table("things", COLUMNS, counted), tmp_path, ["csv", "jsonl"])
    assert written == [tmp_path / "things.csv", tmp_path / "things.jsonl"]
    assert readings == [1]
    for path in written:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_csv_has_a_head_empty_cells_and_no_formulas(tmp_path: Path) -> None:
    (path,) = write_table(table(), tmp_path, ["csv"])
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["words", "seq", "score", "sure"],
            ["'=1+1", "0", "0.5", "true"],
            ["", "1", "", "false"],
        ]


def test_control_characters_do_not_reach_a_csv_file(tmp_path: Path) -> None:
    (path,) = write_table(
        table([("{}", ["a\x1b[31mb\0c\x9bd\ufeff", 0, 0.0, True]), ("{}", ["\x00=x", 1, 0.0, True])]), tmp_path, ["csv"]
    )
    with path.open(encoding="utf-8", newline="") as file:
        assert [row[0] for row in csv.reader(file)][1:] == ["a[31mbcd", "'=x"]


@pytest.mark.parametrize(
    "words",
    [
        *("=x", "+x", "-x", "@x", "\tx", "\rx", "\n=x", " =x", "\u00a0\u3000=x", "\uff1dx", "\uff0bx", "\uff0dx"),
        *("\uff20x", "\u2212x"),
    ],
)
def test_whatever_a_spreadsheet_would_obey_gets_an_apostrophe(words: str, tmp_path: Path) -> None:
    (path,) = write_table(table([("{}", [words, 0, 0.0, True])]), tmp_path, ["csv"])
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1][0] == f"'{words}"


def test_json_lines_are_the_headers_as_they_were_published(tmp_path: Path) -> None:
    (path,) = write_table(table(), tmp_path, ["jsonl"])
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"seq": 0}, {"seq": 1}]


def test_parquet_keeps_kinds_unknown_values_and_the_notice(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow.parquet", reason="the extra [export] is not installed")
    (path,) = write_table(table(), tmp_path, ["parquet"])
    read = arrow.read_table(path)
    assert read.to_pydict() == {
        "words": ["=1+1", None], "seq": [0, 1], "score": [0.5, None], "sure": [True, False],
    }  # fmt: skip
    assert [str(kind) for kind in read.schema.types] == ["string", "int64", "double", "bool"]
    assert read.schema.metadata[b"notice"] == NOTICE.encode()


def test_parquet_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ExportError, match=r"pyarrow is missing: pip install 'fetalstream\[export\]'"):
        write_table(table(), tmp_path, ["parquet"])
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[str, list[Cell]]]:
        yield ROWS[0]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write_table(Table("things", COLUMNS, broken), tmp_path, ["csv", "jsonl"])
    assert list(tmp_path.iterdir()) == []
