"""The tables of a session and their columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast

import msgspec

from fetalstream.tui.record.replay import Recording

Kind: TypeAlias = Literal["text", "integer", "number", "truth", "json"]
Cell: TypeAlias = str | int | float | bool | None

_KINDS: Final[dict[str, type | tuple[type, ...]]] = {"text": str, "integer": int, "number": (int, float), "truth": bool}


class Column(NamedTuple):
    """A column: the value at ``path`` in a message's header if it is of its ``kind``, else None."""

    name: str
    kind: Kind
    path: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table whose ``rows()`` yields each row's header as it was published, and its cells in column order."""

    name: str
    columns: tuple[Column, ...]
    rows: Callable[[], Iterator[tuple[str, list[Cell]]]]


def _columns(kind: Kind, *paths: str) -> list[Column]:
    return [Column(path.replace(".", "_"), kind, tuple(path.split("."))) for path in paths]


_ORIGIN: Final = [
    *_columns("text", "run", "exam", "stream"),
    *_columns("integer", "seq"),
    *_columns("text", "wall_time"),
]
_NOTICE: Final = _columns("text", "notice")
_FRAME: Final = [
    *_columns("integer", "frame.index", "frame.epoch"),
    *_columns("number", "frame.pts_seconds", "frame.spacing_mm"),
    *_columns("text", "frame.spacing_from"),
]
_GESTATION: Final = [
    *_columns("number", *(f"gestation.{each}" for each in ("days", "low_days", "high_days", "frame_days"))),
    *_columns("integer", "gestation.frames", "gestation.zooms"),
    *_columns("text", "gestation.method"),
]
_READING: Final = [
    *_columns("text", "state"),
    *_columns("truth", "reused"),
    *_columns("text", "plane", "subplane", "subplane_close"),
    *_GESTATION,
    *_columns("text", "gestation_missing"),
    *_columns("number", "quality.contrast", "quality.sharpness", "quality.steadiness"),
    *_columns("text", "ask.text"),
    *_columns("number", "ask.score", "ask.percentile"),
    *_columns("number", *(f"latency_ms.{hop}" for hop in ("capture", "queue", "preprocess", "encode", "total"))),
    *_columns("text", "model"),
    *_columns("truth", "calibrated"),
    *_columns("integer", "dropped"),
]
_PARTS: Final = ("probability", "margin", "contrast", "sharpness", "steadiness", "in_plane", "frozen")
_KEYFRAME: Final = [
    *_columns("text", "keyframe", "plane", "subplane"),
    *_columns("number", "score"),
    *_columns("text", "chosen_by"),
    *_columns("integer", "rank"),
    *_columns("number", *(f"parts.{part}" for part in _PARTS)),
    *_FRAME,
    *_GESTATION,
    Column("file", "text", ("file",)),
]
_DECISION: Final = [
    *(Column(name, "text", ("detail", name)) for name in ("verdict", "keyframe", "plane", "subplane")),
    Column("number", "integer", ("detail", "number")),
]


class _Labels(msgspec.Struct):
    """As much of a reading as says which labels it has."""

    planes: dict[str, msgspec.Raw] | None = None
    subplanes: dict[str, msgspec.Raw] | None = None


def tables_of(recording: Recording, exam: str | None = None) -> list[Table]:
    """Return the tables of readings, events, best frames and decisions, of one examination or all.

    A reading has three columns for every label of its model: ``planes_<label>_cosine``, ``_raw`` and ``_smoothed``.
    """
    pictures = recording.pictures()
    events = [*_columns("text", "event"), *_columns("json", "detail")]

    def headers(kind: str) -> Callable[[], Iterator[tuple[str, dict[str, Any]]]]:
        return lambda: ((header, msgspec.json.decode(header)) for header in recording.headers(kind, exam))

    def kept() -> Iterator[tuple[str, dict[str, Any]]]:
        for header, fields in headers("keyframe")():
            yield header, {**fields, "file": pictures.get(str(fields.get("keyframe")))}

    def decided() -> Iterator[tuple[str, dict[str, Any]]]:
        return ((header, fields) for header, fields in headers("event")() if fields.get("event") == "decision")

    return [
        _table("readings", [*_ORIGIN, *_FRAME, *_READING, *_label_columns(recording, exam)], headers("reading")),
        _table("events", [*_ORIGIN, *events], headers("event")),
        _table("keyframes", [*_ORIGIN, *_KEYFRAME], kept),
        _table("decisions", [*_ORIGIN, *_DECISION], decided),
    ]


def _table(name: str, columns: list[Column], messages: Callable[[], Iterator[tuple[str, dict[str, Any]]]]) -> Table:
    whole = (*columns, *_NOTICE)

    def rows() -> Iterator[tuple[str, list[Cell]]]:
        return ((header, [_cell(column, fields) for column in whole]) for header, fields in messages())

    return Table(name, whole, rows)


def _label_columns(recording: Recording, exam: str | None) -> list[Column]:
    seen: dict[tuple[str, str], None] = {}
    for header in recording.headers("reading", exam):
        labels = msgspec.json.decode(header, type=_Labels)
        seen |= dict.fromkeys(("planes", label) for label in labels.planes or {})
        seen |= dict.fromkeys(("subplanes", label) for label in labels.subplanes or {})
    return [
        Column(f"{part}_{label}_{score}", "number", (part, label, score))
        for part, label in sorted(seen, key=lambda place: place[0])
        for score in ("cosine", "raw", "smoothed")
    ]


def _cell(column: Column, fields: dict[str, Any]) -> Cell:
    value: Any = fields
    for name in column.path:
        value = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    if column.kind == "json":
        return None if value is None else msgspec.json.encode(value).decode()
    wanted = _KINDS[column.kind]
    if not isinstance(value, wanted) or (isinstance(value, bool) and column.kind != "truth"):
        return None
    return float(value) if column.kind == "number" else cast("Cell", value)
