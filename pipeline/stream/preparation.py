"""Before the model: cut a frame to the sector, see what the signal is, and decide whether it must be looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from fetalstream.pipeline import wire
from fetalstream.pipeline.readout.quality import QualityMeter
from fetalstream.pipeline.readout.reuse import ReuseGate
from fetalstream.streamer.capture.remote_masker import RemoteMasker
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.region.masker import Masker, Region, RegionEvent, SectorSetting
from fetalstream.streamer.signal import SignalMonitor

Action = Literal["analyse", "reuse", "blank", "refuse"]


@dataclass(frozen=True, eq=False, slots=True)
class PreparedFrame:
    """A frame on its way through the model, and what was decided about it.

    ``action``: "analyse" wants scores; "reuse" repeats the last answer; "blank" (black, no signal) has nothing to be
    read; "refuse" cannot be cut to the sector, and ``trouble`` says why.
    ``frame``: holds the sector's pixels only, with the spacing in force; where refused, it is black.
    ``still``: the picture was there before. ``quality``: where analysed. ``dropped``: frames dropped until then.
    ``events``: what has changed in the scan region. ``masking``: another number where the region is another one.
    ``arrived_ns``: when the frame reached this process. ``bank``: sentences about age for its spacing, where they are
    ready before it is looked at.
    """

    frame: Frame
    action: Action
    state: wire.State
    still: bool
    quality: wire.Quality | None
    exam: str
    admitted_ns: int
    dropped: int
    trouble: str | None = None
    arrived_ns: int | None = None
    bank: npt.NDArray[np.floating] | None = None
    events: tuple[RegionEvent, ...] = ()
    masking: int = 0


class Preparation:
    """Masks and sorts the frames of one stream. Passive.

    Args:
        sector: the scan region; None for the whole frame; a `RemoteMasker` where the frames come masked.
        spacing_mm: the operator's word on the frames' spacing, which goes before the source's.
    """

    def __init__(self, sector: SectorSetting | RemoteMasker = None, spacing_mm: float | None = None) -> None:
        self.spacing_mm = spacing_mm
        self._masker = sector if isinstance(sector, RemoteMasker) else Masker(sector)
        self._region: Region | None = None
        self._maskings = 0
        self._signal = SignalMonitor()
        self._gate = ReuseGate()
        self._quality = QualityMeter()
        self._state: wire.State = "no_signal"
        self._lot: tuple[str, int] | None = None  # exam and epoch of the last frame

    @property
    def sector(self) -> SectorSetting:
        """What was said of the scan region; None for the whole frame."""
        return self._masker.setting

    @property
    def region(self) -> Region | None:
        """The scan region of the last frame; None where the whole frame is used, or it is not known."""
        return self._region

    def set_sector(self, sector: SectorSetting) -> None:
        """Another scan region: nothing seen through the old one is compared with what comes."""
        self._masker.set_sector(sector)
        self._maskings += 1
        self._signal = SignalMonitor()
        self._lot = None

    def answer_lost(self) -> None:
        """There is no answer that could be repeated."""
        self._gate.reset()

    def admit(self, frame: Frame, exam: str, now_ns: int, dropped: int) -> PreparedFrame:
        """Decide what the next frame needs.

        Args:
            frame: as captured.
            exam: the examination it belongs to; another than the last one's, like another epoch, starts afresh.
            now_ns: monotonic.
            dropped: frames of this stream dropped so far.
        """
        seen = self._masker.update(frame)
        self._maskings += _outline(seen.region) != _outline(self._region)
        self._region, masked = seen.region, seen.frame
        if any(each.event == "layout_changed" for each in seen.events):
            self.spacing_mm = None  # it was said of another depth
        if self._lot != (exam, masked.epoch):
            self._lot = (exam, masked.epoch)
            self._gate.reset()
            self._quality.reset()
        if seen.trouble is not None:
            self._gate.reset()
            return PreparedFrame(
                masked, "refuse", self._state, False, None, exam, now_ns, dropped, seen.trouble, events=seen.events
            )
        if self.spacing_mm is not None:
            masked = replace(masked, spacing_mm=self.spacing_mm, spacing_from="operator")
        self._state = self._signal.update(masked)
        still = self._signal.identical or self._state == "frozen"
        action = self._action(masked)
        quality = self._quality.update(masked.pixels, masked.pts_seconds) if action == "analyse" else None
        return PreparedFrame(
            masked, action, self._state, still, quality, exam, now_ns, dropped, events=seen.events,
            masking=self._maskings,
        )  # fmt: skip

    def _action(self, frame: Frame) -> Action:
        if self._state in ("black", "no_signal"):
            self._gate.reset()
            return "blank"
        held = self._gate.holds(frame.epoch, frame.pts_seconds, self._signal.thumbnail)
        return "reuse" if held else "analyse"


def _outline(region: Region | None) -> tuple[tuple[float, float], ...] | None:
    return None if region is None else region.polygon
