"""Writers of tables as CSV, JSON Lines and Parquet; each is written row by row, whole or not at all."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final, Protocol

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.export.errors import ExportError
from fetalstream.tui.export.tables import Cell, Column, Table
from fetalstream.tui.record.session_files import whole_file

_ROWS_A_GROUP: Final = 8_192
_OBEYED: Final = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212]|[\t\r\n]")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
INSTALL: Final = "pip install 'fetalstream[export]'"


class _Writer(Protocol):
    def add(self, header: str, row: list[Cell]) -> None: ...

    def close(self) -> None: ...


def write_table(table: Table, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write one table in all ``formats`` ("csv", "jsonl", "parquet"), reading it once; return the files.

    Raises:
        OSError: a file could not be written.
        ExportError: Parquet without pyarrow.
    """
    paths = [folder / f"{table.name}.{form}" for form in formats]
    with ExitStack() as stack:
        writers = [
            stack.enter_context(_open(form, path, table.columns)) for form, path in zip(formats, paths, strict=True)
        ]
        for header, row in table.rows():
            for writer in writers:
                writer.add(header, row)
    return paths


@contextmanager
def _open(form: str, path: Path, columns: Sequence[Column]) -> Generator[_Writer]:
    with whole_file(path) as file:
        writer = _WRITERS[form](file, columns)
        yield writer
        writer.close()


class _Csv:
    """CSV by RFC 4180 in UTF-8, numbers as Python writes them, empty cells for unknown values."""

    def __init__(self, file: IO[bytes], columns: Sequence[Column]) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._text)
        self._rows.writerow([column.name for column in columns])

    def add(self, header: str, row: list[Cell]) -> None:  # noqa: ARG002
        self._rows.writerow([_harmless(cell) for cell in row])

    def close(self) -> None:
        self._text.detach()


class _JsonLines:
    """The headers as they were published, one a line."""

    def __init__(self, file: IO[bytes], columns: Sequence[Column]) -> None:  # noqa: ARG002
        self._file = file

    def add(self, header: str, row: list[Cell]) -> None:  # noqa: ARG002
        self._file.write(header.encode() + b"\n")

    def close(self) -> None:
        pass


class _Parquet:
    """Typed columns, with the notice in the file's own metadata too."""

    def __init__(self, file: IO[bytes], columns: Sequence[Column]) -> None:
        try:
            import pyarrow as arrow
            from pyarrow import parquet
        except ModuleNotFoundError as error:
            raise ExportError(f"{error.name} is missing: {INSTALL}") from error
        types = {
            "text": arrow.string(), "json": arrow.string(), "integer": arrow.int64(), "number": arrow.float64(),
            "truth": arrow.bool_(),
        }  # fmt: skip
        fields = [arrow.field(column.name, types[column.kind]) for column in columns]
        self._schema = arrow.schema(fields, metadata={"notice": NOTICE})
        self._batch: Any = arrow.RecordBatch
        self._file = parquet.ParquetWriter(file, self._schema)
        self._waiting: list[list[Cell]] = []

    def add(self, header: str, row: list[Cell]) -> None:  # noqa: ARG002
        self._waiting.append(row)
        if len(self._waiting) >= _ROWS_A_GROUP:
            self._write()

    def close(self) -> None:
        self._write()
        self._file.close()

    def _write(self) -> None:
        if self._waiting:
            cells = [list(column) for column in zip(*self._waiting, strict=True)]
            columns = dict(zip(self._schema.names, cells, strict=True))
            self._file.write_batch(self._batch.from_pydict(columns, self._schema))
            self._waiting = []


_WRITERS: Final = {"csv": _Csv, "jsonl": _JsonLines, "parquet": _Parquet}


def _harmless(cell: Cell) -> Cell:
    """Return a cell for CSV that no spreadsheet takes for a formula and no terminal obeys.

    Words that begin with a sign of a formula, white space before it and full-width signs included, get an apostrophe in
    front. Control characters go, except tabs and line breaks.
    """
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if not isinstance(cell, str):
        return cell
    harmless = _CONTROLS.sub("", cell)
    return f"'{harmless}" if _OBEYED.match(harmless) else harmless
