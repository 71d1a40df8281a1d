"""The parts that all sources share that are read in this process: closing, warnings, and a plain status."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from fetalstream.streamer.frame import Frame
from fetalstream.streamer.status import SourceStatus


class InProcessSource(ABC):
    """A `streamer.sources.Source` without a process of its own. Heirs say what their frames are, and of what kind.

    Attributes:
        warnings: one line each, added while frames are read.
    """

    live: bool = False
    masker = None

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._closed = threading.Event()

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Read the frames, until the end or until soon after `close`."""

    @property
    def status(self) -> SourceStatus:
        """A running source without trouble: reading it neither waits nor fails unnoticed."""
        return SourceStatus()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration that is under way, in whatever thread, at its next frame."""
        # What is open is closed by the thread that reads: closing it under a running decoder would crash.
        self._closed.set()

    def resume(self) -> None:  # noqa: B027 - most have nothing to do here
        """Do nothing: such a source is never given up."""

    def warn(self, text: str) -> None:
        """Add a warning, unless it is there already."""
        if text not in self.warnings:
            self.warnings.append(text)
