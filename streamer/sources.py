"""Sources of frames, opened by their names."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, Self

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.given_scale import LARGEST_MM, SMALLEST_MM
from fetalstream.streamer.live.addresses import redacted, scheme_of
from fetalstream.streamer.readers.local_path import local_path
from fetalstream.streamer.region.masker import FrameMasker
from fetalstream.streamer.source_formats import EXAMPLES, FORMATS
from fetalstream.streamer.status import SourceStatus


class Source(Protocol):
    """Frames in order, all that there are, then a clean end.

    Attributes:
        kind: what sort of source it is: "file", "folder", "dicom", "phantom", "network", "camera" or "igtl".
        live: whether frames come whether or not they are read; False if reading waits for nothing.
        frames_expected: how many frames there should be, None if unknown.
        rate_hz: frames a second, None if unknown.
        identity: SHA-256 (hex) that stands for the source where its name must not.
        warnings: what was wrong on the way, one line each; filled while frames are read.
        status: how reading fares at the moment; may be asked from any thread.
        masker: what masks the frames before they leave the source; None if they come whole.
    """

    warnings: list[str]

    @property
    def kind(self) -> str: ...
    @property
    def live(self) -> bool: ...
    @property
    def frames_expected(self) -> int | None: ...
    @property
    def rate_hz(self) -> float | None: ...
    @property
    def identity(self) -> str: ...
    @property
    def status(self) -> SourceStatus: ...
    @property
    def masker(self) -> FrameMasker | None: ...

    def __iter__(self) -> Iterator[Frame]: ...
    def resume(self) -> None:
        """Start reading again that was given up; nothing if it was not."""
        ...

    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None, /
    ) -> None: ...


class _Opener(Protocol):
    def __call__(self, name: str, *, spacing_mm: float | None, clock_ns: Callable[[], int]) -> Source: ...


def open_source(
    name: str, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
) -> Source:
    """Open the source that a name stands for; `docs/sources.md` lists them all.

    Args:
        name: an existing path comes before everything else, whatever it looks like.
        spacing_mm: millimetres per pixel of the source's frames, as the operator says; None if unknown.
        clock_ns: the monotonic clock that stamps arrivals.

    Raises:
        SourceError: when there is no such source or it cannot be read; one line that says what to do.
    """
    # True and False are numbers to Python.
    if spacing_mm is not None and (isinstance(spacing_mm, bool) or not SMALLEST_MM <= spacing_mm <= LARGEST_MM):
        raise SourceError(f"the spacing must be {SMALLEST_MM:g} to {LARGEST_MM:g} mm per pixel, got {spacing_mm}")
    for source_format in FORMATS:
        if source_format.matches(name):
            return _opener(source_format.opener)(name, spacing_mm=spacing_mm, clock_ns=clock_ns)
    path, scheme = local_path(name), scheme_of(name)
    if path is not None:
        raise SourceError(f"neither a file nor a folder; give {EXAMPLES}", path)
    if scheme is None:
        raise SourceError(f"there is no such file or folder; give {EXAMPLES}", redacted(name) or "an empty name")
    # Only the scheme is repeated: what follows may hold a password.
    raise SourceError(f"{scheme}: sources of this kind cannot be opened; give {EXAMPLES}")


def _opener(where: str) -> _Opener:
    module, _, function = where.partition(":")
    return getattr(importlib.import_module(f"fetalstream.streamer.{module}"), function)
