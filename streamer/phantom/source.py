"""The phantom as a source of frames, with its truth beside them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Self

from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.phantom.screen import PICTURE, with_screen
from fetalstream.streamer.phantom.tour import RATE_HZ, Tour
from fetalstream.streamer.phantom.view import PLANES, SUBPLANES, in_plane, render

__all__ = ["PLANES", "SUBPLANES", "PhantomSource", "Truth"]


@dataclass(frozen=True)
class Truth:
    """What a phantom frame really shows.

    ``plane`` and ``subplane``: the body in view, None for other tissue. ``in_plane``: 0 (missed) to 1 (hit).
    ``label``: what a classifier should say: the plane from 0.7 on, "other" up to 0.3, None (not scored) between.
    ``sector``: outline, picture pixels. ``leg``: changes with every new stretch of the scan.
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
        if self.plane is None or self.in_plane <= 0.3:
            return "other"
        return self.plane if self.in_plane >= 0.7 else None


class PhantomSource:
    """A synthetic scan, 640x480 gray at 30 frames a second, the same for the same seed on every run.

    Args:
        seed: which fetus, scanner and course. Below 1,000,000 for evaluation, from there on for training.
        seconds: where the scan ends; None for never.
        screen: draw a scanner's user interface round the picture (800x600), with a depth ruler and a made-up name.
        gestation_days: fixes the age instead of drawing it.
        spacing_mm: given out instead of the true spacing (an operator's word goes first).
    """

    kind: Literal["phantom"] = "phantom"
    live = False

    def __init__(
        self, seed: int, *, seconds: float | None = None, screen: bool = False, gestation_days: float | None = None,
        spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self.seed = seed
        self.rate_hz: float | None = RATE_HZ
        self.frames_expected = None if seconds is None else round(seconds * RATE_HZ)
        self.identity = hashlib.sha256(f"phantom:{seed}".encode()).hexdigest()
        self.warnings: list[str] = []
        self._tour = Tour(seed, gestation_days)
        self._screen = screen
        self._spacing_mm = spacing_mm
        self._clock_ns = clock_ns
        self._closed = False

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while not self._closed and (self.frames_expected is None or index < self.frames_expected):
            yield self.frame(index)
            index += 1

    def frame(self, index: int) -> Frame:
        """Frame ``index``, drawn anew."""
        view = self._tour.view_at(index)
        leg = self._tour.leg_at(index / RATE_HZ)
        pixels: Pixels = render(view)
        if self._screen:
            pixels = with_screen(pixels, view.setting.spacing_mm, self.seed, index)
        told = self._spacing_mm is not None
        return Frame(
            pixels=pixels, index=index, pts_seconds=index / RATE_HZ, captured_ns=self._clock_ns(), epoch=leg.epoch,
            spacing_mm=self._spacing_mm if told else view.setting.spacing_mm,
            spacing_from="operator" if told else "phantom",
        )  # fmt: skip

    def truth(self, index: int) -> Truth:
        """What frame ``index`` shows."""
        view = self._tour.view_at(index)
        left, top = PICTURE[:2] if self._screen else (0, 0)
        return Truth(
            index=index, plane=view.plane, subplane=view.subplane,
            in_plane=0.0 if view.plane is None else in_plane(view.z), gestation_days=view.fetus.gestation_days,
            hc_mm=view.fetus.hc_mm, spacing_mm=view.setting.spacing_mm,
            sector=tuple((x + left, y + top) for x, y in view.setting.layout.polygon),
            leg=self._tour.leg_at(index / RATE_HZ).epoch,
        )  # fmt: skip

    def close(self) -> None:
        """Ends the iteration."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
