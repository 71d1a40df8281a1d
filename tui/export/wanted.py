"""What an export is to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from fetalstream.tui.export.identity import Identity

TABLES: Final = ("csv", "jsonl", "parquet")
DICOM: Final = "dicom"
EMBEDDINGS: Final = "npz"
FORMATS: Final = (*TABLES, DICOM, EMBEDDINGS)
DEFAULT_FORMATS: Final = ("csv", "jsonl")


class Pacs(NamedTuple):
    """An archive: where it is, what it is called, and what we are called there."""

    host: str
    port: int
    called_ae: str = "ANY-SCP"
    calling_ae: str = "FETALSTREAM"

    def __str__(self) -> str:
        return f"{self.called_ae} at {self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Export:
    """What is wanted.

    Attributes:
        out: the folder, made where it is missing, 0700; None where all goes to ``pacs``.
        formats: of ``FORMATS``.
        exam: which examination, from 1; None for all.
        identity: of patient and study; written into DICOM images and nowhere else.
        pacs: where images go, beside the folder or instead of it.
    """

    out: Path | None = None
    formats: Sequence[str] = DEFAULT_FORMATS
    exam: int | None = None
    identity: Identity = field(default_factory=Identity)
    pacs: Pacs | None = None
