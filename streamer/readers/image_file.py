"""Files of one picture or several: the pages of a TIFF stack, the frames of an animated PNG, WebP or GIF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin

from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.readers.picture import MAX_PIXELS, gray_where_neutral

_READERS: Final = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "PPM", "GIF")  # Pillow has more, rarely used and tested
_ANIMATED: Final = ("PNG", "WEBP", "GIF")
_STACK_SUFFIXES: Final = frozenset({".png", ".apng", ".webp", ".gif", ".tif", ".tiff"})
_SHORTEST_SECONDS: Final = 0.01
_UNSAID_SECONDS: Final = 0.1  # of a frame that is to stand for no time at all, as browsers take it
_SUBFILE_TYPE: Final = 254  # a tag of TIFF 6.0: 1 marks a smaller copy, 4 a mask, and neither is a page
_COPY_OR_MASK: Final = 1 | 4
_PHOTOMETRIC: Final = 262
_WHITE_IS_ZERO: Final = 0


class UnsuitableImage(Exception):
    """An image could be read but must not be; ``str(error)`` says why, without the image's name."""


class Page(NamedTuple):
    """One picture of a file.

    Attributes:
        pixels: gray ``(H, W)`` if the picture is without colour, otherwise RGB ``(H, W, 3)``, full range.
        seconds: how long it stands; None if it is no frame of an animation.
    """

    pixels: Pixels
    seconds: float | None


def page_count(path: Path) -> int:
    """Return how many pages `read_pages` will give; 1 for a file that cannot be read."""
    if path.suffix.lower() not in _STACK_SUFFIXES:
        return 1
    try:
        with Image.open(path, formats=_READERS) as image:
            return len(_page_numbers(image))
    except Exception:  # see read_pages
        return 1


def read_pages(path: Path) -> Iterator[Page]:
    """Give the pictures of a file in their order.

    Transparent parts are black, pictures are turned as their EXIF data say, 16 bits are brought down to 8, and TIFF
    files whose zero is white are inverted. Smaller copies and masks in a TIFF file are no pages.

    Raises:
        UnsuitableImage: when a picture is too large, or of a kind whose range of levels is unknown.
        Exception: whatever else Pillow raises on a damaged file, SyntaxError among it.
    """
    with Image.open(path, formats=_READERS) as image:
        numbers = _page_numbers(image)
        for number in numbers:
            image.seek(number)
            # The header is read, the pixels are not yet.
            if image.width * image.height > MAX_PIXELS:
                raise UnsuitableImage(f"larger than {MAX_PIXELS >> 20} megapixels")
            image.load()  # WebP says only then how long the frame stands
            animated = len(numbers) > 1 and image.format in _ANIMATED
            yield Page(_full_range(image), _stands_seconds(image) if animated else None)


def _page_numbers(image: Image.Image) -> list[int]:
    count = int(getattr(image, "n_frames", 1))
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        pages: list[int] = []
        for number in range(count):
            image.seek(number)
            if not int(image.tag_v2.get(_SUBFILE_TYPE, 0)) & _COPY_OR_MASK:
                pages.append(number)
        return pages or [0]
    if image.format not in _ANIMATED:
        return [0]  # a JPEG file may carry copies of its picture
    # The picture that readers without animation show may not belong to it.
    return list(range(1 if count > 1 and getattr(image, "default_image", False) else 0, count))


def _stands_seconds(image: Image.Image) -> float:
    seconds = float(image.info.get("duration", 0)) / 1000
    return seconds if seconds > _SHORTEST_SECONDS else _UNSAID_SECONDS


def _full_range(image: Image.Image) -> Pixels:
    white_is_zero = (
        isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    )
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        pixels = _from_16_bits(np.asarray(image))
        # Pillow inverts files of 8 bits, and not these.
        return 255 - pixels if white_is_zero else pixels
    if image.mode == "F":
        raise UnsuitableImage("floating-point levels, which have no known range; save them with 8 or 16 bits")
    if image.mode in ("1", "L"):
        return np.array(image.convert("L"))
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image.convert("RGBA"))
    return gray_where_neutral(np.array(image.convert("RGB")))


def _from_16_bits(levels: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Pixels:
    """8 bits ``(H, W)`` of a 16-bit image: 65535 becomes 255, in every image alike, so that gain stays comparable."""
    rounded = (levels.astype(np.int64).clip(0, 65535) + 128) // 257
    return rounded.astype(np.uint8)
