"""Damage to a recording: counted while it is read, reported when it ends."""

from __future__ import annotations

from dataclasses import dataclass

_SHORT_SECONDS = 0.5  # durations in headers are rounded, and include the time that the last frame stands
_SHORT_PERIODS = 2


@dataclass
class Damage:
    """Counts of what was damaged in one pass over a recording.

    Attributes:
        undecoded: parts of the file that the decoder refused.
        unusable: pictures that decoded and could not be made into frames.
        blemished: frames that the decoder patched up, or left broken in part.
        trimmed: frames that the file itself says not to show.
        differing: parts of the file that differ from their checksum, if nothing else was found.
        reading_failed: whether reading broke off before the end of the file.
    """

    undecoded: int = 0
    unusable: int = 0
    blemished: int = 0
    trimmed: int = 0
    differing: int = 0
    reading_failed: bool = False

    def lines(self) -> list[str]:
        """Return one line for each kind of damage that occurred."""
        counted = (
            ("damaged parts that could not be decoded and were left out", self.undecoded),
            ("pictures that could not be converted and were left out", self.unusable),
            ("damaged frames that were read as far as they decode", self.blemished),
            ("parts with bit errors (their checksum differs), whose frames may be broken", self.differing),
        )
        lines = [f"{what}: {count}" for what, count in counted if count]
        return [*lines, "the file could not be read to its end"] if self.reading_failed else lines


@dataclass(frozen=True)
class Extent:
    """The length of a recording as its header gives it.

    Attributes:
        frames: None if the header does not say.
        seconds: None if the header does not say.
        period_seconds: time from frame to frame.
    """

    frames: int | None
    seconds: float | None
    period_seconds: float

    def shortfall(self, frames: int, seconds: float) -> str | None:
        """Return one line if less was read; None if all was, or if the header does not say.

        Args:
            frames: how many were read.
            seconds: media time at which the last of them ends.
        """
        if self.frames is not None:
            if frames < self.frames:
                return f"{frames} of {self.frames} frames could be read; the file may be cut short"
            return None
        slack = max(_SHORT_SECONDS, _SHORT_PERIODS * self.period_seconds)
        if self.seconds is not None and seconds < self.seconds - slack:
            return f"{seconds:.1f} of {self.seconds:.1f} seconds could be read; the file may be cut short"
        return None
