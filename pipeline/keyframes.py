"""The best frame of each plane in one examination, with its picture, and the frames that the operator took."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import cv2

from pipeline import wire
from pipeline.openset import log_odds
from streamer.frame import Pixels

MIN_GAIN: Final = 0.05
"""A better frame is better by at least this share of the score."""

WINDOW_SECONDS: Final = 1.0
"""Media time between two keyframes of one plane; within it the best candidate waits."""

IN_PLANE_POWER: Final = 8
"""A frame a twentieth further off its plane scores a third less: more than pictures differ in sharpness and
steadiness while a plane is held."""

SNAPSHOTS_KEPT: Final = 16
"""Pictures kept for the operator's snapshots; the oldest goes first, one that is saved before one that is not."""


@dataclass(frozen=True, eq=False)
class Shelved:
    """A kept frame: its picture, masked, at full resolution, and all that a ``keyframe`` message says of it.

    ``pixels``: uint8 (H, W) or (H, W, 3), read-only, `owned`. ``parts``: what the score is the product of, each 0 to 1;
    none and no score where nothing could be read, as on a black picture that the operator took.
    """

    pixels: Pixels
    plane: str
    subplane: str | None
    score: float | None
    parts: dict[str, float]
    frame: wire.FrameInfo
    gestation: wire.Gestation | None
    chosen_by: Literal["score", "operator"] = "score"
    keyframe: str = field(default_factory=lambda: uuid.uuid4().hex)

    def message(self) -> wire.Keyframe:
        """What the listeners are told, without the common fields."""
        return wire.Keyframe(
            keyframe=self.keyframe,
            plane=self.plane,
            subplane=self.subplane,
            score=self.score,
            parts=self.parts,
            frame=self.frame,
            gestation=self.gestation,
            chosen_by=self.chosen_by,
        )

    def png(self) -> bytes:
        """The picture, losslessly; encoded anew on every call, and safe to call from any thread."""
        pixels = self.pixels if self.pixels.ndim == 2 else cv2.cvtColor(self.pixels, cv2.COLOR_RGB2BGR)
        return cv2.imencode(".png", pixels)[1].tobytes()


def score_parts(
    probability: float, margin: float, quality: wire.Quality, in_plane: float | None = None
) -> dict[str, float]:
    """The parts of a keyframe's score, each 0 to 1; the score is their product.

    Args:
        probability: smoothed probability of the plane, so that a lone lucky frame does not win.
        margin: how far this very frame's probability leads over the next label; negative counts as none.
        quality: of the picture.
        in_plane: see `in_plane_part`; None where the model cannot tell.
    """
    parts = {
        "probability": probability,
        "margin": max(0.0, margin),
        "sharpness": quality.sharpness,
        "steadiness": quality.steadiness,
    }
    return parts if in_plane is None else {**parts, "in_plane": in_plane}


def in_plane_part(other: float, well_hit: float) -> float:
    """How well this very frame hits its plane, 0 to 1, where the plane's probability has long come close to 1.

    Args:
        other: probability, in this frame alone, that no plane is shown.
        well_hit: the model's log odds against that in frames that hit their plane well; at even odds the frame lies
            half-way between hit and missed, and counts next to nothing.
    """
    hit = 0.5 - float(log_odds(other)) / (2 * well_hit)
    return min(1.0, max(0.0, hit)) ** IN_PLANE_POWER


class KeyframeShelf:
    """Holds the best frame so far of each plane. Passive: media time comes with each frame.

    Memory is bounded: at most two pictures a plane and ``SNAPSHOTS_KEPT`` of the operator's.
    """

    def __init__(self) -> None:
        self._best: dict[str, Shelved] = {}
        self._waiting: dict[str, Shelved] = {}
        self._promoted: dict[str, tuple[int, float]] = {}  # epoch and media time
        self._snapshots: OrderedDict[str, Shelved] = OrderedDict()
        self._saved: set[str] = set()

    def __iter__(self) -> Iterator[Shelved]:
        """All that can be fetched: the best of each plane, then the operator's, oldest first."""
        yield from self._best.values()
        yield from self._snapshots.values()

    def get(self, keyframe: str) -> Shelved | None:
        """The frame of that id; None where it never was or has been replaced."""
        return next((shelved for shelved in self if shelved.keyframe == keyframe), None)

    def wants(self, plane: str, score: float | None) -> bool:
        """Whether a frame of this score would be kept; asked first, so that no picture is copied for nothing."""
        rival = self._waiting.get(plane) or self._best.get(plane)
        if score is None or score <= 0:
            return False
        return rival is None or rival.score is None or score >= rival.score * (1 + MIN_GAIN)

    def offer(self, candidate: Shelved) -> None:
        """Take a candidate if it is wanted; it shows in `due` once it is its turn."""
        if self.wants(candidate.plane, candidate.score):
            self._waiting[candidate.plane] = candidate

    def due(self, epoch: int, pts_seconds: float) -> list[Shelved]:
        """Candidates whose plane has had no new keyframe for ``WINDOW_SECONDS``: they become the best, now."""
        ripe = [plane for plane in self._waiting if self._ripe(plane, epoch, pts_seconds)]
        self._promoted |= dict.fromkeys(ripe, (epoch, pts_seconds))
        return self._promote(ripe)

    def flush(self) -> list[Shelved]:
        """All candidates that still wait, at the end of a source or examination: they become the best, now."""
        return self._promote(list(self._waiting))

    def snapshot(self, shelved: Shelved) -> None:
        """Keep a frame that the operator took."""
        self._snapshots[shelved.keyframe] = shelved
        if len(self._snapshots) > SNAPSHOTS_KEPT:
            oldest = next((key for key in self._snapshots if key in self._saved), next(iter(self._snapshots)))
            del self._snapshots[oldest]
            self._saved.discard(oldest)

    def withdraw(self, keyframe: str) -> Shelved | None:
        """Take the best frame of a plane off: lesser ones are wanted again. None where it is no plane's best."""
        plane = next((plane for plane, best in self._best.items() if best.keyframe == keyframe), None)
        return None if plane is None else self._best.pop(plane)

    def put_back(self, shelved: Shelved) -> None:
        """A frame that was withdrawn is the best again, unless a better one has come since."""
        best = self._best.get(shelved.plane)
        if best is None or (best.score or 0.0) < (shelved.score or 0.0):
            self._best[shelved.plane] = shelved

    def saved(self, keyframes: list[str]) -> list[str]:
        """Mark frames as safely on someone's disk; returns those ids that are known here."""
        known = [key for key in keyframes if self.get(key) is not None]
        self._saved.update(key for key in known if key in self._snapshots)
        return known

    def _ripe(self, plane: str, epoch: int, pts_seconds: float) -> bool:
        last_epoch, last_seconds = self._promoted.get(plane, (None, 0.0))
        return last_epoch != epoch or not 0 <= pts_seconds - last_seconds < WINDOW_SECONDS

    def _promote(self, planes: list[str]) -> list[Shelved]:
        for plane in planes:
            self._best[plane] = self._waiting.pop(plane)
        return [self._best[plane] for plane in planes]


def owned(pixels: Pixels) -> Pixels:
    """Pixels to keep: a cut-out is copied, or it would keep all that lies outside the sector in memory."""
    kept = pixels if pixels.base is None else pixels.copy()
    kept.flags.writeable = False
    return kept
