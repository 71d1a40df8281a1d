"""Keeps the scan region of a stream: finds it, watches that it still holds, and finds it again. Passive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.region.layout_watch import LayoutWatch
from fetalstream.streamer.region.profiles import Profile
from fetalstream.streamer.region.ruler import Ruler, read_ruler
from fetalstream.streamer.region.sector import Polygon, Rectangle, Shape, middle_height
from fetalstream.streamer.region.sector_finder import FoundSector, find_sector

Origin: TypeAlias = Literal["operator", "profile", "found"]

RegionEventName: TypeAlias = Literal["sector_changed", "sector_unknown", "layout_changed", "source_warning"]

CONFIDENT: Final = 0.9
"""A region found with less is none."""

_PICTURES: Final = 3  # looked at together
_APART_S: Final = 0.12
_AGAIN_S: Final = 1.0  # after a vain search
_SEEN_APART: Final = 2  # frames in a row that look different before a layout counts as changed
_SAME_OVERLAP_PX: Final = 6.0


@dataclass(frozen=True)
class Region:
    """The scan region in force.

    Attributes:
        polygon: its outline ``(x, y)``, pixels of the uncut frame, as edges between pixels.
        rectangle: the tight rectangle that frames are cut to.
        confidence: 0 to 1; 1 if a person gave it.
        origin: where it is from: the operator, a profile that fits the screen, or the finder.
    """

    polygon: tuple[tuple[float, float], ...]
    rectangle: Rectangle
    confidence: float
    origin: Origin

    @cached_property
    def height_px(self) -> float:
        """Height along the middle column; see `streamer.region.sector.middle_height`."""
        return middle_height(Polygon(self.polygon))


@dataclass(frozen=True)
class RegionEvent:
    """A report to the operator: an event's name and its plain values."""

    event: RegionEventName
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])


class RegionKeeper:
    """Decides, frame by frame, which region is in force and whether anything may be shown.

    Args:
        hide_unknown: show nothing while the region is not known (live sources); else the whole frame is used if none
            is found, and if no user interface lies round it.
        profile: of the scanner; holds while its screen looks as remembered.
        fixed: the region that a person gave: it is kept whatever the screen looks like, and only the scale is watched.

    Attributes:
        region: the region in force; None if it is not known or the whole frame is used.
        hidden: whether nothing of the frame may be shown.
        ruler: as it was read for this layout.
        layouts: how many times the layout has changed.
    """

    def __init__(
        self, *, hide_unknown: bool = False, profile: Profile | None = None, fixed: Shape | None = None
    ) -> None:
        self.region: Region | None = None
        self.hidden = hide_unknown and fixed is None
        self.ruler: Ruler | None = None
        self.layouts = 0
        self._hide_unknown = hide_unknown
        self._profile = profile
        self._fixed = None if fixed is None else Region(fixed.polygon, fixed.rectangle, 1.0, "operator")
        self._watch: LayoutWatch | None = None
        self._whole = False  # no user interface, or none found: settled for this size
        self._pictures: list[Pixels] = []
        self._look_s: float | None = None  # media time of the next picture to be kept
        self._different = 0
        self._size: tuple[int, int] | None = None
        self._source_epoch: int | None = None
        self._unknown_reported = False

    def update(self, frame: Frame) -> list[RegionEvent]:
        """Take in the next frame; return what changed with it."""
        size = (frame.width, frame.height)
        if self._size not in (None, size):
            self._begin_anew()
            self.region, self.ruler, self._watch = None, None, None
            self.hidden = self._hide_unknown and self._fixed is None
            self.layouts += 1
        elif self._source_epoch not in (None, frame.epoch):
            self._begin_anew()
        self._size, self._source_epoch = size, frame.epoch
        if self._settled(frame.pixels):
            return []
        return self._look(frame)

    def _begin_anew(self) -> None:
        self._pictures, self._look_s, self._different, self._whole = [], None, 0, False

    def _settled(self, pixels: Pixels) -> bool:
        if self._watch is None:
            return self._whole
        if self._watch.same(pixels):
            self._different, self._pictures, self.hidden = 0, [], False
            return True
        self._different += 1
        # The old region may show what it should not: nothing is shown until the new one is known.
        self.hidden = self._fixed is None
        return self._different < _SEEN_APART

    def _look(self, frame: Frame) -> list[RegionEvent]:
        at_s = frame.pts_seconds
        if self._look_s is not None and 0 <= self._look_s - at_s < 10:
            return []
        self._pictures.append(frame.pixels)
        self._look_s = at_s + _APART_S
        at_once = self._fixed is not None or not self._hide_unknown
        first_of_file = at_once and self._watch is None and len(self._pictures) == 1
        if len(self._pictures) < _PICTURES and not first_of_file:
            return []
        remembered = self._remembered(frame.pixels)
        found = None if remembered is not None else find_sector(self._pictures)
        if remembered is None and (found is None or found.confidence < CONFIDENT):
            return self._vain(at_s)
        pictures, self._pictures = self._pictures, []
        if remembered is not None:
            return self._settle(remembered, self._profile.kind if self._profile else "convex", pictures)
        assert found is not None
        if not found.interface and not self._hide_unknown:
            self._whole, self.hidden = True, False
            return []
        return self._settle(_region(found), found.kind, pictures)

    def _remembered(self, pixels: Pixels) -> Region | None:
        if self._fixed is not None:
            return self._fixed
        if self._profile is None or not self._profile.fits(pixels):
            return None
        shape = self._profile.shape
        return Region(shape.polygon, shape.rectangle, 1.0, "profile")

    def _settle(self, region: Region, kind: Any, pictures: list[Pixels]) -> list[RegionEvent]:
        rows = (region.rectangle.y, region.rectangle.y + region.rectangle.height)
        tick_mm = None if self._profile is None else self._profile.tick_mm
        ruler = read_ruler(pictures, kind, rows, tick_mm)
        before, before_ruler = self.region, self.ruler
        self._watch = LayoutWatch(pictures[-1], region.polygon, ruler, scale_only=self._fixed is not None)
        self._different, self.hidden, self._unknown_reported = 0, False, False
        if before is not None and _alike(before, region) and _agree(before_ruler, ruler):
            return []
        self.region, self.ruler = region, ruler
        if before is not None:
            self.layouts += 1
        if self._fixed is not None:
            return []
        detail = {"sector": str(region.rectangle), "confidence": round(region.confidence, 3), "from": region.origin}
        return [RegionEvent("sector_changed", detail)]

    def _vain(self, at_s: float) -> list[RegionEvent]:
        self._pictures = self._pictures[-1:] if len(self._pictures) < _PICTURES else []
        self._look_s = at_s + (_APART_S if self._pictures else _AGAIN_S)
        self.hidden = self._hide_unknown or self._watch is not None
        if self._unknown_reported or (self._pictures and not self._hide_unknown):
            return []
        self._unknown_reported = True
        used = "nothing is shown or scored" if self.hidden else "the whole frame is used"
        return [RegionEvent("sector_unknown", {"reason": f"no scan region was found: {used}; give --sector X,Y,W,H"})]


def _region(found: FoundSector) -> Region:
    return Region(found.polygon, Polygon(found.polygon).rectangle, found.confidence, "found")


def _alike(one: Region, other: Region) -> bool:
    """Tell whether two outlines are the same but for the finder's own unsteadiness."""
    a, b = one.rectangle, other.rectangle
    ends = ((a.x, b.x), (a.y, b.y), (a.x + a.width, b.x + b.width), (a.y + a.height, b.y + b.height))
    return all(abs(p - q) <= _SAME_OVERLAP_PX for p, q in ends)


def _agree(before: Ruler | None, now: Ruler | None) -> bool:
    """Tell whether the scale is known to be what it was."""
    if before is None or now is None:
        return False
    return abs(now.spacing_mm / before.spacing_mm - 1) <= 0.01
