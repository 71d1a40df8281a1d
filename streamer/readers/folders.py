"""Folders of images, or one image or stack: pictures in the natural order of their names."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.given_scale import GivenScale
from fetalstream.streamer.in_process_source import InProcessSource
from fetalstream.streamer.readers import identity
from fetalstream.streamer.readers.image_file import UnsuitableImage, page_count, read_pages
from fetalstream.streamer.readers.local_path import local_path
from fetalstream.streamer.readers.timeline import Timeline

IMAGE_SUFFIXES = frozenset({".png", ".apng", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pnm"})
_IN_FOLDERS = IMAGE_SUFFIXES | {".gif"}  # one GIF by itself is a video
# Pictures of these kinds are not read, and a folder must not be thought to have none.
_OTHER_PICTURES = {
    ".heic": "HEIC",
    ".heif": "HEIC",
    ".hif": "HEIC",
    ".avif": "AVIF",
    ".jp2": "JPEG 2000",
    ".j2k": "JPEG 2000",
    ".jxl": "JPEG XL",
    ".tga": "TGA",
}

# Stills have no times. A second apart, what is smoothed over time keeps next to nothing of the image before.
IMAGES_PER_SECOND = 1.0

_NUMBERS_NAMED = 10
_CONVERT = "convert them to PNG or JPEG"


class ImageFolder(InProcessSource):
    """Reads every image of a folder (not of its sub-folders), in the natural order of the names: 2 before 10.

    Every page of a stack and every frame of an animation is a frame; see `streamer.readers.image_file`. Frames are one
    second apart, those of an animation as far as it says. An image of another size than the one before it begins a new
    epoch. An image that cannot be read is left out, with a warning, and leaves a gap in the index.

    Attributes:
        frames_expected: how many images and pages there are.
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
        self._paths, other_pictures = _images(path)
        self._counts = [page_count(each) for each in self._paths]
        self._spacing_mm = spacing_mm
        self._clock_ns = clock_ns
        self.frames_expected: int | None = sum(self._counts)
        self.rate_hz: float | None = IMAGES_PER_SECOND
        self.identity = identity.of_listing(self._paths)
        if other_pictures:
            self.warn(f"pictures of kinds that are not read were left out ({other_pictures}); {_CONVERT}")

    def __iter__(self) -> Iterator[Frame]:
        timeline = Timeline(1 / IMAGES_PER_SECOND, pauses=True)
        scale = GivenScale(self._spacing_mm, self.warn)
        left_out: dict[str, list[int]] = {}
        first, begins = 0, 0.0
        for path, count in zip(self._paths, self._counts, strict=True):
            index, seconds = first, begins
            try:
                for page in read_pages(path):
                    if self._closed.is_set():
                        return
                    size = page.pixels.shape[0], page.pixels.shape[1]
                    pts_seconds, epoch = timeline.place(seconds, size)
                    yield Frame(page.pixels, index, pts_seconds, self._clock_ns(), epoch, *scale.of(size))
                    index += 1
                    seconds += 1 / IMAGES_PER_SECOND if page.seconds is None else page.seconds
            except UnsuitableImage as error:
                left_out.setdefault(str(error), []).extend(range(index + 1, first + count + 1))
            except Exception:  # see read_pages
                left_out.setdefault("damaged, or not an image", []).extend(range(index + 1, first + count + 1))
            begins = seconds + (first + count - index) / IMAGES_PER_SECOND
            first += count
        self._report(left_out)

    def _report(self, left_out: dict[str, list[int]]) -> None:
        for reason, numbers in left_out.items():
            # By number, because a warning may be published and a file's name may hold a patient's.
            first = ", ".join(map(str, numbers[:_NUMBERS_NAMED])) + (", ..." if len(numbers) > _NUMBERS_NAMED else "")
            self.warn(f"{len(numbers)} of {self.frames_expected} images were left out ({reason}): number {first}")
        if sum(map(len, left_out.values())) == self.frames_expected:
            raise SourceError(f"none of its images can be read ({', '.join(left_out)})", self._path)


def open_images(
    name: str, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
) -> ImageFolder:
    """Open the image or the folder of images that a name stands for.

    Raises:
        SourceError: see `ImageFolder`.
    """
    return ImageFolder(local_path(name) or Path(name), spacing_mm=spacing_mm, clock_ns=clock_ns)


def _images(path: Path) -> tuple[list[Path], str]:
    """The images, and how many pictures of what other kinds lie beside them, in words."""
    if not path.is_dir():
        return [path], ""
    try:
        # Copies from a Mac carry a hidden "._name.png" beside each file, which is no image.
        files = [entry for entry in path.iterdir() if not entry.name.startswith(".") and entry.is_file()]
    except OSError as error:
        raise SourceError(f"cannot be listed ({error.strerror}); check its rights", path) from error
    others = Counter(_OTHER_PICTURES[suffix] for file in files if (suffix := file.suffix.lower()) in _OTHER_PICTURES)
    other_pictures = ", ".join(f"{kind}: {count}" for kind, count in sorted(others.items()))
    images = [file for file in files if file.suffix.lower() in _IN_FOLDERS]
    if not images and other_pictures:
        raise SourceError(f"its pictures are of kinds that are not read ({other_pictures}); {_CONVERT}", path)
    if not images:
        raise SourceError("no images in this folder; give one with PNG, JPEG, BMP, TIFF, WebP or GIF files", path)
    return sorted(images, key=lambda image: natural(image.name)), other_pictures


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return a key that sorts numbers in names by their value; the name itself decides a tie."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(int(part), "") if at % 2 else (0, part) for at, part in enumerate(parts)], name
