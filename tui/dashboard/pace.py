"""The pace at which pictures are drawn, chosen so that a slow terminal is never far behind. Passive.

A terminal over a slow link takes what is written into a buffer of the system's (64 kB on Linux: half a second at
150 kB/s) before anybody sees that it is slow. So the pace is backed off as soon as the writer is held up, and
tried faster again only after a while, as congestion control does.
"""

from __future__ import annotations

FASTEST_S = 1 / 15
SLOWEST_S = 0.6
_BACK_OFF = 1.7
_TRY_FASTER = 0.93
_QUIET_S = 6.0
_HELD_UP_TICKS = 2


class Pace:
    """Decides at every tick, from whether the terminal is held up, whether a picture may be drawn."""

    def __init__(self) -> None:
        self.every_s = FASTEST_S
        self._busy_ticks = 0
        self._drawn_s = float("-inf")
        self._calm_since_s = float("-inf")

    def may_draw(self, now_s: float, *, busy: bool) -> bool:
        """Return whether a picture may be drawn now.

        Args:
            now_s: monotonic time, seconds.
            busy: the terminal has not taken all of the last drawing yet.
        """
        self._busy_ticks = self._busy_ticks + 1 if busy else 0
        # A late tick can come right upon a drawing; a terminal that is slow is still busy at the next one.
        if self._busy_ticks >= _HELD_UP_TICKS:
            self._calm_since_s = now_s
        if busy:
            if self._busy_ticks == _HELD_UP_TICKS:
                self.every_s = min(SLOWEST_S, self.every_s * _BACK_OFF)
            return False
        if self.every_s > FASTEST_S and now_s - self._calm_since_s >= _QUIET_S:
            self._calm_since_s = now_s
            self.every_s = max(FASTEST_S, self.every_s * _TRY_FASTER)
        # Ticks come at the fastest pace: every one will do then, and else one that comes half a tick early.
        if self.every_s > FASTEST_S and now_s - self._drawn_s < self.every_s - FASTEST_S / 2:
            return False
        self._drawn_s = now_s
        return True
