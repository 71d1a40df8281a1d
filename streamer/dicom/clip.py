"""DICOM files, through pydicom: one clip, or a folder of clips and stills, in the natural order of their names."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Final

from fetalstream.streamer.dicom.decoding import decoded
from fetalstream.streamer.dicom.header import DicomHeader, Unreadable, is_dicom, needs_pydicom, read_header
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.given_scale import GivenScale
from fetalstream.streamer.in_process_source import InProcessSource
from fetalstream.streamer.readers import identity
from fetalstream.streamer.readers.folders import natural
from fetalstream.streamer.readers.local_path import local_path, region_of
from fetalstream.streamer.readers.picture import square_pixels

_BETWEEN_SECONDS: Final = 1.0  # from the last frame of a file to the first of the next
_NUMBERS_NAMED: Final = 10
_MAX_DENOMINATOR: Final = 10_000


class DicomClip(InProcessSource):
    """Reads every frame of a DICOM file, or of those in a folder (not in its sub-folders). Can be iterated again.

    Each file begins a new epoch: nothing says that depth and zoom are those of the file before it. A file that cannot
    be used leaves a warning. No element that says who the patient is is read from any of them.

    Attributes:
        frames_expected: frames that the files hold, those included that may not be decoded.
        rate_hz: of the first file, frames a second.
        identity: of the content of one file, of the names and sizes in a folder; see `streamer.readers.identity`.
        warnings: one line each, without names; added while the files are read.

    Args:
        path: a file or a folder.
        region: which ultrasound region is meant, from 1 in the file's order, if several show a scan.
        spacing_mm: the operator's word on the frames as they are delivered (square pixels), which goes before the
            files' own. It holds for the size of the first frame.
        clock_ns: the monotonic clock that stamps arrivals.

    Raises:
        SourceError: pydicom is not installed, or not one file can be used; one line that says why.
    """

    kind = "dicom"

    def __init__(
        self, path: Path, *, region: int | None = None, spacing_mm: float | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        super().__init__()
        needs_pydicom(path)
        self._path = path
        self._region = region
        self._spacing_mm = spacing_mm
        self._clock_ns = clock_ns
        self._paths = dicom_files(path) if path.is_dir() else [path]
        self.identity = identity.of_listing(self._paths) if path.is_dir() else identity.of_file(path)
        self._headers = self._read_headers()
        first = next(iter(self._headers.values()))
        self.frames_expected: int | None = sum(header.frames for header in self._headers.values())
        self.rate_hz: float | None = 1 / first.period_seconds

    def __iter__(self) -> Iterator[Frame]:
        index, begun_seconds = 0, 0.0
        scale = GivenScale(self._spacing_mm, self.warn)
        for epoch, (number, header) in enumerate(self._headers.items()):
            count = 0
            with closing(self._pictures(header)) as pictures:
                for place, pixels, own_mm in pictures:
                    if self._closed.is_set():
                        return
                    pts_seconds = begun_seconds + header.times_seconds[place]
                    spacing = scale.of(pixels.shape[:2], (None, None) if own_mm is None else (own_mm, "dicom"))
                    yield Frame(pixels, index, pts_seconds, self._clock_ns(), epoch, *spacing)
                    count += 1
                    index += 1
            if count < header.frames:
                self.warn(f"{self._which(number)}{count} of {header.frames} frames could be read; it is damaged")
            begun_seconds += header.times_seconds[header.frames - 1] + _BETWEEN_SECONDS
        if not index:
            raise SourceError("no picture in it can be decoded; it is damaged", self._path)

    def _read_headers(self) -> dict[int, DicomHeader]:
        """Headers of the files that can be used, by the file's number from 1."""
        headers: dict[int, DicomHeader] = {}
        left_out: dict[str, list[int]] = {}
        for number, path in enumerate(self._paths, start=1):
            try:
                headers[number] = read_header(path, self._region)
            except Unreadable as error:
                left_out.setdefault(str(error), []).append(number)
            except OSError as error:
                left_out.setdefault(f"cannot be read ({error.strerror})", []).append(number)
        if not headers:
            raise SourceError("; ".join(left_out), self._path)
        for reason, numbers in left_out.items():
            # By number, because a warning may be published and a file's name may hold a patient's.
            first = ", ".join(map(str, numbers[:_NUMBERS_NAMED])) + (", ..." if len(numbers) > _NUMBERS_NAMED else "")
            self.warn(f"{len(numbers)} of {len(self._paths)} files were left out: number {first} {reason}")
        for number, header in headers.items():
            for line in header.warnings:
                self.warn(f"{self._which(number)}{line}")
        return headers

    def _pictures(self, header: DicomHeader) -> Generator[tuple[int, Pixels, float | None]]:
        """Decode frames with square pixels, and say where each stands and how many millimetres its pixels are wide."""
        scale = header.scale
        aspect = Fraction(scale.aspect).limit_denominator(_MAX_DENOMINATOR)
        for place, stored in decoded(header.pixel_data, header.elements, header.syntax):
            pixels = square_pixels(stored, aspect)
            rows, columns = pixels.shape[0] / header.rows, pixels.shape[1] / header.columns
            spacing = scale.spacing_mm
            yield place, pixels, None if spacing is None else (spacing[0] / columns + spacing[1] / rows) / 2

    def _which(self, number: int) -> str:
        return "" if len(self._paths) == 1 else f"file {number}: "


def open_dicom(
    name: str, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
) -> DicomClip:
    """Open the DICOM file or folder that a name stands for, ``#region=2`` included.

    Raises:
        SourceError: see `DicomClip`.
    """
    path = local_path(name) or Path(name)
    return DicomClip(path, region=region_of(name), spacing_mm=spacing_mm, clock_ns=clock_ns)


def dicom_files(folder: Path) -> list[Path]:
    """Return the DICOM files of a folder, in natural order.

    Raises:
        SourceError: the folder cannot be listed.
    """
    try:
        found = [entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.is_file()]
    except OSError as error:
        raise SourceError(f"cannot be listed ({error.strerror}); check its rights", folder) from error
    return sorted((path for path in found if is_dicom(path)), key=lambda path: natural(path.name))
