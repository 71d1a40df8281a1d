"""Masking: everything outside the scan region is cut away or blackened before any other part sees a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol, TypeAlias, runtime_checkable

import cv2
import msgspec
import numpy as np

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.region.profiles import Profile
from fetalstream.streamer.region.region_keeper import Region, RegionEvent, RegionKeeper
from fetalstream.streamer.region.sector import Polygon, Rectangle, Shape, from_values, to_values

SectorSetting: TypeAlias = Rectangle | Polygon | Profile | Literal["auto"] | None
"""The scan region: fixed, as a scanner's profile remembers it, to be found, or None for the whole frame."""

_SUBPIXEL_BITS: Final = 4
_DOUBTFUL: Final = 0.03  # of difference between the ruler and the spacing that was given


@dataclass(frozen=True, eq=False)
class Masked:
    """A frame that may be shown, scored and stored.

    Attributes:
        frame: cut to the region's rectangle, black outside its outline. Black all over if ``trouble`` is set, and
            while nothing may be shown because the region is not known.
        region: None if the whole frame is used, or the region is not known.
        events: what changed with this frame.
        trouble: one line on why nothing of this frame may be shown; None if all is well.
    """

    frame: Frame
    region: Region | None
    events: tuple[RegionEvent, ...] = ()
    trouble: str | None = None


@runtime_checkable
class FrameMasker(Protocol):
    """Masks the frames of one stream: a `Masker`, or what stands here for one in another process."""

    @property
    def setting(self) -> SectorSetting: ...
    def set_sector(self, setting: SectorSetting) -> None: ...
    def update(self, frame: Frame) -> Masked: ...


class Masker:
    """Masks the frames of one stream. Passive: time is the frames' media time.

    Args:
        setting: the scan region.
        hide_unknown: if the region is to be found, show nothing until it is: for live sources. Else the whole frame is
            used if none is found with confidence, or if no user interface lies round it.
        depth_mm: what the scanner's depth is set to, as the operator said: with the region's height it gives the
            spacing, until the layout changes.
        space: makes memory, uint8 of a shape, to which the part that is cut out of a frame is written.
    """

    def __init__(
        self, setting: SectorSetting = None, *, hide_unknown: bool = False, depth_mm: float | None = None,
        space: Callable[[tuple[int, ...]], Pixels] = lambda shape: np.empty(shape, np.uint8),
    ) -> None:  # fmt: skip
        self.hide_unknown = hide_unknown
        self._depth_mm = depth_mm
        self._space = space
        self._layouts = 0  # times that the layout has changed
        self._size: tuple[int, int] | None = None  # of the last frame, refused or not
        self.set_sector(setting)

    @property
    def setting(self) -> SectorSetting:
        return self._setting

    def set_sector(self, setting: SectorSetting) -> None:
        """Set another scan region, from the next frame on."""
        self._setting: SectorSetting = setting
        self._keeper: RegionKeeper | None = None
        self._stencil: tuple[Region, Pixels] | None = None
        self._doubt_reported = self._vain_depth_reported = False

    def update(self, frame: Frame) -> Masked:
        """Mask the next frame: never one pixel from outside the region is passed on.

        A fixed region that does not lie in the frame is never clipped, and the frame never passed on: the layout has
        changed, and what was outside the region may be inside now.
        """
        size = (frame.width, frame.height)
        resized, self._size = self._size not in (None, size), size
        if isinstance(self._setting, (Rectangle, Polygon)) and not self._setting.rectangle.fits(frame):
            self._layouts += resized
            trouble = f"the sector {self._setting} does not fit in a frame of {size[0]} x {size[1]} pixels; set it anew"
            return Masked(self._placed(frame, np.zeros_like(frame.pixels)), None, _layout_event(resized), trouble)
        if self._setting is None:
            self._layouts += resized
            return Masked(self._placed(frame, frame.pixels), None, _layout_event(resized))
        keeper = self._keeper = self._keeper or self._new_keeper(self._setting)
        layouts = keeper.layouts
        events = keeper.update(frame)
        # A keeper made after the size changed has seen one size only.
        changed = resized or keeper.layouts > layouts
        self._layouts += changed
        events = [*_layout_event(changed), *events]
        placed = self._placed(frame, self._shown(frame, keeper))
        events += self._doubt(placed, keeper) + self._vain_depth(keeper)
        return Masked(placed, keeper.region, tuple(events))

    def _new_keeper(self, setting: Shape | Profile | Literal["auto"]) -> RegionKeeper:
        if isinstance(setting, Profile):
            return RegionKeeper(hide_unknown=self.hide_unknown, profile=setting)
        if setting == "auto":
            return RegionKeeper(hide_unknown=self.hide_unknown)
        return RegionKeeper(fixed=setting)

    def _shown(self, frame: Frame, keeper: RegionKeeper) -> Pixels:
        if keeper.hidden:
            region = keeper.region
            return np.zeros_like(frame.pixels if region is None else within(frame.pixels, region.rectangle))
        return frame.pixels if keeper.region is None else self._cut(frame.pixels, keeper.region)

    def _placed(self, frame: Frame, pixels: Pixels) -> Frame:
        """Return the frame with these pixels, its epoch, and the spacing that holds for this layout.

        The operator's word goes first, until the layout changes. Then comes the source's own, then the ruler's.
        """
        spacing_mm, spacing_from = frame.spacing_mm, frame.spacing_from
        known = None if self._keeper is None or self._keeper.hidden else self._keeper
        if self._depth_mm is not None and not self._layouts:
            region = None if known is None else known.region
            spacing_mm, spacing_from = (None, None) if region is None else (self._depth_mm / region.height_px, "depth")
        elif spacing_mm is None or (spacing_from == "operator" and self._layouts):
            ruler = None if known is None else known.ruler
            spacing_mm, spacing_from = (None, None) if ruler is None else (ruler.spacing_mm, "ruler")
        if pixels is frame.pixels and spacing_from == frame.spacing_from and not self._layouts:
            return frame
        epoch = frame.epoch + self._layouts
        return replace(frame, pixels=pixels, epoch=epoch, spacing_mm=spacing_mm, spacing_from=spacing_from)

    def _doubt(self, frame: Frame, keeper: RegionKeeper) -> list[RegionEvent]:
        """Report once that the ruler contradicts the spacing that was given."""
        if self._doubt_reported or frame.spacing_mm is None or keeper.ruler is None or self._layouts:
            return []
        read_mm = keeper.ruler.spacing_mm
        if abs(read_mm / frame.spacing_mm - 1) <= _DOUBTFUL:
            return []
        self._doubt_reported = True
        option = "--depth-cm" if frame.spacing_from == "depth" else "--spacing"
        text = f"the ruler on the screen says {read_mm:.4f} mm a pixel, not {frame.spacing_mm:.4f}; check {option}"
        return [RegionEvent("source_warning", {"text": text})]

    def _vain_depth(self, keeper: RegionKeeper) -> list[RegionEvent]:
        """Report once that the depth is of no use, because the whole frame is shown and no region is known."""
        if self._vain_depth_reported or self._depth_mm is None or keeper.region is not None or keeper.hidden:
            return []
        self._vain_depth_reported = True
        text = "no scan region is known, so the depth gives no spacing; give --sector X,Y,W,H or --spacing"
        return [RegionEvent("source_warning", {"text": text})]

    def _cut(self, pixels: Pixels, region: Region) -> Pixels:
        """Copy the rectangle's pixels, so that nothing downstream holds what lies outside."""
        part = within(pixels, region.rectangle)
        cut = self._space(part.shape)
        if region.polygon == region.rectangle.polygon:
            np.copyto(cut, part)
            return cut
        if self._stencil is None or self._stencil[0] is not region or self._stencil[1].shape != part.shape:
            self._stencil = region, stencil(Polygon(region.polygon), channels=part.shape[2:])
        cv2.bitwise_and(part, self._stencil[1], dst=cut)
        return cut


def _layout_event(changed: bool) -> tuple[RegionEvent, ...]:
    return (RegionEvent("layout_changed"),) if changed else ()


def within(pixels: Pixels, rectangle: Rectangle) -> Pixels:
    """Return a view of the rectangle's pixels."""
    rows = slice(rectangle.y, rectangle.y + rectangle.height)
    return pixels[rows, rectangle.x : rectangle.x + rectangle.width]


def stencil(shape: Shape, channels: tuple[int, ...] = ()) -> Pixels:
    """Return a mask, 255 inside the outline, 0 elsewhere: ``(height, width, *channels)`` of its rectangle."""
    rectangle = shape.rectangle
    mask = np.zeros((rectangle.height, rectangle.width), np.uint8)
    corners = np.asarray(shape.polygon) - (rectangle.x + 0.5, rectangle.y + 0.5)
    cv2.fillPoly(mask, [np.rint(corners * (1 << _SUBPIXEL_BITS)).astype(np.int32)], (255,), shift=_SUBPIXEL_BITS)
    if not channels:
        return mask
    return np.repeat(mask[:, :, None], channels[0], axis=2)


def setting_from(values: Any) -> SectorSetting:
    """Return the setting that plain values mean: "auto", a profile's fields, those of a shape, or None.

    Raises:
        SourceError: they mean none.
    """
    if values is None or values == "auto":
        return values
    if isinstance(values, Mapping):
        try:
            return msgspec.convert(values, Profile)
        except msgspec.ValidationError as error:
            raise SourceError(f"not a scanner profile: {error}") from error
    if not isinstance(values, (list, tuple)):
        raise SourceError('the sector must be [x, y, width, height], corners [[x, y], ...], "auto", or null for all')
    return from_values(values)


def setting_values(setting: SectorSetting) -> Any:
    """Return plain values that `setting_from` understands."""
    if isinstance(setting, Profile):
        return msgspec.to_builtins(setting)
    return setting if setting is None or setting == "auto" else to_values(setting)
