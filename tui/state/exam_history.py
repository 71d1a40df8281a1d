"""The history of an exam: planes in view, tries for each plane, zooms that the age is based on. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fetalstream.pipeline.wire import OTHER, ZOOM_STEP, Reading

MAX_SPANS = 600
TRY_FROM = 0.3
"""Probability, of the frame alone, from which a frame is a try for a plane."""

TRY_LASTS_S = 3.0
ZOOM_BIN = math.log(ZOOM_STEP)
"""Zooms closer than this are one (as the engine counts them)."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which one plane was in view, None for no plane; seconds since the exam's first reading."""

    plane: str | None
    start_s: float
    end_s: float


def extended(spans: tuple[Span, ...], plane: str | None, seconds: float) -> tuple[Span, ...]:
    """Return the spans after one more reading."""
    last = spans[-1] if spans else None
    if last is None or seconds < last.end_s:
        return spans if last is not None else (Span(plane, seconds, seconds),)
    if last.plane == plane:
        return (*spans[:-1], Span(plane, last.start_s, seconds))
    spans = (*spans[:-1], Span(last.plane, last.start_s, seconds), Span(plane, seconds, seconds))
    return spans if len(spans) <= MAX_SPANS else _thinned(spans)


def _thinned(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Merge the older half by pairs, each into the plane that was longer in view: the whole exam in bounded memory."""
    half = len(spans) // 4 * 2
    pairs = zip(spans[:half:2], spans[1:half:2], strict=True)
    merged = [Span(max(a, b, key=lambda each: each.end_s - each.start_s).plane, a.start_s, b.end_s) for a, b in pairs]
    return (*merged, *spans[half:])


@dataclass(frozen=True, slots=True)
class Try:
    """A frame that looked most like a plane; ``parts`` as those of a keyframe's score, each 0 to 1."""

    published_ns: int
    parts: Mapping[str, float]

    @property
    def score(self) -> float:
        return math.prod(self.parts.values())


def tried(tries: Mapping[str, Try], reading: Reading) -> Mapping[str, Try]:
    """Return the tries after one more reading: of each plane the best of the last seconds in which it was seen."""
    ranked = sorted(reading.planes, key=lambda label: -reading.planes[label].raw)[:2]
    if len(ranked) < 2 or ranked[0] == OTHER or reading.quality is None:
        return tries
    label, (first, second) = ranked[0], (reading.planes[label] for label in ranked)
    if first.raw < TRY_FROM:
        return tries
    this = Try(
        reading.published_ns,
        {
            "probability": first.smoothed,
            "margin": first.raw - second.raw,
            "sharpness": reading.quality.sharpness,
            "steadiness": reading.quality.steadiness,
        }
        | ({} if reading.quality.contrast is None else {"contrast": reading.quality.contrast}),
    )
    before = tries.get(label)
    recent = before is not None and this.published_ns - before.published_ns < TRY_LASTS_S * 1e9
    return tries if before is not None and recent and before.score >= this.score else {**tries, label: this}


@dataclass(frozen=True, slots=True)
class Zoom:
    """The frames of one scale that the age is based on; ``days``: the age that the newest of them alone gave."""

    spacing_mm: float
    frames: int
    days: float | None


def zoomed(zooms: Mapping[int, Zoom], reading: Reading) -> Mapping[int, Zoom]:
    """Return the zooms after a reading that was counted into the age."""
    spacing_mm, age = reading.frame.spacing_mm, reading.gestation
    if age is None or not spacing_mm:
        return zooms
    place = round(math.log(spacing_mm) / ZOOM_BIN)
    before = zooms.get(place)
    counted = Zoom(spacing_mm, 1 if before is None else before.frames + 1, age.frame_days)
    return {**zooms, place: counted}
