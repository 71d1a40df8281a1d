"""Limits of age and size that sessions are kept within, read from words such as ``30d`` and ``20GB``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

_AGE: Final = re.compile(r"(\d{1,5}(?:\.\d{1,3})?) ?([hdw])", re.ASCII)
_SECONDS: Final = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_SIZE: Final = re.compile(r"(\d{1,5}(?:\.\d{1,3})?) ?(kB|MB|GB|TB)", re.ASCII | re.IGNORECASE)
_BYTES: Final = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


class Limits(NamedTuple):
    """The limits of `tui.record.retention.due`; None for no such limit."""

    older_than_s: float | None
    keep_bytes: int | None


def read_age_s(text: str) -> float:
    """Return the seconds of an age such as ``12h``, ``30d`` or ``2w``.

    Raises:
        ValueError: it is no such time.
    """
    if (read := _AGE.fullmatch(text)) is None:
        raise ValueError(f"must be hours, days or weeks as in 12h, 30d or 2w, got {text}")
    return float(read[1]) * _SECONDS[read[2]]


def read_size_bytes(text: str) -> int:
    """Return the bytes of a size such as ``20GB``; kB, MB, GB and TB count in thousands.

    Raises:
        ValueError: it is no such size.
    """
    if (read := _SIZE.fullmatch(text)) is None:
        raise ValueError(f"must be a size as in 500MB, 20GB or 1.5TB, got {text}")
    return round(Decimal(read[1]) * _BYTES[read[2].lower()])  # floats lose bytes of many terabytes
