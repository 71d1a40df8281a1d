"""Batching chooses the frames of the next batch and its size. Passive: no thread, no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

SIZES: Final = (1, 2, 4, 8, 16, 32)
"""Pictures a batch; for a device that needs fixed shapes a batch is padded to the next of these sizes."""

BATCH_SECONDS: Final = 0.5
"""Longest time of a batch that gains nothing from being larger: health, commands and other streams wait for it."""

_Taken = TypeVar("_Taken")


def padded_size(pictures: int) -> int:
    """Return the smallest of `SIZES` that holds this many pictures.

    Raises:
        ValueError: there are more than the largest size holds.
    """
    for size in SIZES:
        if pictures <= size:
            return size
    raise ValueError(f"a batch holds at most {SIZES[-1]} pictures, got {pictures}")


def largest_size(picture_seconds: float | None, most: int) -> int:
    """Return the largest of `SIZES`, up to ``most``, whose batch takes at most `BATCH_SECONDS`; at least 1.

    Args:
        picture_seconds: time that one picture takes within a batch; None if it is not known yet.
        most: limit of pictures a batch, however fast they are.
    """
    fitting = [size for size in SIZES if size <= most]
    if picture_seconds is not None:
        fitting = [size for size in fitting if size * picture_seconds <= BATCH_SECONDS]
    return fitting[-1] if fitting else 1


class RoundRobin:
    """Takes items from several streams in turn, and remembers whose turn is next."""

    def __init__(self) -> None:
        self._next = 0

    def gather(
        self,
        takes: Sequence[Callable[[], _Taken | None]],
        is_picture: Callable[[_Taken], bool],
        pictures: int,
        most: int,
    ) -> list[_Taken]:
        """Take waiting items, one from each stream in turn, without waiting for the batch to fill.

        Args:
            takes: one function a stream that returns its next item, or None if nothing waits.
            is_picture: returns whether an item needs the model, and so takes room in the batch.
            pictures: pictures that the batch has room for. With several streams, one stream may fill half of it, so
                that frames which other streams deliver meanwhile find room.
            most: limit of items taken, pictures and others together.
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
