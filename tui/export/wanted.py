"""The options of an export: formats, examination, identity, archive."""

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
    """An archive's address and title, and our own title there."""

    host: str
    port: int
    called_ae: str = "ANY-SCP"
    calling_ae: str = "FETALSTREAM"

    def __str__(self) -> str:
        return f"{self.called_ae} at {self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Export:
    """The options of an export.

    Attributes:
        out: the folder, made (0700) if it is missing; None if everything goes to ``pacs``.
        formats: some of ``FORMATS``.
        exam: which examination, from 1; None for all.
        identity: identifiers of patient and study, written into DICOM images and nowhere else.
        pacs: the archive that images go to, beside the folder or instead of it.
    """

    out: Path | None = None
    formats: Sequence[str] = DEFAULT_FORMATS
    exam: int | None = None
    identity: Identity = field(default_factory=Identity)
    pacs: Pacs | None = None
