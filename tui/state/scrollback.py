"""A store of past moments of the session, to go back in time while live goes on. Passive."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

from fetalstream.tui.state.session import Session

KEPT_EVERY_NS = 500_000_000
KEPT_FOR_NS = 300_000_000_000


class Scrollback:
    """Keeps the session twice a second for five minutes; sessions share what did not change."""

    def __init__(self) -> None:
        self._moments: deque[tuple[int, Session]] = deque()

    def add(self, session: Session, now_ns: int) -> None:
        """Keep this moment, if the last one is old enough."""
        if self._moments and now_ns - self._moments[-1][0] < KEPT_EVERY_NS:
            return
        self._moments.append((now_ns, session))
        while now_ns - self._moments[0][0] > KEPT_FOR_NS:
            self._moments.popleft()

    def at(self, then_ns: int) -> tuple[Session, int] | None:
        """Return the session as it was then, or at the first moment kept, and its time; None if none is kept."""
        if not self._moments:
            return None
        at = bisect_right(self._moments, then_ns, key=lambda moment: moment[0])
        then, session = self._moments[max(0, at - 1)]
        return session, then

    def clear(self) -> None:
        """Forget all moments that were kept."""
        self._moments.clear()
