"""The phantom as a source of frames, with its truth beside them."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fetalstream.streamer.errors import SourceError, shown
from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.in_process_source import InProcessSource
from fetalstream.streamer.phantom.screen import PICTURE, with_screen
from fetalstream.streamer.phantom.tour import RATE_HZ, Tour
from fetalstream.streamer.phantom.view import PLANES, SUBPLANES, in_plane, render

__all__ = ["PLANES", "SUBPLANES", "PhantomSource", "Truth"]


@dataclass(frozen=True)
class Truth:
    """The truth about one phantom frame.

    Attributes:
        index: of the frame.
        plane, subplane: the body in view, None for other tissue.
        in_plane: 0 (missed) to 1 (hit).
        gestation_days: age of the fetus, from the last menstrual period.
        hc_mm: head circumference.
        spacing_mm: millimetres per pixel.
        sector: outline, picture pixels.
        leg: changes with every new stretch of the scan.
    """

    index: int
    plane: str | None
    subplane: str | None
    in_plane: float
    gestation_days: float
    hc_mm: float
    spacing_mm: float
    sector: tuple[tuple[float, float], ...]
    leg: int

    @property
    def label(self) -> str | None:
        """The right answer of a classifier: the plane from ``in_plane`` 0.7 on, "other" up to 0.3, None between."""
        if self.plane is None or self.in_plane <= 0.3:
            return "other"
        return self.plane if self.in_plane >= 0.7 else None


class PhantomSource(InProcessSource):
    """Draws a synthetic scan, 640x480 gray at 30 frames a second, the same for the same seed on every run.

    Args:
        seed: which fetus, scanner and course. Below 1,000,000 for evaluation, from there on for training.
        seconds: where the scan ends; None for never.
        screen: draw a scanner's user interface round the picture (800x600), with a depth ruler and a made-up name.
        gestation_days: fixes the age instead of drawing it.
        spacing_mm: given out instead of the true spacing (an operator's word goes first).
    """

    kind = "phantom"

    def __init__(
        self, seed: int, *, seconds: float | None = None, screen: bool = False, gestation_days: float | None = None,
        spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        super().__init__()
        self.seed = seed
        self.rate_hz: float | None = RATE_HZ
        self.frames_expected = None if seconds is None else round(seconds * RATE_HZ)
        self.identity = hashlib.sha256(f"phantom:{seed}".encode()).hexdigest()
        self._tour = Tour(seed, gestation_days)
        self._screen = screen
        self._spacing_mm = spacing_mm
        self._clock_ns = clock_ns

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while not self._closed.is_set() and (self.frames_expected is None or index < self.frames_expected):
            yield self.frame(index)
            index += 1

    def frame(self, index: int) -> Frame:
        """Draw frame ``index`` anew."""
        view = self._tour.view_at(index)
        leg = self._tour.leg_at(index / RATE_HZ)
        pixels: Pixels = render(view)
        if self._screen:
            pixels = with_screen(pixels, view.setting.spacing_mm, self.seed, index)
        given = self._spacing_mm is not None
        return Frame(
            pixels=pixels, index=index, pts_seconds=index / RATE_HZ, captured_ns=self._clock_ns(), epoch=leg.epoch,
            spacing_mm=self._spacing_mm if given else view.setting.spacing_mm,
            spacing_from="operator" if given else "phantom",
        )  # fmt: skip

    def truth(self, index: int) -> Truth:
        """Return the truth about frame ``index``."""
        view = self._tour.view_at(index)
        left, top = PICTURE[:2] if self._screen else (0, 0)
        return Truth(
            index=index, plane=view.plane, subplane=view.subplane,
            in_plane=0.0 if view.plane is None else in_plane(view.z), gestation_days=view.fetus.gestation_days,
            hc_mm=view.fetus.hc_mm, spacing_mm=view.setting.spacing_mm,
            sector=tuple((x + left, y + top) for x, y in view.setting.layout.polygon),
            leg=self._tour.leg_at(index / RATE_HZ).epoch,
        )  # fmt: skip


def open_phantom(
    name: str, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
) -> PhantomSource:
    """Open the phantom of ``phantom:SEED``. A phantom knows its own spacing: another one is not used, with a warning.

    Raises:
        SourceError: the seed is not a whole number of at most nine digits.
    """
    seed = name.partition(":")[2]
    if not re.fullmatch(r"[0-9]{1,9}", seed):
        raise SourceError(f"{shown(name)}: the seed must be a whole number; give phantom:7, for example")
    source = PhantomSource(int(seed), clock_ns=clock_ns)
    if spacing_mm is not None:
        source.warn("a phantom knows its own spacing; the given one is not used")
    return source
