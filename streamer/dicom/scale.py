"""Millimetres per pixel of an ultrasound DICOM file, from the region that shows the scan and from no other.

Sources: DICOM PS3.3, C.8.5.5 (US Region Calibration Module).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

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
    """The scale of a file's frames as they are stored, according to its ultrasound regions.

    Attributes:
        spacing_mm: width and height of one pixel in millimetres, None if unknown.
        warning: one line on why it is unknown, None if there is nothing to say.
    """

    spacing_mm: tuple[float, float] | None = None
    warning: str | None = None

    @property
    def aspect(self) -> float:
        """Width of one pixel over its height; 1 if pixels are square, or nothing is known."""
        if self.spacing_mm is None:
            return 1.0
        across, down = self.spacing_mm
        return 1.0 if abs(across / down - 1) <= _ASPECT_TOLERANCE else across / down


def scale_of(regions: Sequence[Any], columns: int, rows: int, region: int | None = None) -> Scale:
    """Return the scale of frames of ``columns`` x ``rows`` pixels.

    Args:
        regions: the items of the Sequence of Ultrasound Regions.
        columns, rows: of the stored frame.
        region: which region is meant, from 1 in the file's order, as the operator says; None to find it.
    """
    scans = [number for number, each in enumerate(regions, start=1) if _is_scan(each)]
    if region is not None:
        if region not in scans:
            return Scale(warning=f"region {region} is no two-dimensional scan; {_choice(scans)}; spacing unknown")
        scans = [region]
    if not scans:
        return Scale()
    if len(scans) > 1:
        return Scale(warning=f"it shows {len(scans)} scans side by side; {_choice(scans)}; spacing unknown")
    chosen = regions[scans[0] - 1]
    if not _lies_inside(chosen, columns, rows):
        return Scale(warning="its scan region lies outside the picture: was made for another; the spacing is not used")
    spacing = _spacing_mm(chosen)
    if spacing is None:
        return Scale(warning="its scan region is not measured in plausible centimetres; spacing unknown")
    return Scale(spacing)


def _choice(scans: list[int]) -> str:
    if not scans:
        return "it has none"
    names = " or ".join(f"#region={number}" for number in scans)
    return f"put {names} behind the file's name to choose one"


def _is_scan(region: Any) -> bool:
    return _number(region, "RegionSpatialFormat") == _FORMAT_2D and _number(region, "RegionDataType") == _TISSUE


def _lies_inside(region: Any, columns: int, rows: int) -> bool:
    """Whether the region lies in the picture, but for one pixel at most."""
    corners = [_number(region, f"RegionLocation{name}") for name in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
    left, top, right, bottom = (-1 if corner is None else int(corner) for corner in corners)
    most_right, lowest = columns - 1 + _OVERHANG_PIXELS, rows - 1 + _OVERHANG_PIXELS
    return 0 <= left < right <= most_right and 0 <= top < bottom <= lowest


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
    """A finite number; None if it is missing or is none: damaged files hold anything."""
    try:
        value = float(getattr(region, keyword))
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None
    return value if abs(value) < float("inf") else None
