"""Shapes of the scan region of a frame. Names, dates and menus lie outside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame


@dataclass(frozen=True, slots=True)
class Rectangle:
    """An upright rectangle of whole pixels; ``x`` and ``y`` are its left upper corner.

    Raises:
        SourceError: when it is empty or begins outside every frame.
    """

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.x < 0 or self.y < 0 or self.width < 1 or self.height < 1:
            raise SourceError(f"the sector {self} must begin at 0,0 or more and be at least 1 pixel wide and high")

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.width},{self.height}"

    def fits(self, frame: Frame) -> bool:
        """Tell whether the whole rectangle lies in the frame."""
        return self.x + self.width <= frame.width and self.y + self.height <= frame.height

    @property
    def polygon(self) -> tuple[tuple[int, int], ...]:
        """The four corners ``(x, y)``, clockwise from the left upper one, as edges between pixels."""
        right, bottom = self.x + self.width, self.y + self.height
        return ((self.x, self.y), (right, self.y), (right, bottom), (self.x, bottom))

    @property
    def rectangle(self) -> Rectangle:
        """The rectangle itself: every shape of a sector has one."""
        return self


@dataclass(frozen=True, slots=True)
class Polygon:
    """A scan region of any outline; ``corners`` are ``(x, y)`` in pixels of the frame, as edges between pixels.

    Raises:
        SourceError: when it has fewer than three corners, is empty, or leaves every frame.
    """

    corners: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        numbers = [value for corner in self.corners for value in corner]
        if len(self.corners) < 3 or not all(math.isfinite(value) and 0 <= value < _FARTHEST for value in numbers):
            raise SourceError("a sector's outline needs three corners or more, each x, y in pixels from 0,0")
        if abs(_area(self.corners)) < 1:
            raise SourceError("the sector's outline must go round at least one pixel")

    def __str__(self) -> str:
        return f"outline of {len(self.corners)} corners in {self.rectangle}"

    @property
    def rectangle(self) -> Rectangle:
        """The tight rectangle of whole pixels round the outline."""
        xs, ys = zip(*self.corners, strict=True)
        left, top = math.floor(min(xs)), math.floor(min(ys))
        return Rectangle(left, top, max(1, math.ceil(max(xs)) - left), max(1, math.ceil(max(ys)) - top))

    @property
    def polygon(self) -> tuple[tuple[float, float], ...]:
        """The corners, clockwise or not."""
        return self.corners


Shape: TypeAlias = Rectangle | Polygon

_FARTHEST = 1 << 16


def middle_height(shape: Shape) -> float:
    """Return the outline's height along the middle column of its rectangle, pixels.

    The depth that a scanner is set to spans this height, for a probe that looks straight down.
    """
    column = shape.rectangle.x + shape.rectangle.width / 2
    corners = shape.polygon
    rows: list[float] = []
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if min(x0, x1) <= column <= max(x0, x1):
            rows += [y0, y1] if x0 == x1 else [y0 + (y1 - y0) * (column - x0) / (x1 - x0)]
    return max(rows) - min(rows)


def _area(corners: tuple[tuple[float, float], ...]) -> float:
    """Signed area by the shoelace formula, square pixels."""
    pairs = zip(corners, (*corners[1:], corners[0]), strict=True)
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs) / 2


def from_values(values: Sequence[Any]) -> Shape:
    """Return the shape that plain values mean: ``[x, y, width, height]`` or ``[[x, y], [x, y], ...]``, in pixels.

    Raises:
        SourceError: when it is neither.
    """
    try:
        if len(values) == 4 and all(isinstance(value, (int, float)) for value in values):
            return Rectangle(*(int(_number(value)) for value in values))
        return Polygon(tuple((float(_number(x)), float(_number(y))) for x, y in values))
    except (TypeError, ValueError, OverflowError):
        raise SourceError("the sector must be [x, y, width, height] or corners [[x, y], ...], in pixels") from None


def _number(value: Any) -> int | float:
    """Return the value if it is a number; text that reads like one is none, nor are true and false."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return value


def to_values(shape: Shape | None) -> list[Any] | None:
    """Return plain values that `from_values` understands; None for None."""
    if isinstance(shape, Rectangle):
        return [shape.x, shape.y, shape.width, shape.height]
    return None if shape is None else [list(corner) for corner in shape.corners]
