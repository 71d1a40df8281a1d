"""Timeline of a source: media time and epoch of each frame, from time stamps that may be missing, go back or jump."""

from __future__ import annotations

MAX_GAP_SECONDS = 5.0


class Timeline:
    """Places each frame of a source in media time and says to which epoch it belongs.

    A new epoch begins if a time stamp goes back, jumps by more than ``MAX_GAP_SECONDS`` or starts to be missing, and
    if the frames change their size. The time of a frame without a time stamp is one period after the frame before it,
    and so is that of a frame after a jump: a clock that starts again must neither repeat times nor skip a day.
    A source that never has time stamps is counted through and stays in one epoch.

    Attributes:
        clock_restarted: whether time stamps jumped, so that the first and the last of them tell no length.

    Args:
        period_seconds: the time from frame to frame, for frames without time stamps and after a jump.
        pauses: whether a jump ahead is a pause of that length, as in containers that keep one clock; it begins an
            epoch, and its length counts.
    """

    def __init__(self, period_seconds: float, *, pauses: bool = False) -> None:
        self._period = period_seconds
        self._pauses = pauses
        self._origin: float | None = None
        self._last: float | None = None
        self._was_stamped = False
        self._layout: tuple[float | None, ...] | None = None
        self._resume_at: float | None = None
        self._epoch = 0
        self.clock_restarted = False

    def place(self, pts_seconds: float | None, layout: tuple[float | None, ...]) -> tuple[float, int]:
        """Return media time, in seconds from the start of the source, and epoch of the next frame.

        Args:
            pts_seconds: the frame's time stamp on the source's own clock, None if it is missing.
            layout: height and width of the frame's pixels, and whatever else begins a new epoch when it changes.
        """
        now = self._media_time(pts_seconds)
        returned, self._resume_at = self._resume_at is not None, None
        jumped = self._last is not None and self._jumped(now, pts_seconds is not None)
        if jumped and pts_seconds is not None and not returned and not self._paused(now):
            assert self._last is not None
            now = self._last + self._period
            self._origin = pts_seconds - now
            self.clock_restarted = True
        self._epoch += returned or jumped or layout != (self._layout or layout)
        self._last, self._layout, self._was_stamped = now, layout, pts_seconds is not None
        return now, self._epoch

    def reconnect(self, now_seconds: float) -> None:
        """Begin a new epoch with the next frame: the source was gone, and comes back on a clock of its own.

        Args:
            now_seconds: media time of that frame; moved behind the frames that have come, if it is not.
        """
        if self._last is None:
            return
        self._resume_at = max(now_seconds, self._last + self._period)
        self._origin = None

    def _media_time(self, pts_seconds: float | None) -> float:
        expected = 0.0 if self._last is None else self._last + self._period
        expected = expected if self._resume_at is None else self._resume_at
        if pts_seconds is None:
            return expected
        if self._origin is None:
            # Frames that came before the first time stamp have counted time already: it goes on from there.
            self._origin = pts_seconds - expected
        return pts_seconds - self._origin

    def _jumped(self, now: float, stamped: bool) -> bool:
        if not stamped:
            return self._was_stamped
        assert self._last is not None
        return not 0.0 <= now - self._last <= MAX_GAP_SECONDS

    def _paused(self, now: float) -> bool:
        assert self._last is not None
        return self._pauses and now > self._last
