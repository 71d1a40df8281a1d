"""Everything outside the scan region is cut away or blackened here, before any other part sees a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

import cv2
import numpy as np

from streamer.frame import Frame, Pixels
from streamer.sector import Polygon, Rectangle, Shape

Setting: TypeAlias = Rectangle | Polygon | None
"""What the operator said of the scan region: a fixed one, or None for the whole frame."""

Origin: TypeAlias = Literal["operator"]

_SUBPIXEL_BITS: Final = 4


@dataclass(frozen=True)
class Region:
    """The scan region in force.

    Attributes:
        polygon: its outline ``(x, y)``, pixels of the uncut frame, as edges between pixels.
        rectangle: the tight rectangle that frames are cut to.
        confidence: 0 to 1; 1 where a person said it.
        origin: who said so.
    """

    polygon: tuple[tuple[float, float], ...]
    rectangle: Rectangle
    confidence: float
    origin: Origin


@dataclass(frozen=True)
class Happening:
    """Something to tell the operator: an event's name and its plain values."""

    event: str
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, eq=False)
class Masked:
    """A frame that may be shown, scored and stored.

    Attributes:
        frame: cut to the region's rectangle, black outside its outline. Black all over where ``trouble`` is set.
        region: None where the whole frame is used, or the region is not known.
        events: what changed with this frame.
        trouble: one line on why nothing of this frame may be shown; None where all is well.
    """

    frame: Frame
    region: Region | None
    events: tuple[Happening, ...] = ()
    trouble: str | None = None


class Masker:
    """Masks the frames of one stream. Passive: time is the frames' media time.

    Args:
        setting: the scan region; None for the whole frame.
    """

    def __init__(self, setting: Setting = None) -> None:
        self._setting = setting
        self._stencil: Pixels | None = None

    @property
    def setting(self) -> Setting:
        return self._setting

    def set_sector(self, setting: Setting) -> None:
        """Another scan region, from the next frame on."""
        self._setting = setting
        self._stencil = None

    def update(self, frame: Frame) -> Masked:
        """The next frame, masked; never one pixel from outside the region.

        A fixed region that does not lie in the frame is never clipped, and the frame never passed on: the layout has
        changed, and what was outside the region may be inside now.
        """
        if self._setting is None:
            return Masked(frame, None)
        rectangle = self._setting.rectangle
        if not rectangle.fits(frame):
            size = f"{frame.width} x {frame.height}"
            trouble = f"the sector {self._setting} does not fit in a frame of {size} pixels; set it anew"
            return Masked(replace(frame, pixels=np.zeros_like(frame.pixels)), None, (), trouble)
        region = Region(self._setting.polygon, rectangle, 1.0, "operator")
        return Masked(replace(frame, pixels=self._cut(frame.pixels, self._setting)), region)

    def _cut(self, pixels: Pixels, shape: Shape) -> Pixels:
        """The rectangle's pixels, copied so that nothing downstream holds what lies outside."""
        part = within(pixels, shape.rectangle)
        if isinstance(shape, Rectangle):
            return part.copy()
        if self._stencil is None or self._stencil.shape != part.shape:
            self._stencil = stencil(shape, channels=part.shape[2:])
        return np.asarray(cv2.bitwise_and(part, self._stencil), dtype=np.uint8)


def within(pixels: Pixels, rectangle: Rectangle) -> Pixels:
    """The rectangle's pixels, a view."""
    rows = slice(rectangle.y, rectangle.y + rectangle.height)
    return pixels[rows, rectangle.x : rectangle.x + rectangle.width]


def stencil(shape: Shape, channels: tuple[int, ...] = ()) -> Pixels:
    """255 inside the outline, 0 elsewhere: ``(height, width, *channels)`` of its rectangle."""
    rectangle = shape.rectangle
    mask = np.zeros((rectangle.height, rectangle.width), np.uint8)
    corners = np.asarray(shape.polygon) - (rectangle.x + 0.5, rectangle.y + 0.5)
    cv2.fillPoly(mask, [np.rint(corners * (1 << _SUBPIXEL_BITS)).astype(np.int32)], (255,), shift=_SUBPIXEL_BITS)
    if not channels:
        return mask
    return np.repeat(mask[:, :, None], channels[0], axis=2)
