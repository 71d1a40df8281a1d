"""The scale that the operator gave for a source. It was given for one picture, and ends with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fetalstream.streamer.frame import SpacingFrom

SMALLEST_MM: Final = 0.01
"""Fewer millimetres per pixel than any scan's picture has: 1,000 pixels would show 1 cm."""

LARGEST_MM: Final = 2.0
"""More than any scan's picture has: 200 pixels would show 40 cm."""

Spacing = tuple[float | None, SpacingFrom | None]
"""Millimetres per pixel and where they are from, both None if unknown."""


class GivenScale:
    """Decides between the operator's word and the source's own: the operator's goes first, for the first size only.

    Args:
        mm: millimetres per pixel, as the operator says; None if nothing was said.
        warn: takes a line when a frame has another size than the first.
    """

    def __init__(self, mm: float | None, warn: Callable[[str], object]) -> None:
        self._mm = mm
        self._warn = warn
        self._first_size: tuple[int, ...] | None = None

    def of(self, size: tuple[int, ...], own: Spacing = (None, None)) -> Spacing:
        """Return the spacing of the next frame.

        Args:
            size: height and width of the frame, pixels.
            own: what the source itself says.
        """
        self._first_size = self._first_size or size
        if self._mm is None:
            return own
        if size == self._first_size:
            return self._mm, "operator"
        self._warn("the frames change their size; the given spacing holds for the first size only")
        return own
