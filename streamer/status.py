"""The status of a source, whatever kind it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SourceState = Literal["starting", "running", "failed"]


@dataclass(frozen=True)
class SourceStatus:
    """The state of a source at one moment.

    Attributes:
        state: "failed" if reading was given up until `streamer.sources.Source.resume` is called.
        trouble: why no frames come, one line that may be published; None while they do.
        steps: grows with everything that a live source tries or reads: one that stands still hangs.
        reconnects: how often frames came again after they had ceased.
        deaths: of processes that read the source, ever.
        died: how the last of them did.
        dropped: frames that were replaced by newer ones before they reached this process.
        size: width and height of the source's frames before a process of its own cut them; None if none does, or
            before the first frame.
    """

    state: SourceState = "running"
    trouble: str | None = None
    steps: int = 0
    reconnects: int = 0
    deaths: int = 0
    died: str | None = None
    dropped: int = 0
    size: tuple[int, int] | None = None
