"""Millimetres per pixel of an ultrasound DICOM file, from the region that shows the scan and from no other.

Sources: DICOM PS3.3, C.8.5.5 (US Region Calibration Module).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fetalstream.streamer.region.sector import Rectangle

_FORMAT_2D: Final = 1  # Region Spatial Format
_TISSUE: Final = 1  # Region Data Type
_CENTIMETRES: Final = 3  # Physical Units X and Y Direction
_MM_PER_CM: Final = 10
_OVERHANG_PIXELS: Final = 1  # several scanners give the edge after the last pixel, not the pixel itself
_ASPECT_TOLERANCE: Final = 1e-3
_MAX_ASPECT: Final = 4
_PLAUSIBLE_MM: Final = (0.005, 5.0)


@dataclass(frozen=True)
class Scale:
    """What a file's regions say of its frames as they are stored.

    Attributes:
        spacing_mm: width and height of one pixel in millimetres, None where unknown.
        region: the scan's rectangle, None where unknown or where several could be meant.
        warning: one line on why something is None, None where there is nothing to say.
    """

    spacing_mm: tuple[float, float] | None = None
    region: Rectangle | None = None
    warning: str | None = None

    @property
    def aspect(self) -> float:
        """Width of one pixel over its height; 1 where they are square, or nothing is known."""
        if self.spacing_mm is None:
            return 1.0
        across, down = self.spacing_mm
        return 1.0 if abs(across / down - 1) <= _ASPECT_TOLERANCE else across / down


def scale_of(regions: Sequence[Any], columns: int, rows: int, told: int | None = None) -> Scale:
    """The scale of frames of ``columns`` x ``rows`` pixels.

    Args:
        regions: the items of the Sequence of Ultrasound Regions.
        columns, rows: of the stored frame.
        told: which region is meant, from 1 in the file's order, as the operator says; None to find it.
    """
    scans = [number for number, region in enumerate(regions, start=1) if _is_scan(region)]
    if told is not None:
        if told not in scans:
            return Scale(warning=f"region {told} is no two-dimensional scan; {_choice(scans)}; spacing unknown")
        scans = [told]
    if not scans:
        return Scale()
    if len(scans) > 1:
        return Scale(warning=f"it shows {len(scans)} scans side by side; {_choice(scans)}; spacing unknown")
    region = regions[scans[0] - 1]
    rectangle = _rectangle(region, columns, rows)
    if rectangle is None:
        return Scale(warning="its scan region lies outside the picture: was made for another; the spacing is not used")
    spacing = _spacing_mm(region)
    if spacing is None:
        return Scale(None, rectangle, "its scan region is not measured in plausible centimetres; spacing unknown")
    return Scale(spacing, rectangle)


def _choice(scans: list[int]) -> str:
    if not scans:
        return "it has none"
    names = " or ".join(f"#region={number}" for number in scans)
    return f"put {names} behind the file's name to choose one"


def _is_scan(region: Any) -> bool:
    return _number(region, "RegionSpatialFormat") == _FORMAT_2D and _number(region, "RegionDataType") == _TISSUE


def _rectangle(region: Any, columns: int, rows: int) -> Rectangle | None:
    """The region clipped to the picture; None where it lies outside by more than one pixel."""
    corners = [_number(region, f"RegionLocation{name}") for name in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
    left, top, right, bottom = (-1 if corner is None else int(corner) for corner in corners)
    if not (0 <= left < right and 0 <= top < bottom):
        return None
    if right > columns - 1 + _OVERHANG_PIXELS or bottom > rows - 1 + _OVERHANG_PIXELS:
        return None
    return Rectangle(left, top, min(right, columns - 1) - left + 1, min(bottom, rows - 1) - top + 1)


def _spacing_mm(region: Any) -> tuple[float, float] | None:
    units = {_number(region, f"PhysicalUnits{axis}Direction") for axis in "XY"}
    deltas = [_number(region, f"PhysicalDelta{axis}") for axis in "XY"]
    if units != {_CENTIMETRES}:
        return None
    across, down = (0.0 if delta is None else abs(delta) * _MM_PER_CM for delta in deltas)
    low, high = _PLAUSIBLE_MM
    if not (low <= across <= high and low <= down <= high and 1 / _MAX_ASPECT <= across / down <= _MAX_ASPECT):
        return None
    return across, down


def _number(region: Any, keyword: str) -> float | None:
    """A finite number, None where it is missing or is none: damaged files hold anything."""
    try:
        value = float(getattr(region, keyword))
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None
    return value if abs(value) < float("inf") else None
