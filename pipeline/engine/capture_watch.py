"""Watch over a stream's capture: silence, deaths and warnings become events. Passive: time comes in."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Literal

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.frame_readers import FrameReader

# Looked at four times a second: silence is reported as stale within a second, and as lost within three.
STALE_MS: Final = 700.0
LOST_MS: Final = 2_700.0
_PERIODS: Final = 2.5  # a source of few frames a second is not stale between two of them
_RATES: Final = 3
_SECOND_NS: Final = 1_000_000_000

Silence = Literal["stale", "lost", "failed"]


class CaptureWatch:
    """Watches over the frames of one reader.

    Args:
        reader: the stream's reader.
        warnings: of the source, filled while it is read.
        started_ns: monotonic; silence is counted from here until the first frame.
    """

    def __init__(self, reader: FrameReader, warnings: Sequence[str], started_ns: int) -> None:
        self._reader = reader
        self._warnings = warnings
        self._started_ns = started_ns
        self._since_ns = started_ns
        self._captured = 0
        self._rates_hz: deque[float] = deque(maxlen=_RATES)
        self._gone: Silence | None = None
        self._deaths = self._warnings_reported = 0

    def silence(self, now_ns: int) -> Silence | None:
        """Return how badly frames are missing; None while they come, and if nobody waits for them."""
        reader = self._reader
        if reader.error is not None or reader.status.state == "failed":
            return "failed"
        if not reader.live or reader.finished:  # what came to its proper end is not missed
            return None
        newest_ns = reader.tally().newest_ns
        silent_ms = (now_ns - (self._started_ns if newest_ns is None else newest_ns)) / 1e6
        # The best of the last seconds: the last one may have been cut short by the silence itself. And two that had
        # frames: one frame makes no rate.
        steady = sum(rate_hz > 0 for rate_hz in self._rates_hz) >= 2
        patience_ms = _PERIODS * 1e3 / max(self._rates_hz) if steady else 0.0
        if silent_ms > max(LOST_MS, 2 * patience_ms):
            return "lost"
        return "stale" if silent_ms > max(STALE_MS, patience_ms) else None

    def update(self, now_ns: int) -> list[tuple[wire.EventName, dict[str, Any]]]:
        """Return the events since the last call: names and details."""
        self._count(now_ns)
        if self._reader.finished:
            return self._warned()
        return [*self._warned(), *self._died(), *self._changed(self.silence(now_ns))]

    def _warned(self) -> list[tuple[wire.EventName, dict[str, Any]]]:
        new = self._warnings[self._warnings_reported :]
        self._warnings_reported += len(new)
        return [("source_warning", {"text": text}) for text in new]

    def _died(self) -> list[tuple[wire.EventName, dict[str, Any]]]:
        status = self._reader.status
        if status.deaths == self._deaths:
            return []
        self._deaths = status.deaths
        again = "" if status.state == "failed" else "; it is started again"
        return [("source_warning", {"text": f"{status.died}{again}"})]

    def _changed(self, silence: Silence | None) -> list[tuple[wire.EventName, dict[str, Any]]]:
        before, trouble = self._gone, self._reader.status.trouble or "no frames come"
        if silence == "failed":
            self._gone = "failed"
            return [] if before == "failed" else [("source_failed", {"reason": trouble})]
        if silence is None:
            self._gone = None
            return [] if before is None else [("source_back", {})]
        if before == "failed":
            self._gone = "lost"
        elif silence == "lost" and before is None:
            self._gone = "lost"
            return [("source_lost", {"reason": trouble})]
        return []

    def _count(self, now_ns: int) -> None:
        seconds = (now_ns - self._since_ns) / _SECOND_NS
        if seconds >= 1:
            captured = self._reader.tally().captured
            self._rates_hz.append((captured - self._captured) / seconds)
            self._since_ns, self._captured = now_ns, captured
