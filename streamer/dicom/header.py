"""Headers of DICOM files: a short list of elements is read, none of which says who the patient is."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fetalstream.streamer.dicom.scale import Scale, scale_of
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
_DEFAULT_RATE_HZ: Final = 25.0
_RATES_HZ: Final = (0.1, 1000.0)
_STILL_SECONDS: Final = 1.0  # a still stands for a second, as in a folder of images
_DEFLATED: Final = "1.2.840.10008.1.2.1.99"  # the whole file would be inflated before anything is known of it

# The palette is part of the pixels; it is read with them, and holds colours only.
_READ: Final = (
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelAspectRatio",
    "FrameTime", "FrameTimeVector", "RecommendedDisplayFrameRate", "CineRate", "SequenceOfUltrasoundRegions",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData", "SegmentedBluePaletteColorLookupTableData",
)  # fmt: skip

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
        frames: number of frames that the header gives.
        rows, columns: size of one frame, pixels.
        times_seconds: media time of each frame, from the first.
        period_seconds: typical time from frame to frame.
        scale: of the stored pixels.
        elements: the elements that were read, palette included.
        warnings: one line each.
    """

    frames: int
    rows: int
    columns: int
    times_seconds: Sequence[float]
    period_seconds: float
    scale: Scale
    elements: Dataset
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
    elements, syntax = _elements(path)
    size = path.stat().st_size
    rows, columns = (_whole(elements, name) for name in ("Rows", "Columns"))
    if not rows or not columns:
        raise Unreadable("holds no picture")
    frames = _whole(elements, "NumberOfFrames") if "NumberOfFrames" in elements else 1
    _check_bounds(elements, rows, columns, frames, size, native=syntax.is_transfer_syntax and not syntax.is_compressed)
    _check_decoder(syntax)
    times, period, timing = _times(elements, frames)
    scale = scale_of(elements.get("SequenceOfUltrasoundRegions") or (), columns, rows, region)
    lines = tuple(line for line in (timing, scale.warning) if line is not None)
    return DicomHeader(frames, rows, columns, times, period, scale, elements, lines)


def _elements(path: Path) -> tuple[Dataset, Any]:
    from pydicom import dcmread
    from pydicom.filereader import read_file_meta_info

    try:
        with quiet():
            syntax = read_file_meta_info(path).TransferSyntaxUID
            if syntax == _DEFLATED:
                raise Unreadable("is deflated as a whole; save it without that (dcmtk: dcmconv +te)")
            elements = dcmread(path, stop_before_pixels=True, specific_tags=list(_READ))
            # Values are parsed when they are asked for: damage shows here and not in the middle of something.
            for element in elements.iterall():
                _ = element.value
    except Unreadable:
        raise
    except Exception as error:  # a damaged file makes pydicom fail in any way
        raise Unreadable("is not a DICOM file that can be read; it is damaged, or something else") from error
    return elements, syntax


def _whole(elements: Dataset, name: str) -> int:
    """A count of the header; 0 if it is missing or makes no sense."""
    try:
        return max(0, int(elements.get(name) or 0))
    except (TypeError, ValueError, OverflowError):
        return 0


def _check_bounds(elements: Dataset, rows: int, columns: int, frames: int, size: int, *, native: bool) -> None:
    samples, bits = _whole(elements, "SamplesPerPixel"), _whole(elements, "BitsAllocated")
    if samples not in (1, 3) or bits not in (8, 16):
        raise Unreadable("has pixels of an unusual kind; save it with 8 or 16 bits, gray, palette or RGB")
    if elements.get("PixelRepresentation"):
        raise Unreadable("has signed pixels, which are no picture of a scanner's screen")
    if rows * columns > MAX_PIXELS:
        raise Unreadable(f"has frames larger than {MAX_PIXELS >> 20} megapixels")
    if not 1 <= frames <= MAX_FRAMES:
        raise Unreadable(f"says that it has {frames} frames; between 1 and {MAX_FRAMES} are read")
    # Of compressed frames each takes eight bytes at least.
    least = rows * columns * samples * bits // 8 * frames if native else 8 * frames
    if str(elements.get("PhotometricInterpretation")) == "YBR_FULL_422" and native:
        least = least * 2 // 3
    if least > size:
        raise Unreadable("is cut short: its header tells of more pixels than it holds")


def _check_decoder(syntax: Any) -> None:
    from pydicom.pixels.decoders.base import get_decoder

    try:
        known = get_decoder(syntax).is_available
    except NotImplementedError:
        raise Unreadable(f"is compressed as {_name(syntax)}, which is not read; export it as JPEG or RLE") from None
    if not known:
        install = _INSTALLS.get(str(syntax), INSTALL)
        raise Unreadable(f"is compressed as {_name(syntax)}, and nothing installed decodes that; {install}")


def _name(syntax: Any) -> str:
    """The standard's own words for a transfer syntax; words of the file itself are not repeated."""
    return str(syntax.name).partition(" (")[0] if syntax.is_transfer_syntax else "something unknown"


def _times(elements: Dataset, frames: int) -> tuple[Sequence[float], float, str | None]:
    """Seconds of each frame, the typical period, and a warning if the header gives neither."""
    if frames == 1:
        return (0.0,), _STILL_SECONDS, None
    steps = _steps(elements.get("FrameTimeVector"), frames)
    if steps is not None:
        times = tuple(itertools.accumulate((0.0, *steps[1:])))
        return times, times[-1] / (frames - 1), None
    low, high = _RATES_HZ
    # Frame Time is in milliseconds, the others in frames a second.
    milliseconds = _number(elements.get("FrameTime"))
    rates = [1000 / milliseconds if milliseconds else None]
    rates += [_number(elements.get(name)) for name in ("RecommendedDisplayFrameRate", "CineRate")]
    rate = next((each for each in rates if each is not None and low <= each <= high), None)
    warning = None if rate else f"does not say how fast it was taken; {_DEFAULT_RATE_HZ:g} frames a second are assumed"
    period = 1 / (rate or _DEFAULT_RATE_HZ)
    return _Even(period, frames), period, warning


class _Even(Sequence[float]):
    """Media times that are one period apart."""

    def __init__(self, period: float, count: int) -> None:
        self._period = period
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: Any) -> Any:
        return at * self._period


def _steps(vector: Any, frames: int) -> tuple[float, ...] | None:
    """Seconds from frame to frame (the first is before the first frame); None if they cannot be used."""
    if vector is None or isinstance(vector, str):
        return None
    try:
        steps = tuple(float(each) / 1000 for each in vector)
    except (TypeError, ValueError):
        return None
    low, high = _RATES_HZ
    believable = len(steps) == frames and all(1 / high <= step <= 1 / low for step in steps[1:])
    return steps if believable else None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None
