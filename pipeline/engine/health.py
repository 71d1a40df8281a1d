"""Measures a stream's rates, ages and latencies, for its ``health`` message. Passive: time comes in."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Final

import numpy as np
import psutil

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.capture_watch import Silence
from fetalstream.pipeline.engine.frame_readers import FrameReader
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer

WINDOW_NS: Final = 10_000_000_000
_RATES_AFTER_S: Final = 0.5
HOPS: Final = ("capture", "queue", "preprocess", "encode")
_SAMPLES_FOR_P999: Final = 1_000  # among fewer it is the largest, and says nothing else
_MOST_SAMPLES: Final = 4_096  # ten seconds of the fastest stream; a bound, not a window


class HealthMeter:
    """Measures the health of one stream.

    Args:
        device: what the model runs on.
        started_ns: monotonic.
    """

    def __init__(self, device: str, started_ns: int) -> None:
        self._device = device
        self._since_ns = started_ns
        self._process: psutil.Process | None = None
        self._memory_mb = 0.0
        self._captured = self._finished = 0
        self._fps_in = self._fps_out = 0.0
        self._spent: deque[tuple[int, wire.Latency]] = deque(maxlen=_MOST_SAMPLES)

    def note(self, spent: wire.Latency, now_ns: int) -> None:
        """Note the time that a reading took, hop by hop, as it goes out."""
        self._spent.append((now_ns, spent))

    def health(
        self,
        analyzer: StreamAnalyzer,
        reader: FrameReader,
        now_ns: int,
        *,
        paused: bool,
        silence: Silence | None = None,
    ) -> wire.Health:
        """Return the health message, and begin the next interval of the rates; ``silence``: see `CaptureWatch`."""
        tally = reader.tally()
        seconds = (now_ns - self._since_ns) / 1e9
        # A message may go out early, when a state has changed: too soon for a rate.
        if seconds >= _RATES_AFTER_S:
            self._fps_in = (tally.captured - self._captured) / seconds
            self._fps_out = (analyzer.finished - self._finished) / seconds
            self._since_ns, self._captured, self._finished = now_ns, tally.captured, analyzer.finished
        age_ms = None if tally.newest_ns is None else max(0.0, (now_ns - tally.newest_ns) / 1e6)
        return wire.Health(
            exam=analyzer.exam,
            stream=analyzer.stream,
            state=silence or analyzer.state,
            fps_in=self._fps_in,
            fps_out=self._fps_out,
            counts=analyzer.counts(tally.captured, tally.dropped, tally.waiting),
            reconnects=reader.status.reconnects,
            last_frame_age_ms=age_ms,
            latency_ms=self._percentiles("total", now_ns),
            hops_ms={hop: self._percentiles(hop, now_ns) for hop in HOPS},
            device=self._device,
            memory_mb=self._memory(),
            paused=paused,
        )

    def _memory(self) -> float:
        """Return the memory of this process, MB; the last value if the system has no descriptor left to ask with."""
        with contextlib.suppress(OSError, psutil.Error):
            self._process = self._process or psutil.Process()
            self._memory_mb = self._process.memory_info().rss / 2**20
        return self._memory_mb

    def _percentiles(self, hop: str, now_ns: int) -> wire.Percentiles:
        while self._spent and now_ns - self._spent[0][0] > WINDOW_NS:
            self._spent.popleft()
        known = [ms for _, spent in self._spent if (ms := getattr(spent, hop)) is not None]
        if not known:
            return wire.Percentiles()
        p50, p90, p99, p999 = np.percentile(known, (50, 90, 99, 99.9)).tolist()
        return wire.Percentiles(
            p50=p50, p90=p90, p99=p99, p999=p999 if len(known) >= _SAMPLES_FOR_P999 else None, max=max(known)
        )
