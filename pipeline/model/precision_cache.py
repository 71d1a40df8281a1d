"""Results of comparing a precision with float32 are kept on disk for ``--precision auto``."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import msgspec
import platformdirs


class PrecisionResult(msgspec.Struct, frozen=True):
    """The result for one model's weights, in one precision on one kind of device.

    Attributes:
        weights_sha256: hex digest of the weights.
        device: "cpu" or "cuda".
        precision: name of the number format ("bfloat16").
        reasons: why the precision must not be used; empty if it may be.
    """

    weights_sha256: str
    device: str
    precision: str
    reasons: tuple[str, ...]


def save(result: PrecisionResult) -> None:
    """Save a result for later starts; write errors are ignored, and the comparison can be run again."""
    with contextlib.suppress(OSError):
        path = _path(result.weights_sha256, result.device, result.precision)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(result))
        part.replace(path)


def has_failed(weights_sha256: str, device: str, precision: str) -> bool:
    """Return whether this combination was compared and failed; one that was never compared has not failed."""
    try:
        result = msgspec.json.decode(_path(weights_sha256, device, precision).read_bytes(), type=PrecisionResult)
    except (OSError, msgspec.DecodeError):
        return False
    return bool(result.reasons)


def _path(weights_sha256: str, device: str, precision: str) -> Path:
    key = hashlib.sha256(f"{weights_sha256}/{device}/{precision}".encode()).hexdigest()[:32]
    return platformdirs.user_cache_path("fetalstream") / "verdicts" / f"{key}.json"
