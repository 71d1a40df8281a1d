"""What went wrong while a recording was read: counted on the way, said when it ends."""

from __future__ import annotations

from dataclasses import dataclass

_SHORT_SECONDS = 0.5  # durations in headers are rounded, and include the time that the last frame stands
_SHORT_PERIODS = 2


@dataclass
class Damage:
    """Counts of one reading.

    Attributes:
        undecoded: parts of the file that the decoder refused.
        unusable: pictures that decoded and could not be made into frames.
        blemished: frames that the decoder patched up.
        reading_failed: whether reading broke off before the end of the file.
    """

    undecoded: int = 0
    unusable: int = 0
    blemished: int = 0
    reading_failed: bool = False

    def lines(self) -> list[str]:
        """One line for each kind of damage that occurred."""
        counted = (
            ("damaged parts that could not be decoded and were left out", self.undecoded),
            ("pictures that could not be converted and were left out", self.unusable),
            ("damaged frames that were read as far as they decode", self.blemished),
        )
        lines = [f"{what}: {count}" for what, count in counted if count]
        return [*lines, "the file could not be read to its end"] if self.reading_failed else lines


@dataclass(frozen=True)
class Extent:
    """How long a recording says it is; None where it does not."""

    frames: int | None
    seconds: float | None
    period_seconds: float

    def shortfall(self, frames: int, seconds: float) -> str | None:
        """One line when what was read is less, None when it is all, or when nobody knows.

        Args:
            frames: how many were read.
            seconds: media time of the last of them.
        """
        if self.frames is not None:
            if frames < self.frames:
                return f"{frames} of {self.frames} frames could be read; the file may be cut short"
            return None
        slack = max(_SHORT_SECONDS, _SHORT_PERIODS * self.period_seconds)
        if self.seconds is not None and seconds < self.seconds - slack:
            return f"{seconds:.1f} of {self.seconds:.1f} seconds could be read; the file may be cut short"
        return None
