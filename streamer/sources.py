"""From a name to the frames it stands for."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from fetalstream.streamer.errors import SourceError, shown
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.live.addresses import NETWORK_SCHEMES, redacted

_NAMES = "give a video file, a folder of images, camera:0, an address such as rtsp://host/path, or phantom:SEED"


SourceKind = Literal["file", "folder", "dicom", "phantom", "network", "camera", "igtl"]


class Source(Protocol):
    """Frames in order, all that there are, then a clean end.

    Attributes:
        kind: what sort of source it is.
        live: whether frames come whether or not they are read; False where reading waits for nothing.
        frames_expected: how many frames there should be, None where unknown.
        rate_hz: frames a second, None where unknown.
        identity: SHA-256 (hex) that stands for the source where its name must not.
        warnings: what was wrong on the way, one line each; filled while frames are read.
    """

    warnings: list[str]

    @property
    def kind(self) -> SourceKind: ...
    @property
    def live(self) -> bool: ...
    @property
    def frames_expected(self) -> int | None: ...
    @property
    def rate_hz(self) -> float | None: ...
    @property
    def identity(self) -> str: ...

    def __iter__(self) -> Iterator[Frame]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None, /
    ) -> None: ...


def open_source(
    name: str, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
) -> Source:
    """Open the source that a name stands for; `docs/sources.md` lists them all.

    Args:
        name: an existing path comes before everything else, whatever it looks like.
        spacing_mm: millimetres per pixel of the source's frames, as the operator says; None where unknown.
        clock_ns: the monotonic clock that stamps arrivals.

    Raises:
        SourceError: when there is no such source or it cannot be read; one line that says what to do.
    """
    if spacing_mm is not None and not (math.isfinite(spacing_mm) and spacing_mm > 0):
        raise SourceError(f"the spacing must be millimetres per pixel above 0, got {spacing_mm}")
    path = Path(name)
    if re.match(r"/dev/(video[0-9]|v4l/)", name):
        return _open_camera(name, spacing_mm, clock_ns)
    if name and _exists(path):
        return _open_path(path, None, spacing_mm, clock_ns)
    plain, region = _split_region(name)
    if region is not None and _exists(Path(plain)):
        return _open_path(Path(plain), region, spacing_mm, clock_ns)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", name)
    if scheme is None:
        raise SourceError(f"there is no such file or folder; {_NAMES}", redacted(name) or "an empty name")
    if scheme[1].lower() in NETWORK_SCHEMES:
        from fetalstream.streamer.live.network import open_network

        return open_network(name, spacing_mm=spacing_mm, clock_ns=clock_ns)
    if scheme[1].lower() == "igtl":
        from fetalstream.streamer.live.igtl import open_igtl

        return open_igtl(name, spacing_mm=spacing_mm, clock_ns=clock_ns)
    if scheme[1] == "camera":
        return _open_camera(name, spacing_mm, clock_ns)
    if scheme[1] != "phantom":
        # Only the scheme is repeated: what follows may hold a password.
        raise SourceError(f"{scheme[1]}: sources of this kind cannot be opened; {_NAMES}")
    return _open_phantom(name.partition(":")[2], spacing_mm)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long for a path, or with a zero byte in it
        return False


def _split_region(name: str) -> tuple[str, int | None]:
    """A name and the DICOM region asked for behind it: ``clip.dcm#region=2``."""
    found = re.fullmatch(r"(.+)#region=([1-9][0-9]?)", name, re.DOTALL)
    return (name, None) if found is None else (found[1], int(found[2]))


def _holds_dicom(folder: Path) -> bool:
    from fetalstream.streamer.dicom.clip import dicom_files

    return bool(dicom_files(folder))


def _open_path(path: Path, region: int | None, spacing_mm: float | None, clock_ns: Callable[[], int]) -> Source:
    # What reads videos is loaded only for a video: a phantom needs neither libav nor Pillow.
    from fetalstream.streamer.dicom.header import is_dicom
    from fetalstream.streamer.readers.folders import IMAGE_SUFFIXES, ImageFolder

    if (path.is_file() and is_dicom(path)) or (path.is_dir() and _holds_dicom(path)):
        from fetalstream.streamer.dicom.clip import DicomClip

        return DicomClip(path, region=region, spacing_mm=spacing_mm, clock_ns=clock_ns)

    if path.is_dir() or (path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES):
        return ImageFolder(path, spacing_mm=spacing_mm, clock_ns=clock_ns)
    if not path.is_file():
        raise SourceError(f"neither a file nor a folder; {_NAMES}", path)
    from fetalstream.streamer.readers.files import VideoFile

    return VideoFile(path, spacing_mm=spacing_mm, clock_ns=clock_ns)


def _open_camera(name: str, spacing_mm: float | None, clock_ns: Callable[[], int]) -> Source:
    from fetalstream.streamer.live.camera import open_camera

    return open_camera(name, spacing_mm=spacing_mm, clock_ns=clock_ns)


def _open_phantom(seed: str, spacing_mm: float | None) -> Source:
    if not re.fullmatch(r"[0-9]{1,9}", seed):
        raise SourceError(f"{shown(f'phantom:{seed}')}: the seed must be a whole number; give phantom:7, for example")
    from fetalstream.streamer.phantom.source import PhantomSource

    source = PhantomSource(int(seed))
    if spacing_mm is not None:
        source.warnings.append("a phantom knows its own spacing; the given one is not used")
    return source
