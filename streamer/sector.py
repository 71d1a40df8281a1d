"""The scan region of a frame. What lies outside it - names, dates, menus - never goes further than here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from streamer.errors import SourceError, shown
from streamer.frame import Frame


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
        """Whether the whole rectangle lies in the frame."""
        return self.x + self.width <= frame.width and self.y + self.height <= frame.height

    @property
    def polygon(self) -> tuple[tuple[int, int], ...]:
        """Its corners ``(x, y)``, clockwise from the left upper one, as edges between pixels."""
        right, bottom = self.x + self.width, self.y + self.height
        return ((self.x, self.y), (right, self.y), (right, bottom), (self.x, bottom))


def parse(text: str) -> Rectangle:
    """The rectangle that ``X,Y,W,H`` means, in pixels.

    Raises:
        SourceError: when it is not four whole numbers, or not a rectangle.
    """
    parts = text.split(",")
    try:
        x, y, width, height = (int(part) for part in parts)
    except ValueError:
        raise SourceError(f"the sector must be X,Y,W,H in whole pixels, got {shown(text)}") from None
    return Rectangle(x, y, width, height)


def crop(frame: Frame, rectangle: Rectangle | None) -> Frame:
    """The frame with the sector's pixels only, ``(height, width)`` of the rectangle; the spacing stays what it was.

    The pixels are copied, so that nothing downstream holds what lies outside. None takes the whole frame as it is.

    Raises:
        SourceError: when the rectangle does not lie in the frame. It is never clipped, and the frame never passed on
            whole: the layout has changed, and what was outside the sector may be inside now.
    """
    if rectangle is None:
        return frame
    if not rectangle.fits(frame):
        raise SourceError(
            f"the sector {rectangle} does not fit in a frame of {frame.width} x {frame.height} pixels; set it anew"
        )
    rows = slice(rectangle.y, rectangle.y + rectangle.height)
    columns = slice(rectangle.x, rectangle.x + rectangle.width)
    return replace(frame, pixels=frame.pixels[rows, columns].copy())
