"""A kept frame with its picture, and what its score is made of."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field
from typing import Final, Literal

import cv2

from fetalstream.pipeline import wire
from fetalstream.pipeline.readout.openset import log_odds
from fetalstream.streamer.frame import Pixels

WEIGHTS: Final = {
    "contrast": 1.0, "in_plane": 0.4, "margin": 0.05, "probability": 0.025, "sharpness": 0.05, "steadiness": 0.005,
}  # fmt: skip
"""Powers that the parts of a score are raised to; chosen on phantom scans of training seeds.

While a plane is held, how well a frame hits it shows in how clearly its landmarks stand out, and in the model's odds:
these two decide. The others differ from frame to frame by more than they mean; they count if they are really low.
"""

FROZEN_BONUS: Final = 1.03
"""Of a frame that the operator froze: it was chosen with care. It outweighs a fortieth further off the plane."""


@dataclass(frozen=True, eq=False)
class StoredKeyframe:
    """A kept frame with its masked picture at full resolution and all that a ``keyframe`` message says of it.

    Attributes:
        pixels: uint8 (H, W) or (H, W, 3), read-only, `owned`.
        plane: that the frame shows.
        subplane: of the brain, or None.
        score: see `score_of`; None if nothing could be read, as on a black picture that the operator took.
        parts: what the score is made of, see `score_parts`; empty if there is no score.
        frame: its place in the stream.
        gestation: the examination's age at that frame, or None.
        chosen_by: the score, or the operator.
        keyframe: the id.
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

    def message(self, rank: int | None = 0) -> wire.Keyframe:
        """Return the ``keyframe`` message without the common fields; ``rank`` as in `wire.Keyframe`."""
        return wire.Keyframe(
            keyframe=self.keyframe,
            plane=self.plane,
            subplane=self.subplane,
            score=self.score,
            parts=self.parts,
            frame=self.frame,
            gestation=self.gestation,
            chosen_by=self.chosen_by,
            rank=rank,
        )

    def png(self) -> bytes:
        """Return the picture as PNG; it is encoded on every call, and any thread may call."""
        pixels = self.pixels if self.pixels.ndim == 2 else cv2.cvtColor(self.pixels, cv2.COLOR_RGB2BGR)
        return cv2.imencode(".png", pixels)[1].tobytes()


def score_parts(
    probability: float, margin: float, quality: wire.Quality, in_plane: float | None = None, *, frozen: bool = False
) -> dict[str, float]:
    """Return the parts of a keyframe's score, each 0 to 1 but for ``frozen``, which is a bonus; see `score_of`.

    Args:
        probability: smoothed probability of the plane, so that a lone lucky frame does not win.
        margin: how far this very frame's probability leads over the next label; negative counts as none.
        quality: of the picture.
        in_plane: see `in_plane_part`; None if the model cannot tell.
        frozen: whether the operator froze the picture.
    """
    parts = {
        "probability": probability,
        "margin": max(0.0, margin),
        "contrast": quality.contrast or 0.0,
        "sharpness": quality.sharpness,
        "steadiness": quality.steadiness,
    }
    if in_plane is not None:
        parts["in_plane"] = in_plane
    return {**parts, "frozen": FROZEN_BONUS} if frozen else parts


def score_of(parts: dict[str, float]) -> float | None:
    """Return the product of the parts, each to the power of its weight, at most 1; None if there are none.

    If a model cannot tell how well a plane is hit, its margin and probability say what is known of that, and have
    their full weight.
    """
    if not parts:
        return None
    full = () if "in_plane" in parts else ("margin", "probability")
    return min(
        1.0, math.prod(part ** (1.0 if name in full else WEIGHTS.get(name, 1.0)) for name, part in parts.items())
    )


def in_plane_part(other: float, well_hit: float) -> float:
    """Return how well this very frame hits its plane, 0 to 1; the plane's probability is close to 1 long before.

    Args:
        other: probability, in this frame alone, that no plane is shown.
        well_hit: the model's log odds against that in frames that hit their plane well; at even odds the frame lies
            half-way between hit and missed.
    """
    hit = 0.5 - float(log_odds(other)) / (2 * well_hit)
    return min(1.0, max(0.0, hit))


def owned(pixels: Pixels) -> Pixels:
    """Return pixels that may be kept: a cut-out is copied, or it would hold what lies outside the sector in memory."""
    kept = pixels if pixels.base is None else pixels.copy()
    kept.flags.writeable = False
    return kept
