"""Whether the last answer still holds: a picture that does not change need not be looked at again."""

from __future__ import annotations

from typing import Final

from pipeline import wire

MAX_SECONDS: Final = 2.0
"""Media time after which even a picture that has not changed is looked at again."""


class ReuseGate:
    """Says of frame after frame whether the answer to the last analysed one holds for it too. Passive, media time."""

    def __init__(self) -> None:
        self._epoch: int | None = None
        self._since_seconds = 0.0

    def reset(self) -> None:
        """The last answer holds no longer: there is none, or it was given under other terms."""
        self._epoch = None

    def holds(self, epoch: int, pts_seconds: float, state: wire.State, *, identical: bool) -> bool:
        """Decide for the next frame; where the answer is False the frame must be analysed, and anchors what follows.

        Args:
            epoch: of the frame.
            pts_seconds: its media time.
            state: of the signal with this frame.
            identical: whether its pixels are those of the frame before.
        """
        still = identical or state == "frozen"
        if still and epoch == self._epoch and 0 <= pts_seconds - self._since_seconds < MAX_SECONDS:
            return True
        self._epoch, self._since_seconds = epoch, pts_seconds
        return False
