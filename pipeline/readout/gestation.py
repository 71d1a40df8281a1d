"""Gestational age (GA): from one frame's 175 scores to a day, and from an examination's days to an estimate.

A *row* is (175,) float: 100 · image · text for the sentences of every day of ``GRID_DAYS``, averaged over templates.
Ages are days from the last menstrual period; 20w3d is 143.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fetalstream.pipeline import wire
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.streamer.growth import ellipse_circumference_mm, who_hc_mm

Row = npt.NDArray[np.floating]

GRID_DAYS: Final = np.arange(14 * 7, 39 * 7)
"""The days a model is asked about, (175,) int: 14w0d to 38w6d. The one definition of this axis."""

TOP_DAYS: Final = 15
"""How many of the best days the reference readout looks at."""

BRAIN: Final = "brain"
"""The one plane that the GA sentences speak of."""

METHOD: Final = "top-15 middle day, masked to the frame; median near the median, over zooms"

# 90% half-widths of one frame's readout, by predicted age, measured for FetalCLIP on HC18 (days): [from_day, width].
HALF_WIDTHS: Final = ((0.0, 11.0), (19 * 7.0, 7.0), (22 * 7.0, 20.0), (28.6 * 7, 26.0))
# Share of a frame's error (as a variance) that all zooms of an examination have in common; the same data.
SHARED: Final = 0.55

# A row whose best days lie further apart than this is right about seven times in ten instead of nineteen in twenty.
MAX_SPAN_DAYS: Final = 18
# Errors at one zoom repeat themselves (correlation 0.65), so a zoom's say ends here, however long the probe rests.
UNITS_PER_ZOOM: Final = 30.0
_LOG_STEP: Final = math.log(wire.ZOOM_STEP)

NEAR_HALF_WIDTHS: Final = 2.0
"""Days further from the median than this many half-widths of one frame are of something else."""

_FINEST_MM, _COARSEST_MM = 0.01, 10.0  # no scan lies outside: a bound on how many zooms are kept

# The shape of a fetal head: biparietal over occipitofrontal diameter, on average 78.3% from 14 to 40 weeks (Hadlock et
# al., AJR 1981;137:83-85).
_CEPHALIC_INDEX: Final = 0.783
# A head's mean diameter HC/π as a share of its long axis.
_MEAN_DIAMETER: Final = ellipse_circumference_mm(1.0, _CEPHALIC_INDEX) / math.pi
_HEAD_DIAMETER_MM: Final = np.array([who_hc_mm(day / 7) for day in GRID_DAYS]) / math.pi  # (175,), rising


def top_days(row: Row) -> npt.NDArray[np.intp]:
    """Indices of the 15 highest scores in ``row`` (175,), in the order of days; of equals the earlier day comes first.

    Raises:
        ValueError: fewer than 15 scores are finite (-inf marks a day that is left out, NaN is never welcome).
    """
    if np.isfinite(row).sum() < TOP_DAYS or np.isnan(row).any():
        raise ValueError("a readout needs at least 15 finite scores and no NaN")
    return np.sort(np.argsort(-row, kind="stable")[:TOP_DAYS])


def reference_readout(row: Row) -> float:
    """Return the day of FetalCLIP's own readout: of the 15 best days, sorted, the eighth (arXiv 2502.14807).

    Raises:
        ValueError: see `top_days`.
    """
    return float(GRID_DAYS[top_days(row)[TOP_DAYS // 2]])


def span(row: Row) -> int:
    """Return the days from the first to the last of the 15 best days: 14 if they are one run, more if the model wavers.

    Raises:
        ValueError: see `top_days`.
    """
    best = top_days(row)
    return int(GRID_DAYS[best[-1]] - GRID_DAYS[best[0]])


def largest_head(aspect: float) -> float:
    """Mean diameter (HC/π) of the largest head that fits a frame, as a share of the frame's width.

    The head is an ellipse with axes a and k·a, turned as suits it best. Its bounding box, w by h, obeys
    w² + h² = a²(1 + k²); a frame flatter than k limits the short axis alone. 800×540 gives 0.77.

    Args:
        aspect: height over width of the frame.
    """
    short, long = min(1.0, aspect), max(1.0, aspect)
    turned = math.hypot(1.0, aspect) / math.hypot(1.0, _CEPHALIC_INDEX)
    long_axis = turned if short > _CEPHALIC_INDEX * long else short / _CEPHALIC_INDEX
    return _MEAN_DIAMETER * long_axis


def geometric_mask(row: Row, *, frame_width_mm: float, aspect: float) -> Row:
    """``row`` with -inf on the days whose median head (WHO) would not fit into the frame.

    Where fewer than 15 days would be left, the frame says nothing about age and ``row`` comes back unmasked.
    """
    room_mm = largest_head(aspect) * frame_width_mm
    fits = room_mm >= _HEAD_DIAMETER_MM
    return np.where(fits, row, -np.inf) if fits.sum() >= TOP_DAYS else row


class Outcome(NamedTuple):
    """The age that a reading carries, or the reason why there is none. Exactly one of the two is None."""

    gestation: wire.Gestation | None
    missing: wire.GestationMissing | None


class ExamGestation:
    """GA of one examination, from all its brain frames: a histogram of days per zoom, and the median of those that lie
    near the median of them all.

    Different zooms make the estimate better, more frames at one zoom hardly do, so each zoom has a bounded say, within
    which old frames fade as new ones come. Passive; O(175) a frame.

    Args:
        half_widths: 90% half-width in days of one frame's readout, rows of (from_day, half_width) with rising days;
            None takes FetalCLIP's, measured on HC18.
        shared: of the square of a half-width, the share that no number of zooms takes away; None likewise.
    """

    def __init__(self, half_widths: Sequence[tuple[float, float]] | None = None, shared: float | None = None) -> None:
        table = tuple(HALF_WIDTHS if half_widths is None else half_widths)
        if not table or [day for day, _ in table] != sorted(day for day, _ in table):
            raise ValueError(f"half_widths wants rows of (from_day, half_width) with rising days, got {table}")
        self._half_widths = table
        self._shared = SHARED if shared is None else shared
        self._segment: Segment | None = None
        self._begin()

    def _begin(self) -> None:
        self._zooms: list[tuple[float, npt.NDArray[np.float64]]] = []  # log of the first spacing seen, histogram
        self._total = np.zeros(GRID_DAYS.size)
        self._frames = 0

    def update(
        self,
        row: Row | None,
        segment: Segment,
        *,
        plane_sure: bool,
        spacing_mm: float | None,
        frame_width_mm: float | None,
        aspect: float,
        repeated: bool,
        unsure: bool = False,
    ) -> Outcome:
        """Take one frame in, and say what is known of the examination's age on a frame of this kind.

        The estimate goes with decided brain frames of known spacing; a frame that is too unsure to be counted still
        carries what the examination knows so far.

        Args:
            row: (175,) scores of this frame; None if the sentences for its spacing are not ready yet.
            segment: the frame's; the estimate starts afresh with another examination, and with another word of the
                operator on the scale: ages read with the one before were read with the wrong sentences.
            plane_sure: whether the decided plane is the brain.
            spacing_mm: millimetres per pixel of the model's input; tells zooms apart.
            frame_width_mm: width of the analysed region.
            aspect: its height over its width.
            repeated: the picture was counted before (a freeze): it says nothing new.
            unsure: brain was decided, but not clearly enough for its size to count.
        """
        if self._segment is None or segment.ages != self._segment.ages:
            self._begin()
        self._segment = segment
        if spacing_mm is None or frame_width_mm is None:
            return Outcome(None, "no_spacing")
        if not plane_sure:
            return Outcome(None, "not_brain")
        if row is None:
            return Outcome(None, "preparing")
        best = top_days(row)
        masked = geometric_mask(row, frame_width_mm=frame_width_mm, aspect=aspect)
        # Where the mask leaves the best days in, they are the best of the masked row too: sorting is what costs.
        middle = best if np.isfinite(masked[best]).all() else top_days(masked)
        day = float(GRID_DAYS[middle[TOP_DAYS // 2]])
        inside = _inside_grid(day)
        # The unmasked row's span tells right from wrong better than the masked one's.
        if inside and not (repeated or unsure) and best[-1] - best[0] <= MAX_SPAN_DAYS:
            self._add(day, spacing_mm)
        if self._frames == 0:
            return Outcome(None, "uncertain" if inside else "out_of_range")
        return Outcome(self._estimate(day), None)

    def _add(self, day: float, spacing_mm: float) -> None:
        zoom = self._zoom(math.log(min(max(spacing_mm, _FINEST_MM), _COARSEST_MM)))
        self._total -= zoom
        weight = zoom.sum()
        if weight > UNITS_PER_ZOOM - 1:
            zoom *= (UNITS_PER_ZOOM - 1) / weight
        zoom[int(day) - GRID_DAYS[0]] += 1
        self._total += zoom
        self._frames += 1

    def _zoom(self, place: float) -> npt.NDArray[np.float64]:
        """The zoom that a spacing belongs to: the nearest within a step, so that a ruler that is read now a little
        longer and now a little shorter makes no second one."""
        nearest = min(self._zooms, key=lambda zoom: abs(zoom[0] - place), default=None)
        if nearest is None or abs(nearest[0] - place) > _LOG_STEP:
            nearest = (place, np.zeros(GRID_DAYS.size))
            self._zooms.append(nearest)
        return nearest[1]

    def _estimate(self, frame_days: float) -> wire.Gestation:
        # The median of all names the neighbourhood, the median of the neighbourhood the day: frames of something else
        # (another fetus, a wrong plane) then have no say, where a plain median would lean towards them.
        middle = _median(self._total)
        near = np.abs(GRID_DAYS - middle) <= NEAR_HALF_WIDTHS * self._half_width(middle)
        days = _median(np.where(near, self._total, 0.0)) if self._total[near].any() else middle
        zooms = len(self._zooms)
        half = self._half_width(days) * math.sqrt(self._shared + (1 - self._shared) / zooms)
        return wire.Gestation(
            days=days,
            low_days=days - half,
            high_days=days + half,
            frame_days=frame_days,
            frames=self._frames,
            zooms=zooms,
            method=METHOD,
        )

    def _half_width(self, days: float) -> float:
        """90% half-width of one frame's readout at this age, days."""
        return next((width for start, width in reversed(self._half_widths) if days >= start), self._half_widths[0][1])


def _median(histogram: npt.NDArray[np.float64]) -> float:
    """Median of whole days, each taken as spread over the 24 hours round it: moves in hours, not from day to day."""
    running = np.cumsum(histogram)
    half = running[-1] / 2
    place = int(np.searchsorted(running, half))
    before = running[place - 1] if place else 0.0
    return float(GRID_DAYS[place] - 0.5 + (half - before) / histogram[place])


def _inside_grid(day: float) -> bool:
    # The eighth of 15 days is never nearer to an end than this; there it says "this young or younger".
    margin = TOP_DAYS // 2
    return bool(GRID_DAYS[0] + margin < day < GRID_DAYS[-1] - margin)
