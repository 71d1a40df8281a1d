"""Limit of a child process's deaths, after which it is given up. Passive: times come in as arguments."""

from __future__ import annotations

from collections import deque
from typing import Final

DEATHS: Final = 5
WITHIN_S: Final = 60.0
"""Five deaths in a minute: what fails that often is not mended by starting it again."""


class RestartLimit:
    """The deaths of one child process over the last ``WITHIN_S``.

    Args:
        deaths: with so many deaths in that time the child is given up.
    """

    def __init__(self, deaths: int = DEATHS) -> None:
        self.deaths = deaths
        self._times_s: deque[float] = deque()

    def count(self, now_s: float) -> bool:
        """Count a death now, and return whether the child may be started again."""
        self._times_s.append(now_s)
        while self._times_s[0] <= now_s - WITHIN_S:
            self._times_s.popleft()
        return len(self._times_s) < self.deaths

    def forgive(self) -> None:
        """Forget all deaths: somebody asked for another try."""
        self._times_s.clear()
