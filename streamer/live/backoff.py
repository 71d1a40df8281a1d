"""Waiting times between attempts to reach a source. Passive."""

from __future__ import annotations

from typing import Final

FIRST_SECONDS: Final = 0.5
# Opening takes time too, and pictures must be there within five seconds of the source's return.
LONGEST_SECONDS: Final = 3.5


class Backoff:
    """Computes waiting times: attempts begin 0.5 s apart, then twice that, and so on up to 3.5 s, for ever."""

    def __init__(self) -> None:
        self._apart_s = FIRST_SECONDS

    def succeeded(self) -> None:
        """Begin anew: the next failure counts as the first."""
        self._apart_s = FIRST_SECONDS

    def wait_s(self, tried_for_s: float) -> float:
        """Return the seconds until the next attempt, after one that failed and took ``tried_for_s``."""
        apart_s, self._apart_s = self._apart_s, min(LONGEST_SECONDS, 2 * self._apart_s)
        return max(FIRST_SECONDS / 2, apart_s - tried_for_s)
