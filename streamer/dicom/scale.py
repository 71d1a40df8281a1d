"""Millimetres per pixel of an ultrasound DICOM file, from the region that shows the scan or from its pixel spacing.

Sources: DICOM PS3.3, C.8.5.5 (US Region Calibration Module), 10.7.1.3 (Pixel Spacing), C.7.6.16.2.1 (Pixel Measures),
C.7.6.3.1.7 (Pixel Aspect Ratio).
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
# Abdominal probes see 30 cm deep at most. Millimetres under the code for centimetres make ten times of 4 cm and more.
_MAX_REGION_MM: Final = (400.0, 300.0)
_MAX_PICTURE_MM: Final = (600.0, 400.0)  # a whole screen, texts beside the scan included
_SAME_SPACING: Final = 0.05


@dataclass(frozen=True)
class Scale:
    """The scale of a file's frames as they are stored, according to its ultrasound regions.

    Attributes:
        spacing_mm: width and height of one pixel in millimetres, None if unknown.
        warning: one line on why it is unknown, None if there is nothing to say.
        pixel_aspect: width of one pixel over its height as the file gives it without a spacing, 1 if it does not.
    """

    spacing_mm: tuple[float, float] | None = None
    warning: str | None = None
    pixel_aspect: float = 1.0

    @property
    def aspect(self) -> float:
        """Width of one pixel over its height; 1 if pixels are square, or nothing is known."""
        if self.spacing_mm is None:
            return self.pixel_aspect
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
    sides = _sides(chosen)
    wide, high = sides[0] * spacing[0], sides[1] * spacing[1]
    if wide > _MAX_REGION_MM[0] or high > _MAX_REGION_MM[1]:
        field = f"its scan region would be {wide / _MM_PER_CM:.0f} by {high / _MM_PER_CM:.0f} cm"
        return Scale(warning=f"{field}, which no scan is (millimetres taken for centimetres?); spacing unknown")
    return Scale(spacing)


def scale_of_elements(elements: Any, columns: int, rows: int, region: int | None = None) -> Scale:
    """Return the scale of a file: of its regions, or of its pixel spacing if no region shows anything else.

    Args:
        elements: the header, or anything that has its elements as attributes.
        columns, rows: of the stored frame.
        region: see `scale_of`.
    """
    regions = getattr(elements, "SequenceOfUltrasoundRegions", None) or ()
    found = scale_of(regions, columns, rows, region)
    stated, doubt = _stated_mm(elements, columns, rows)
    if found.spacing_mm is not None and stated is not None and not _agree(found.spacing_mm, stated):
        (across, down), (wide, high) = found.spacing_mm, stated
        said = f"({across:.3g} by {down:.3g} mm a pixel) and its Pixel Spacing ({wide:.3g} by {high:.3g} mm)"
        found = Scale(warning=f"its scan region {said} contradict each other; spacing unknown")
    elif found == Scale():
        if stated is not None and not _other_only(regions):
            found = Scale(stated)
        elif doubt is not None:
            found = Scale(warning=doubt)
        elif regions:
            found = Scale(warning="none of its regions shows tissue in two dimensions; spacing unknown")
    if found.spacing_mm is not None:
        return found
    aspect, oddity = _pixel_aspect(elements)
    return Scale(None, found.warning or oddity, aspect)


def _agree(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(mine / its - 1) <= _SAME_SPACING for mine, its in zip(one, other, strict=True))


def _other_only(regions: Sequence[Any]) -> bool:
    """Tell whether there are regions and none of them has two dimensions in space: M-mode or a spectrum."""
    return bool(regions) and all(_number(each, "RegionSpatialFormat") != _FORMAT_2D for each in regions)


def _stated_mm(elements: Any, columns: int, rows: int) -> tuple[tuple[float, float] | None, str | None]:
    """Return width and height of a pixel as Pixel Spacing gives them, and why they are not used if they are not."""
    pairs = [pair for holder in _spacing_holders(elements) if (pair := _pair(holder, "PixelSpacing"))]
    if not pairs:
        there = any(getattr(holder, "PixelSpacing", None) for holder in _spacing_holders(elements))
        return None, "its Pixel Spacing is no pair of numbers; spacing unknown" if there else None
    if any(not _agree(pairs[0], pair) for pair in pairs):
        return None, "its frames have different Pixel Spacings; spacing unknown"
    down, across = pairs[0]
    low, high = _PLAUSIBLE_MM
    oblong = not 1 / _MAX_ASPECT <= across / down <= _MAX_ASPECT
    if not (low <= across <= high and low <= down <= high) or oblong:
        return None, f"its Pixel Spacing of {down:.3g} by {across:.3g} mm is not plausible; spacing unknown"
    wide, tall = across * columns, down * rows
    if wide > _MAX_PICTURE_MM[0] or tall > _MAX_PICTURE_MM[1]:
        size = f"{wide / _MM_PER_CM:.0f} by {tall / _MM_PER_CM:.0f} cm"
        return None, f"with its Pixel Spacing the picture would be {size}, which no scan is; spacing unknown"
    return (across, down), None


def _spacing_holders(elements: Any) -> list[Any]:
    """Return what may hold Pixel Spacing: the file itself, and the functional groups of enhanced images."""
    holders = [elements]
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in getattr(elements, name, None) or ():
            holders += list(getattr(group, "PixelMeasuresSequence", None) or ())
    return holders


def _pixel_aspect(elements: Any) -> tuple[float, str | None]:
    """Return the width of a pixel over its height, and why it is not what Pixel Aspect Ratio says if it is not."""
    if not getattr(elements, "PixelAspectRatio", None):
        return 1.0, None
    pair = _pair(elements, "PixelAspectRatio")
    if pair is None or not 1 / _MAX_ASPECT <= pair[1] / pair[0] <= _MAX_ASPECT:
        return 1.0, "its Pixel Aspect Ratio is not plausible; pixels are taken as square"
    return pair[1] / pair[0], None


def _pair(holder: Any, keyword: str) -> tuple[float, float] | None:
    """Two positive numbers, the vertical one first; None if the element is missing or holds anything else."""
    try:
        down, across = (float(each) for each in getattr(holder, keyword))
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None
    return (down, across) if 0 < down < float("inf") and 0 < across < float("inf") else None


def _choice(scans: list[int]) -> str:
    if not scans:
        return "it has none"
    names = " or ".join(f"#region={number}" for number in scans)
    return f"put {names} behind the file's name to choose one"


def _is_scan(region: Any) -> bool:
    return _number(region, "RegionSpatialFormat") == _FORMAT_2D and _number(region, "RegionDataType") == _TISSUE


def _sides(region: Any) -> tuple[float, float]:
    """Return width and height in pixels of a region that lies inside the picture."""
    left, top, right, bottom = (
        _number(region, f"RegionLocation{name}") or 0.0 for name in ("MinX0", "MinY0", "MaxX1", "MaxY1")
    )
    return right - left + 1, bottom - top + 1


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
