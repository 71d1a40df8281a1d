"""A sender's clock, believed as long as it goes like one. Passive: the time comes in as an argument."""

from __future__ import annotations

from typing import Final

from fetalstream.streamer.readers.timeline import MAX_GAP_SECONDS

_SLOWEST, _FASTEST = 0.25, 4.0  # of the clock here: a recording may be sent at another pace, and networks hold back
_MEASURED_SECONDS: Final = 2.0
_REPEATS: Final = 3  # of one time stamp in a row, over
_REPEATED_SECONDS: Final = 0.2
_BACK_TWICE_SECONDS: Final = 1.0

DOUBT: Final = (
    "the sender's time stamps do not go like a clock in seconds (they jump, stand, or count something else);"
    " frames are timed by their arrival: set the clock of the sender"
)


class SenderClock:
    """Times pictures by the time stamps that came with them, until these turn out not to be those of a clock.

    From then on pictures are timed by their arrival, without a jump in between. One step back, as of a recording that
    is sent again and again, is no reason for it.

    Attributes:
        doubted: whether time stamps are no longer used.
    """

    def __init__(self) -> None:
        self.doubted = False
        self._offset = 0.0
        self._repeats = 0
        self._repeated_since = 0.0
        self._stepped_back: float | None = None
        self._began: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None

    def connect(self) -> None:
        """Measure anew: what comes next is a new connection, and its clock may have been set."""
        self._began = self._last = self._stepped_back = None
        self._repeats = 0

    def seconds(self, stamp: float, now: float) -> float:
        """Return when a picture was made, on a clock of its own.

        Args:
            stamp: of the sender, seconds if it is right.
            now: time of arrival, seconds.
        """
        if not self.doubted and self._last is not None and self._is_wrong(stamp, now, self._last):
            self.doubted = True
            self._offset = self._last[0] - self._last[1]
        self._began = self._began or (stamp, now)
        self._last = stamp, now
        return now + self._offset if self.doubted else stamp

    def _is_wrong(self, stamp: float, now: float, last: tuple[float, float]) -> bool:
        ahead, waited = stamp - last[0], now - last[1]
        if ahead > MAX_GAP_SECONDS and ahead > _FASTEST * waited:
            return True
        if ahead < 0:
            before, self._stepped_back = self._stepped_back, now
            self._began = None
            return before is not None and now - before < _BACK_TWICE_SECONDS
        if ahead > 0:
            self._repeats = 0
        else:
            self._repeats += 1
            self._repeated_since = last[1] if self._repeats == 1 else self._repeated_since
            return self._repeats >= _REPEATS and now - self._repeated_since > _REPEATED_SECONDS
        return self._pace_is_wrong(stamp, now)

    def _pace_is_wrong(self, stamp: float, now: float) -> bool:
        if self._began is None or now - self._began[1] < _MEASURED_SECONDS:
            return False
        return not _SLOWEST <= (stamp - self._began[0]) / (now - self._began[1]) <= _FASTEST
