"""The last seconds of a stream, and from them the clip round each best frame. Passive: media time comes with frames.

Only references to frames are held, no copies. A clip is cut once ``AFTER_SECONDS`` have passed after its best frame, or
at once if the examination, the epoch or the scan region ends before: it never shows anything from beyond that.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from fetalstream.pipeline.keyframes.stored_keyframe import StoredKeyframe
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.streamer.frame import Frame, Pixels

BEFORE_SECONDS: Final = 2.0
AFTER_SECONDS: Final = 1.5
"""Longer than a candidate waits (`WINDOW_SECONDS` of the keyframe store), or its frames would be gone by then."""

RATE_HZ: Final = 30.0
"""Most frames a second: what a heart needs to be seen beating. Of a faster stream every second or third is kept."""

CLIP_BYTES: Final = 256 * 2**20
"""Raw frames held for all streams of an engine. 3.5 s of 640x480 gray take 33 MB, of 1080p gray 220 MB; 1080p in colour
fits at 12 frames a second: what is larger is held at a lower rate."""

_JITTER: Final = 0.9  # of the time between two frames: cameras are not exact


class Still(NamedTuple):
    """One frame of a clip; ``pixels`` uint8 (H, W) or (H, W, 3), masked."""

    pts_seconds: float
    pixels: Pixels


@dataclass(frozen=True, eq=False)
class Cut:
    """Raw frames round a best frame, in order, all of one shape; the best frame itself is among them."""

    best: StoredKeyframe
    exam: str
    stills: list[Still]

    @property
    def nbytes(self) -> int:
        return sum(still.pixels.nbytes for still in self.stills)


class ClipRing:
    """Holds one stream's last seconds, and says when a clip is complete.

    Args:
        capacity_bytes: most raw pixels held; 0 for no clips.
    """

    def __init__(self, capacity_bytes: int = 0) -> None:
        self._capacity_bytes = capacity_bytes
        self._segment: Segment | None = None
        self._shape: tuple[int, ...] = ()
        self._stills: deque[Still] = deque()
        self._bytes = 0
        self._began_seconds = self._newest_seconds = 0.0
        self._wanted: list[StoredKeyframe] = []
        self._cuts: list[Cut] = []

    @property
    def nbytes(self) -> int:
        """Raw pixels held now."""
        return self._bytes

    def want(self, best: StoredKeyframe) -> None:
        """Ask for a clip round this frame, once it is complete.

        A best frame that is replaced before that gets none: the clip of the one that replaced it shows the same moment.
        """
        if not self._capacity_bytes:
            return
        if best.chosen_by == "score":
            self._wanted = [each for each in self._wanted if each.plane != best.plane or each.chosen_by == "operator"]
        self._wanted.append(best)

    def add(self, frame: Frame, segment: Segment) -> None:
        """Take the stream's next frame in.

        Args:
            frame: masked.
            segment: the frame's; a clip holds frames of one examination, epoch and masking, all of one shape.
        """
        if not self._capacity_bytes:
            return
        if not self._continues(frame, segment) or frame.pts_seconds < self._newest_seconds:
            # A best frame that was announced with this very frame, and is it, begins the new clip.
            self._end([best for best in self._wanted if best.frame.index != frame.index])
            self._segment, self._shape = segment, frame.pixels.shape
            self._began_seconds = frame.pts_seconds
        self._newest_seconds = frame.pts_seconds
        self._hold(frame)
        done = [best for best in self._wanted if best.frame.pts_seconds + AFTER_SECONDS <= frame.pts_seconds]
        if done:
            self._cut(done)

    def finish(self) -> None:
        """Nothing more comes that belongs to what was held: clips end here."""
        self._end(self._wanted)

    def taken(self) -> list[Cut]:
        """Clips that are complete and were not taken before."""
        taken, self._cuts = self._cuts, []
        return taken

    def _end(self, done: list[StoredKeyframe]) -> None:
        self._cut(done)
        self._stills.clear()
        self._bytes = 0
        self._segment = None

    def _continues(self, frame: Frame, segment: Segment) -> bool:
        held = self._segment
        return held is not None and held.picture == segment.picture and self._shape == frame.pixels.shape

    def _hold(self, frame: Frame) -> None:
        size = frame.pixels.nbytes
        apart = max(_JITTER / RATE_HZ, size * (BEFORE_SECONDS + AFTER_SECONDS) / self._capacity_bytes)
        if self._stills and frame.pts_seconds - self._stills[-1].pts_seconds < apart:
            return
        self._stills.append(Still(frame.pts_seconds, frame.pixels))
        self._bytes += size
        oldest = frame.pts_seconds - BEFORE_SECONDS - AFTER_SECONDS
        while self._bytes > self._capacity_bytes or self._stills[0].pts_seconds < oldest:
            self._bytes -= self._stills.popleft().pixels.nbytes
            if not self._stills:
                return

    def _cut(self, done: list[StoredKeyframe]) -> None:
        for best in done:
            stills = self._round(best)
            if self._segment is not None and len(stills) > 1:
                self._cuts.append(Cut(best, self._segment.exam, stills))
        self._wanted = [each for each in self._wanted if each not in done]

    def _round(self, best: StoredKeyframe) -> list[Still]:
        at, held = best.frame.pts_seconds, self._segment
        alike = held is not None and (best.frame.epoch, best.pixels.shape) == (held.epoch, self._shape)
        if not alike or at < self._began_seconds:
            return []  # its own segment is over
        first, last = at - BEFORE_SECONDS, at + AFTER_SECONDS
        others = [still for still in self._stills if first <= still.pts_seconds <= last and still.pts_seconds != at]
        return sorted([*others, Still(at, best.pixels)], key=lambda still: still.pts_seconds)
