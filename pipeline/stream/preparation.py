"""Preparation of frames for the model: masking, the state of the signal, and whether they must be analysed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from fetalstream.pipeline import wire
from fetalstream.pipeline.readout.quality import QualityMeter
from fetalstream.pipeline.readout.reuse import ReuseGate
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.stream.segment_tracker import SegmentTracker
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.region.masker import FrameMasker, Masker, Region, RegionEvent, SectorSetting
from fetalstream.streamer.signal import SignalMonitor

Action = Literal["analyse", "reuse", "blank", "refuse"]


@dataclass(frozen=True, eq=False, slots=True)
class PreparedFrame:
    """A frame on its way through the model, and what was decided about it.

    Attributes:
        frame: holds the sector's pixels only, with the spacing in force; black if it is refused.
        segment: the stretch of the stream that it belongs to.
        action: "analyse" wants scores; "reuse" repeats the last answer; "blank" (black, no signal) has nothing to be
            read; "refuse" cannot be cut to the sector, and ``trouble`` says why.
        state: of the signal.
        still: whether the picture was there before.
        quality: of the picture if it is analysed, else None.
        prepared_ns: when the engine took the frame, monotonic.
        dropped: frames of the stream dropped until then.
        trouble: one line on why the frame is refused, else None.
        arrived_ns: when the frame reached this process, monotonic; None if nobody looked.
        bank: sentences about age for the frame's spacing, (175, D), if they are ready before it is looked at.
        events: what has changed in the scan region.
    """

    frame: Frame
    segment: Segment
    action: Action
    state: wire.State = "live"
    still: bool = False
    quality: wire.Quality | None = None
    prepared_ns: int = 0
    dropped: int = 0
    trouble: str | None = None
    arrived_ns: int | None = None
    bank: npt.NDArray[np.floating] | None = None
    events: tuple[RegionEvent, ...] = ()


class Preparation:
    """Masks and sorts the frames of one stream. Passive.

    Attributes:
        segments: makes each frame's segment; it is told what the operator says.

    Args:
        sector: the scan region; None for the whole frame; a masker if the frames come masked.
        exam: id of the examination that begins.
    """

    def __init__(self, sector: SectorSetting | FrameMasker = None, exam: str = "") -> None:
        self.segments = SegmentTracker(exam)
        self._masker = sector if isinstance(sector, FrameMasker) else Masker(sector)
        self._region: Region | None = None
        self._signal = SignalMonitor()
        self._masking = 0  # that the monitor has seen
        self._gate = ReuseGate()
        self._quality = QualityMeter()
        self._state: wire.State = "no_signal"

    @property
    def sector(self) -> SectorSetting:
        """The scan region as it was set; None for the whole frame."""
        return self._masker.setting

    @property
    def region(self) -> Region | None:
        """The scan region of the last frame; None if the whole frame is used, or it is not known."""
        return self._region

    def set_sector(self, sector: SectorSetting) -> None:
        """Set another scan region; what was seen through the old one is not compared with what comes."""
        self._masker.set_sector(sector)
        self.segments.set_sector()

    def reset_reuse(self) -> None:
        """Have the next frame analysed: the last answer came to nothing and cannot be repeated."""
        self._gate.reset()

    def prepare(self, frame: Frame, now_ns: int = 0, dropped: int = 0, arrived_ns: int | None = None) -> PreparedFrame:
        """Mask the next frame and decide what it needs.

        Args:
            frame: as captured.
            now_ns: monotonic.
            dropped: frames of this stream dropped so far.
            arrived_ns: when the frame reached this process, monotonic; None if nobody looked.
        """
        seen = self._masker.update(frame)
        segment = self.segments.of(seen, now_ns)
        self._region = seen.region
        prepared = PreparedFrame(
            seen.frame, segment, "refuse", self._state, prepared_ns=now_ns, dropped=dropped, trouble=seen.trouble,
            arrived_ns=arrived_ns, events=seen.events,
        )  # fmt: skip
        if seen.trouble is not None:
            return prepared
        masked = seen.frame
        if (given_mm := self.segments.spacing_mm) is not None:
            masked = replace(masked, spacing_mm=given_mm, spacing_from="operator")
        self._see(masked, segment)
        action = self._action(masked, segment)
        analysed = action == "analyse"
        return replace(
            prepared, frame=masked, action=action, state=self._state,
            still=self._signal.identical or self._state == "frozen",
            quality=self._quality.update(masked.pixels, masked.pts_seconds, segment) if analysed else None,
        )  # fmt: skip

    def _see(self, frame: Frame, segment: Segment) -> None:
        """Take the picture's signal in; a monitor compares only what was masked alike."""
        if self._masking != segment.masking:
            self._signal, self._masking = SignalMonitor(), segment.masking
        self._state = self._signal.update(frame)

    def _action(self, frame: Frame, segment: Segment) -> Action:
        if self._state in ("black", "no_signal"):
            self._gate.reset()
            return "blank"
        held = self._gate.holds(segment, frame.pts_seconds, self._signal.thumbnail)
        return "reuse" if held else "analyse"
