"""Identifiers of patient and study, given when pictures are exported and kept nowhere else."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec

# DICOM PS3.5, 6.2: what a value of each representation may hold.
_TEXT: Final = r"^[^\\\x00-\x1f\x7f]*$"
_Long = Annotated[str, msgspec.Meta(max_length=64, pattern=_TEXT)]
_Short = Annotated[str, msgspec.Meta(max_length=16, pattern=_TEXT)]
_NAME: Final = re.compile(r"[^\\^=\x00-\x1f\x7f]*(\^[^\\^=\x00-\x1f\x7f]*){0,4}")
_UID: Final = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_LONGEST: Final = 64


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The identifiers that are written into DICOM images; None for an unknown one.

    Attributes:
        patient_id: of the patient.
        patient_name: ``Family^Given``.
        patient_birth_date: ``YYYYMMDD``.
        accession: number of the order.
        study_id: of the study.
        study_uid: of the study that the pictures belong to; None makes a new one.

    Raises:
        ValueError: DICOM does not allow a value; the message says which and why.
    """

    patient_id: _Long | None = None
    patient_name: str | None = None
    patient_birth_date: str | None = None
    accession: _Short | None = None
    study_id: _Short | None = None
    study_uid: str | None = None

    def __post_init__(self) -> None:
        """Check what the fields' patterns cannot express."""
        name, born, uid = self.patient_name, self.patient_birth_date, self.study_uid
        if name is not None and not (_NAME.fullmatch(name) and len(name) <= _LONGEST):
            raise ValueError("patient name: wanted FAMILY^GIVEN, 64 characters at most")
        if born is not None and not _is_date(born):
            raise ValueError("patient birth date: wanted YYYYMMDD")
        if uid is not None and not (_UID.fullmatch(uid) and len(uid) <= _LONGEST):
            raise ValueError("study UID: wanted numbers with dots between them, 64 characters at most")

    @property
    def of_a_patient(self) -> bool:
        """True if any identifier is given: the images may then be of one examination only."""
        return any(getattr(self, field) is not None for field in self.__struct_fields__)


def _is_date(text: str) -> bool:
    try:
        return len(text) == len("YYYYMMDD") and bool(datetime.strptime(text, "%Y%m%d"))
    except ValueError:
        return False


def read_identity(path: Path) -> Identity:
    """Return the identifiers in a TOML file, which other users of the machine need not be able to read.

    Raises:
        ValueError: it cannot be read, or is not what it should be.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Identity)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {str(error).splitlines()[0]}") from error
