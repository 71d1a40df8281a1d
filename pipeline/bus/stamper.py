"""Fills in what every message says of its origin: run, place in its topic, and time."""

from __future__ import annotations

import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from fetalstream.pipeline import wire

AnyMessage = TypeVar("AnyMessage", bound=wire.Header)


def new_run() -> str:
    """Return a new id for one start of the engine."""
    return uuid.uuid4().hex[:16]


class MessageStamper:
    """Numbers messages from 0 per topic, without gaps, and dates them. May be used from several threads.

    Args:
        run: id of this start of the engine.
        clock_ns: monotonic.
        wall_seconds: seconds since 1970.
    """

    def __init__(
        self,
        run: str,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        wall_seconds: Callable[[], float] = time.time,
    ) -> None:
        self.run = run
        self._clock_ns = clock_ns
        self._wall_seconds = wall_seconds
        self._next: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._lock = threading.Lock()

    def stamp(self, message: AnyMessage) -> AnyMessage:
        """Return the message with ``run``, ``seq``, ``published_ns`` and ``wall_time``; the rest stays the same."""
        with self.stamped(message) as stamped:
            return stamped

    @contextmanager
    def stamped(self, message: AnyMessage) -> Generator[AnyMessage]:
        """Yield the stamped message to a block that may fail; its ``seq`` is spent only if the block ends well."""
        topic = (str(message.__struct_config__.tag), message.stream)
        with self._lock:
            seq = self._next[topic]
            yield msgspec.structs.replace(
                message,
                run=self.run,
                seq=seq,
                published_ns=self._clock_ns(),
                wall_time=rfc3339(self._wall_seconds()),
            )
            self._next[topic] = seq + 1


def rfc3339(wall_seconds: float) -> str:
    """Return the time in UTC with milliseconds, for example ``2026-01-02T10:15:00.123Z``."""
    moment = datetime.fromtimestamp(wall_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
