"""The segment of each frame: the only place that knows what begins a new one."""

from __future__ import annotations

from fetalstream.pipeline.readout.segment import Segment
from fetalstream.streamer.region.masker import Masked, Region


class SegmentTracker:
    """Makes the `Segment` of one stream's frames from the frames themselves and from what the operator says. Passive.

    It also holds the operator's spacing, because that ends with the layout it was given for.

    Attributes:
        exam: id of the running examination.
        previous_exam: id of the one before; of the first examination, itself.
        exam_began_ns: when the examination was begun, or its first frame came, monotonic; None before any frame.
        spacing_mm: the operator's word on the frames' spacing, millimetres per pixel; None leaves it to the source.

    Args:
        exam: id of the examination that begins.
    """

    def __init__(self, exam: str) -> None:
        self.exam = self.previous_exam = exam
        self.exam_began_ns: int | None = None
        self.spacing_mm: float | None = None
        self._masking = 0
        self._scale = 0
        self._region: Region | None = None

    def new_exam(self, exam: str, now_ns: int) -> None:
        """Begin another examination, to which frames captured from ``now_ns`` on belong."""
        self.previous_exam, self.exam, self.exam_began_ns = self.exam, exam, now_ns

    def set_sector(self) -> None:
        """Begin another masking, because the operator set the scan region."""
        self._masking += 1

    def set_spacing(self, spacing_mm: float | None) -> None:
        """Begin another scale, because the operator gave the spacing or left it to the source (None)."""
        self.spacing_mm = spacing_mm
        self._scale += 1

    def of(self, masked: Masked, now_ns: int) -> Segment:
        """Return the segment of the next frame.

        Args:
            masked: the frame as it came from the masker, refused or not.
            now_ns: monotonic; the first frame of all begins the first examination.
        """
        self.exam_began_ns = now_ns if self.exam_began_ns is None else self.exam_began_ns
        early = masked.frame.captured_ns < self.exam_began_ns
        if any(each.event == "layout_changed" for each in masked.events):
            self.spacing_mm = None  # it was given for another depth
        self._masking += _outline(masked.region) != _outline(self._region)
        self._region = masked.region
        exam = self.previous_exam if early else self.exam
        return Segment(exam, masked.frame.epoch, self._masking, self._scale)


def _outline(region: Region | None) -> tuple[tuple[float, float], ...] | None:
    return None if region is None else region.polygon
