"""Which frames go into the next batch, and how large batches are. Passive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

SIZES: Final = (1, 2, 4, 8, 16, 32)
"""Pictures a batch; a device that wants fixed shapes gets a smaller batch padded to the next of these."""

BATCH_SECONDS: Final = 0.5
"""What one batch may take where it gains nothing from being larger: health, commands and other streams wait for it."""

_Taken = TypeVar("_Taken")


def padded_size(pictures: int) -> int:
    """The smallest of `SIZES` that holds so many pictures.

    Raises:
        ValueError: none does.
    """
    for size in SIZES:
        if pictures <= size:
            return size
    raise ValueError(f"a batch holds at most {SIZES[-1]} pictures, got {pictures}")


def largest_size(picture_seconds: float | None, most: int) -> int:
    """The largest of `SIZES`, up to ``most``, whose batch takes at most `BATCH_SECONDS`; never less than one picture.

    Args:
        picture_seconds: what one picture takes within a batch; None where that is not known yet.
        most: pictures a batch, whatever they take.
    """
    fitting = [size for size in SIZES if size <= most]
    if picture_seconds is not None:
        fitting = [size for size in fitting if size * picture_seconds <= BATCH_SECONDS]
    return fitting[-1] if fitting else 1


class RoundRobin:
    """Takes from several streams in turn, and remembers whose turn it is."""

    def __init__(self) -> None:
        self._next = 0

    def gather(
        self,
        takes: Sequence[Callable[[], _Taken | None]],
        is_picture: Callable[[_Taken], bool],
        pictures: int,
        most: int,
    ) -> list[_Taken]:
        """What waits, one from each stream in turn; nobody waits for a batch to fill.

        Args:
            takes: a stream each: gives its next, or None where nothing waits.
            is_picture: whether what was taken needs the model, and so counts.
            pictures: that the batch has room for. Where there are several streams, one may fill half of it (or its
                equal share, where that is more than half): what comes from the others meanwhile finds room.
            most: things taken, pictures and others.
        """
        taken: list[_Taken] = []
        cap = pictures if len(takes) == 1 else max(1, pictures // 2)
        counts = [0] * len(takes)
        idle = seen = 0
        while idle < len(takes) and seen < pictures and len(taken) < most:
            turn = self._next % len(takes)
            self._next += 1
            one = takes[turn]() if counts[turn] < cap else None
            idle = idle + 1 if one is None else 0
            if one is not None:
                counts[turn] += is_picture(one)
                seen += is_picture(one)
                taken.append(one)
        return taken
