"""Headers of DICOM files: a short list of elements is read, none of which says who the patient is."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fetalstream.streamer.dicom.frame_times import times_of
from fetalstream.streamer.dicom.pixel_data import PixelData, find_pixel_data, true_syntax
from fetalstream.streamer.dicom.scale import Scale, scale_of_elements
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.readers.picture import MAX_PIXELS

if TYPE_CHECKING:
    from collections.abc import Generator

    from pydicom.dataset import Dataset

INSTALL: Final = "pip install 'fetalstream[dicom]'"
MAX_FRAMES: Final = 1 << 17  # over an hour at 30 a second

_MAGIC: Final = b"DICM"
_PREAMBLE_BYTES: Final = 128
_SUFFIXES: Final = (".dcm", ".dicom")
_MOST_PROMISED: Final = 2
_FIRST_ELEMENTS: Final = 0xFF
_FIRST_LENGTH: Final = 128  # bytes
_HEADLESS: Final = (
    "has no DICOM file head (preamble and file meta information); write one with dcmtk: dcmconv -f IN.dcm OUT.dcm"
)
_JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
_DEFLATED: Final = "1.2.840.10008.1.2.1.99"  # the whole file would be inflated before anything is known of it

# The palette is part of the pixels; it is read with them, and holds colours only.
_READ: Final = (
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "ExtendedOffsetTable", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelAspectRatio",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "RescaleSlope", "RescaleIntercept", "FrameIncrementPointer",
    "FrameTime", "FrameTimeVector", "RecommendedDisplayFrameRate", "CineRate", "SequenceOfUltrasoundRegions",
    "PixelSpacing", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData", "SegmentedBluePaletteColorLookupTableData",
)  # fmt: skip
_GROUPS: Final = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_GROUP_TAGS: Final = (0x0028_9110, 0x0028_9132)  # Pixel Measures Sequence, Frame VOI LUT Sequence

# Decoders of what nothing in the extra decodes. All of them are free of the GPL.
_JPEG_2000: Final = "pip install pylibjpeg pylibjpeg-openjpeg"
_GDCM: Final = "pip install python-gdcm"
_INSTALLS: Final = {
    "1.2.840.10008.1.2.4.51": _GDCM,
    "1.2.840.10008.1.2.4.57": _GDCM,
    "1.2.840.10008.1.2.4.70": _GDCM,
    "1.2.840.10008.1.2.4.80": "pip install pyjpegls",
    "1.2.840.10008.1.2.4.81": "pip install pyjpegls",
    "1.2.840.10008.1.2.4.90": _JPEG_2000,
    "1.2.840.10008.1.2.4.91": _JPEG_2000,
    "1.2.840.10008.1.2.4.201": _JPEG_2000,
    "1.2.840.10008.1.2.4.202": _JPEG_2000,
    "1.2.840.10008.1.2.4.203": _JPEG_2000,
}


class Unreadable(Exception):
    """A DICOM file cannot be used; ``str(error)`` is the reason, without the file's name."""


@dataclass(frozen=True, eq=False)
class DicomHeader:
    """The header of a file whose pixels may be decoded.

    Attributes:
        frames: number of frames that the file holds, which is not always the one that the header gives.
        rows, columns: size of one frame, pixels.
        times_seconds: media time of each frame, from the first.
        period_seconds: typical time from frame to frame.
        scale: of the stored pixels.
        elements: the elements that were read, palette included.
        pixel_data: where the frames lie.
        syntax: transfer syntax that decodes them.
        warnings: one line each.
    """

    frames: int
    rows: int
    columns: int
    times_seconds: Sequence[float]
    period_seconds: float
    scale: Scale
    elements: Dataset
    pixel_data: PixelData
    syntax: Any
    warnings: tuple[str, ...]


def is_dicom(path: Path) -> bool:
    """Tell whether a file is DICOM, by its first bytes or its name. Media directories (DICOMDIR) are not followed."""
    if path.name.upper() == "DICOMDIR":
        return False
    if path.suffix.lower() in _SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE_BYTES + len(_MAGIC))[_PREAMBLE_BYTES:] == _MAGIC
    except OSError:
        return False


@contextmanager
def quiet() -> Generator[None]:
    """Silence pydicom's warnings: they repeat text of the file, and its damage is reported in our own words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def needs_pydicom(path: Path) -> None:
    """Raise SourceError if pydicom is not installed."""
    try:
        import pydicom  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise SourceError(f"DICOM files need pydicom; {INSTALL}", path) from None


def read_header(path: Path, region: int | None = None) -> DicomHeader:
    """Read everything before the pixels, and check it against what the file can hold.

    Args:
        path: of the file.
        region: see `streamer.dicom.scale.scale_of`.

    Raises:
        Unreadable: it cannot be used.
    """
    elements, said_syntax, data = _elements(path)
    rows, columns = (_whole(elements, name) for name in ("Rows", "Columns"))
    said = _said(elements)
    if data is None:
        raise Unreadable("holds no picture")
    _check_length(data, said, path.stat().st_size)
    with quiet():
        syntax = true_syntax(said_syntax, data)
        _check_decoder(syntax, _whole(elements, "BitsStored"))
    data = replace(data, frames=min(data.frames, MAX_FRAMES))
    frames = data.frames
    times, period, timing = times_of(elements, frames)
    scale = scale_of_elements(elements, columns, rows, region)
    count = None if frames == said else f"says that it has {said} frames, but holds {frames}; these are read"
    lines = tuple(line for line in (count, timing, scale.warning) if line is not None)
    return DicomHeader(frames, rows, columns, times, period, scale, elements, data, syntax, lines)


def _elements(path: Path) -> tuple[Dataset, Any, PixelData | None]:
    from pydicom import dcmread
    from pydicom.filereader import read_file_meta_info
    from pydicom.uid import ExplicitVRBigEndian

    try:
        with quiet(), path.open("rb") as file:
            if _lacks_head(file.read(_PREAMBLE_BYTES + len(_MAGIC))):
                raise Unreadable(_HEADLESS)
            syntax = read_file_meta_info(path).TransferSyntaxUID
            if syntax == _DEFLATED:
                raise Unreadable("is deflated as a whole; save it without that (dcmtk: dcmconv +te)")
            file.seek(0)
            elements = dcmread(file, stop_before_pixels=True, specific_tags=list(_READ))
            _prune_groups(elements)
            # Values are parsed when they are asked for: damage shows here and not in the middle of something.
            for element in elements.iterall():
                _ = element.value
            _check_pixels(elements)
            big_endian = syntax == ExplicitVRBigEndian
            data = find_pixel_data(file, path, elements, _said(elements), big_endian=big_endian)
    except Unreadable:
        raise
    except Exception as error:  # a damaged file makes pydicom fail in any way
        raise Unreadable("is not a DICOM file that can be read; it is damaged, or something else") from error
    return elements, syntax, data


def _prune_groups(elements: Dataset) -> None:
    """Delete everything from functional groups that is not read, because anything may stand there."""
    for name in _GROUPS:
        for group in elements.get(name) or ():
            for tag in [element.tag for element in group if element.tag not in _GROUP_TAGS]:
                del group[tag]


def _lacks_head(start: bytes) -> bool:
    """Tell whether a file begins with data elements of the file head or of the data set, little endian."""
    if start[_PREAMBLE_BYTES:] == _MAGIC or len(start) < 8:
        return False
    group, element = start[0] | start[1] << 8, start[2] | start[3] << 8
    length = (
        start[6] | start[7] << 8
        if start[4:6].isalpha() and start[4:6].isupper()
        else int.from_bytes(start[4:8], "little")
    )
    return group in (2, 8) and element <= _FIRST_ELEMENTS and length <= _FIRST_LENGTH


def _said(elements: Dataset) -> int:
    """The number of frames that the header gives."""
    return _whole(elements, "NumberOfFrames") if "NumberOfFrames" in elements else 1


def _whole(elements: Dataset, name: str) -> int:
    """A count of the header; 0 if it is missing or makes no sense."""
    try:
        return max(0, int(elements.get(name) or 0))
    except (TypeError, ValueError, OverflowError):
        return 0


def _check_pixels(elements: Dataset) -> None:
    rows, columns = (_whole(elements, name) for name in ("Rows", "Columns"))
    if not rows or not columns:
        raise Unreadable("holds no picture")
    samples, bits = _whole(elements, "SamplesPerPixel"), _whole(elements, "BitsAllocated")
    if samples not in (1, 3) or bits not in (8, 16):
        raise Unreadable("has pixels of an unusual kind; save it with 8 or 16 bits, gray, palette or RGB")
    if elements.get("PixelRepresentation"):
        raise Unreadable("has signed pixels, which are no picture of a scanner's screen")
    if rows * columns > MAX_PIXELS:
        raise Unreadable(f"has frames larger than {MAX_PIXELS >> 20} megapixels")
    said = _said(elements)
    if not 1 <= said <= MAX_FRAMES:
        raise Unreadable(f"says that it has {said} frames; between 1 and {MAX_FRAMES} are read")


def _check_length(data: PixelData, said: int, size: int) -> None:
    # A header that promises far more than is there was not written for these pixels, or most of them are lost.
    # Of compressed frames each takes eight bytes at least.
    enough = 8 * said <= size if data.compressed else said <= _MOST_PROMISED * data.frames
    if not data.frames or not enough:
        raise Unreadable("is cut short: its header tells of more pixels than it holds")


def _check_decoder(syntax: Any, bits: int) -> None:
    from pydicom.pixels.decoders.base import get_decoder

    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise Unreadable(f"is compressed as {_name(syntax)}, which is not read; export it as JPEG or RLE") from None
    # Pillow decodes JPEG Extended of 8 bits only, but is said to decode it.
    plugins = set(decoder.available_plugins) - ({"pillow"} if syntax == _JPEG_EXTENDED and bits > 8 else set())
    if not decoder.is_native and not plugins:
        install = _INSTALLS.get(str(syntax), INSTALL)
        raise Unreadable(f"is compressed as {_name(syntax)}, and nothing installed decodes that; {install}")


def _name(syntax: Any) -> str:
    """The standard's own words for a transfer syntax; words of the file itself are not repeated."""
    return str(syntax.name).partition(" (")[0] if syntax.is_transfer_syntax else "something unknown"
