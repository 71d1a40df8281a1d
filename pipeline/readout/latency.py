"""Latency of a frame: milliseconds between the time stamps that it got on its way."""

from __future__ import annotations

from typing import NamedTuple

from fetalstream.pipeline import wire


class BatchTimings(NamedTuple):
    """Times of a frame's batch in milliseconds: waiting for the device, being preprocessed, being encoded."""

    queue_ms: float
    preprocess_ms: float
    encode_ms: float


def latency_of(
    captured_ns: int, arrived_ns: int | None, prepared_ns: int, now_ns: int, timings: BatchTimings | None
) -> wire.Latency:
    """Return the latencies for a reading, milliseconds.

    Args:
        captured_ns: the source's stamp; all on the monotonic clock.
        arrived_ns: when the frame reached the engine's process; None if nobody looked.
        prepared_ns: when the engine took it.
        now_ns: after its analysis.
        timings: of its batch; None if the model was not asked.
    """
    waited_ms = (prepared_ns - (captured_ns if arrived_ns is None else arrived_ns)) / 1e6
    return wire.Latency(
        capture=None if arrived_ns is None else (arrived_ns - captured_ns) / 1e6,
        queue=waited_ms + (0.0 if timings is None else timings.queue_ms),
        preprocess=None if timings is None else timings.preprocess_ms,
        encode=None if timings is None else timings.encode_ms,
        total=(now_ns - captured_ns) / 1e6,
    )
