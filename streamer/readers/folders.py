"""Folders of images, or one image: stills in the natural order of their names."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.given_scale import GivenScale
from fetalstream.streamer.in_process_source import InProcessSource
from fetalstream.streamer.readers import identity
from fetalstream.streamer.readers.local_path import local_path
from fetalstream.streamer.readers.picture import MAX_PIXELS, gray_where_neutral
from fetalstream.streamer.readers.timeline import Timeline

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pnm"})
_READERS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "PPM")  # Pillow has many more, rarely used and rarely tested

# Stills have no times. A second apart, what is smoothed over time keeps next to nothing of the image before.
IMAGES_PER_SECOND = 1.0

_NUMBERS_NAMED = 10


class _Unsuitable(Exception):
    """An image could be read but must not be; ``str(error)`` says why, without the image's name."""


class ImageFolder(InProcessSource):
    """Reads every image of a folder (not of its sub-folders), in the natural order of the names: 2 before 10.

    Frames are one second apart. An image of another size than the one before it begins a new epoch. An image that
    cannot be read is left out, with a warning, and leaves a gap in the index. Transparent parts are black, images are
    turned as their EXIF data say, 16 bits are brought down to 8, of several pages the first is taken.

    Attributes:
        frames_expected: how many images there are.
        identity: of the images' names and sizes, see `streamer.readers.identity.of_listing`.
        warnings: one line each, added while the images are read.

    Args:
        path: a folder, or one image.
        spacing_mm: millimetres per pixel of the images as they are. It holds for the size of the first image: images
            of another size have none.
        clock_ns: the monotonic clock that stamps arrivals.

    Raises:
        SourceError: when there is no image; on iteration, when not one can be read.
    """

    kind = "folder"

    def __init__(
        self, path: Path, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        super().__init__()
        self._path = path
        self._paths = _images(path)
        self._spacing_mm = spacing_mm
        self._clock_ns = clock_ns
        self.frames_expected: int | None = len(self._paths)
        self.rate_hz: float | None = IMAGES_PER_SECOND
        self.identity = identity.of_listing(self._paths)

    def __iter__(self) -> Iterator[Frame]:
        timeline = Timeline(1 / IMAGES_PER_SECOND, pauses=True)
        scale = GivenScale(self._spacing_mm, self.warn)
        left_out: dict[str, list[int]] = {}
        for index, path in enumerate(self._paths):
            if self._closed.is_set():
                return
            try:
                pixels = _read(path)
            except _Unsuitable as error:
                left_out.setdefault(str(error), []).append(index + 1)
                continue
            except Exception:  # Pillow's readers fail in many ways on damaged files, SyntaxError among them
                left_out.setdefault("damaged, or not an image", []).append(index + 1)
                continue
            size = pixels.shape[0], pixels.shape[1]
            pts_seconds, epoch = timeline.place(index / IMAGES_PER_SECOND, size)
            yield Frame(pixels, index, pts_seconds, self._clock_ns(), epoch, *scale.of(size))
        self._report(left_out)

    def _report(self, left_out: dict[str, list[int]]) -> None:
        for reason, numbers in left_out.items():
            # By number, because a warning may be published and a file's name may hold a patient's.
            first = ", ".join(map(str, numbers[:_NUMBERS_NAMED])) + (", ..." if len(numbers) > _NUMBERS_NAMED else "")
            self.warn(f"{len(numbers)} of {len(self._paths)} images were left out ({reason}): number {first}")
        if sum(map(len, left_out.values())) == len(self._paths):
            raise SourceError(f"none of its images can be read ({', '.join(left_out)})", self._path)


def open_images(
    name: str, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
) -> ImageFolder:
    """Open the image or the folder of images that a name stands for.

    Raises:
        SourceError: see `ImageFolder`.
    """
    return ImageFolder(local_path(name) or Path(name), spacing_mm=spacing_mm, clock_ns=clock_ns)


def _images(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        found = [entry for entry in path.iterdir() if entry.suffix.lower() in IMAGE_SUFFIXES]
    except OSError as error:
        raise SourceError(f"cannot be listed ({error.strerror}); check its rights", path) from error
    # Copies from a Mac carry a hidden "._name.png" beside each file, which is no image.
    images = [entry for entry in found if entry.is_file() and not entry.name.startswith(".")]
    if not images:
        raise SourceError("no images in this folder; give one with PNG, JPEG, BMP, TIFF or WebP files", path)
    return sorted(images, key=lambda image: natural(image.name))


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return a key that sorts numbers in names by their value; the name itself decides a tie."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(int(part), "") if at % 2 else (0, part) for at, part in enumerate(parts)], name


def _read(path: Path) -> Pixels:
    """Gray ``(H, W)`` if the image is without colour, otherwise RGB ``(H, W, 3)``.

    Raises:
        _Unsuitable: when the image is too large, or of a kind whose range of levels is unknown.
        Exception: whatever else Pillow raises on a damaged file.
    """
    with Image.open(path, formats=_READERS) as image:
        # The header is read, the pixels are not yet.
        if image.width * image.height > MAX_PIXELS:
            raise _Unsuitable(f"larger than {MAX_PIXELS >> 20} megapixels")
        return _full_range(ImageOps.exif_transpose(image))


def _full_range(image: Image.Image) -> Pixels:
    if image.mode.startswith("I"):
        return _from_16_bits(np.asarray(image))
    if image.mode == "F":
        raise _Unsuitable("floating-point levels, which have no known range; save them with 8 or 16 bits")
    if image.mode in ("1", "L"):
        return np.array(image.convert("L"))
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image.convert("RGBA"))
    return gray_where_neutral(np.array(image.convert("RGB")))


def _from_16_bits(levels: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Pixels:
    """8 bits ``(H, W)`` of a 16-bit image: 65535 becomes 255, in every image alike, so that gain stays comparable."""
    rounded = (levels.astype(np.int64).clip(0, 65535) + 128) // 257
    return rounded.astype(np.uint8)
