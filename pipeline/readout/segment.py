"""The segment of a stream: what frames must share before their readings may be compared, smoothed or fused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """One uninterrupted stretch of a stream. Every stage is given it with the frame and compares it with the last one.

    A stage that compares neighbouring pictures looks at `picture`, one that fuses ages at `ages`, and one that repeats
    a whole answer at all of it. Nothing else in the pipeline says that something is to be forgotten.

    Attributes:
        exam: id of the examination that the frame belongs to.
        epoch: the frame's; grows when time jumped, or the size or layout changed.
        masking: grows whenever another part of the picture is shown: a new scan region, or one that moved.
        scale: grows whenever the operator says something of the spacing.
    """

    exam: str = ""
    epoch: int = 0
    masking: int = 0
    scale: int = 0

    @property
    def picture(self) -> tuple[str, int, int]:
        """Fields that two frames must share for a difference between them to mean movement."""
        return self.exam, self.epoch, self.masking

    @property
    def ages(self) -> tuple[str, int]:
        """Fields that two frames must share for their ages to be of one fetus and read with a spacing that holds."""
        return self.exam, self.scale
