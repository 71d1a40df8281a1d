"""Frames of a DICOM file as 8-bit pictures: decompressed, in RGB or gray, through palette or window."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import closing
from typing import Any, Final

import numpy as np

from fetalstream.streamer.dicom.header import quiet
from fetalstream.streamer.dicom.pixel_data import PixelData
from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.readers.picture import gray_where_neutral

# What pydicom calls them, what DICOM does.
_OPTIONS: Final = {
    "rows": "Rows", "columns": "Columns", "samples_per_pixel": "SamplesPerPixel", "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored", "pixel_representation": "PixelRepresentation",
    "planar_configuration": "PlanarConfiguration",
}  # fmt: skip


def decoded(data: PixelData, elements: Any, syntax: Any) -> Generator[tuple[int, Pixels]]:
    """Yield each frame that can be decoded with its number from 0: gray ``(H, W)`` or RGB ``(H, W, 3)``.

    Args:
        data: where the frames lie.
        elements: the file's header.
        syntax: transfer syntax that decodes them.
    """
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders.base import get_decoder

    decoder = get_decoder(syntax)
    options = {option: elements[name].value for option, name in _OPTIONS.items() if name in elements}
    options |= {"photometric_interpretation": data.photometric, "pixel_vr": data.vr}
    options |= {"number_of_frames": 1, "pixel_keyword": "PixelData"}
    with closing(data.stored()) as frames:
        for number, stored in enumerate(frames):
            # One frame at a time, because pydicom 3.0.2 counts the bytes of several wrongly.
            source = encapsulate([stored], has_bot=False) if data.compressed else stored
            pixels = _picture(decoder, source, options, elements)
            if pixels is not None:
                yield number, pixels


def _picture(decoder: Any, source: bytes, options: dict[str, Any], elements: Any) -> Pixels | None:
    try:
        with quiet():
            levels, _ = decoder.as_array(source, **options)
            return _eight_bits(levels, elements)
    except Exception:  # damaged files make the decoders fail in any way
        return None


def _eight_bits(stored: np.ndarray[Any, Any], elements: Any) -> Pixels:
    """Full-range 8-bit pixels: through the palette, inverted if black is the highest level."""
    kind = str(elements.PhotometricInterpretation)
    if kind == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        levels = apply_color_lut(stored, elements)
        # A palette of 16 bits that uses 8 of them only is not a dark one.
        narrow = levels.dtype == np.uint8 or not _uses_16_bits(elements)
        return gray_where_neutral(levels.astype(np.uint8) if narrow else (levels >> 8).astype(np.uint8))
    if stored.dtype != np.uint8 or int(elements.BitsStored) < 8:
        table = eight_bit_levels(elements)
        stored = table[np.minimum(stored, len(table) - 1)]
    pixels = np.ascontiguousarray(stored, dtype=np.uint8)
    if kind == "MONOCHROME1":
        return 255 - pixels
    return gray_where_neutral(pixels) if pixels.ndim == 3 else pixels


def _uses_16_bits(elements: Any) -> bool:
    tables = (elements.get(f"{name}PaletteColorLookupTableData") for name in ("Red", "Green", "Blue"))
    return any(table is None or np.frombuffer(table, "<u2").max(initial=0) > 255 for table in tables)


def eight_bit_levels(elements: Any) -> Pixels:
    """Return the 8-bit level of every stored value: through the file's window if it has one, else all bits alike."""
    bits = int(elements.BitsStored)
    highest = (1 << bits) - 1
    stored = np.arange(highest + 1, dtype=np.float64)
    window = _window(elements) if bits > 8 and int(elements.SamplesPerPixel) == 1 else None
    if window is None:
        return np.floor((stored * 255 + highest // 2) / highest).astype(np.uint8)
    center, width, function = window
    values = stored * _scalar(elements, "RescaleSlope", 1.0) + _scalar(elements, "RescaleIntercept", 0.0)
    # PS3.3 C.11.2.1.2 and C.11.2.1.3
    if function == "SIGMOID":
        shares = 1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700)))
    elif function == "LINEAR_EXACT":
        shares = (values - center) / width + 0.5
    else:
        shares = (values - (center - 0.5)) / max(width - 1, 1e-6) + 0.5
    return np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)


def _window(elements: Any) -> tuple[float, float, str] | None:
    """Return center, width and function of the first window that can be used."""
    holders = [elements]
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in elements.get(name) or ():
            holders += list(group.get("FrameVOILUTSequence") or ())
    for holder in holders:
        center, width = _scalar(holder, "WindowCenter", math.nan), _scalar(holder, "WindowWidth", math.nan)
        if math.isfinite(center) and math.isfinite(width) and width > 0:
            return center, width, str(holder.get("VOILUTFunction") or "LINEAR")
    return None


def _scalar(elements: Any, name: str, default: float) -> float:
    """Return a number, the first one if there are several."""
    value = elements.get(name)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    try:
        return float(value[0])
    except (TypeError, ValueError, OverflowError, IndexError, KeyError):
        return default
