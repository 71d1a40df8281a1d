"""What was found when a precision was compared with float32, remembered for ``--precision auto``."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import msgspec
import platformdirs


class PrecisionResult(msgspec.Struct, frozen=True):
    """Of one model's weights, in one precision on one kind of device. ``reasons``: why it failed, empty where not."""

    weights_sha256: str
    device: str
    precision: str
    reasons: tuple[str, ...]


def save(result: PrecisionResult) -> None:
    """For the next start; a cache that cannot be written forgets, and nothing else."""
    with contextlib.suppress(OSError):
        path = _path(result.weights_sha256, result.device, result.precision)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(result))
        part.replace(path)


def has_failed(weights_sha256: str, device: str, precision: str) -> bool:
    """Whether this combination was compared, and failed; what was never compared has not failed."""
    try:
        result = msgspec.json.decode(_path(weights_sha256, device, precision).read_bytes(), type=PrecisionResult)
    except (OSError, msgspec.DecodeError):
        return False
    return bool(result.reasons)


def _path(weights_sha256: str, device: str, precision: str) -> Path:
    key = hashlib.sha256(f"{weights_sha256}/{device}/{precision}".encode()).hexdigest()[:32]
    return platformdirs.user_cache_path("fetalstream") / "verdicts" / f"{key}.json"
