"""The best frame of each plane in one examination, the runners-up, and what the operator took, all with pictures."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from fetalstream.pipeline import wire
from fetalstream.pipeline.keyframes.stored_keyframe import StoredKeyframe
from fetalstream.pipeline.wire import MIN_GAIN

WINDOW_SECONDS: Final = 1.0
"""Media time between two keyframes of one plane; within it the best candidate waits."""

RUNNERS_UP: Final = 3
"""Next best frames kept of each plane, each of another moment."""

APART_SECONDS: Final = 2.0
"""Media time from which on two frames of an epoch are of different moments; those of different epochs always are."""

RUNNERS_UP_BYTES: Final = 32 * 2**20
"""Raw pixels of all runners-up of one stream: 27 frames of 640x480 gray take 8 MB; of 1080p gray 16 fit. The last of
the plane that has the most go first."""

SNAPSHOTS_KEPT: Final = 16
"""Pictures kept for the operator's snapshots; the oldest goes first, one that is saved before one that is not."""


class KeyframeStore:
    """Holds the best frame so far of each plane, and the runners-up. Passive: media time comes with each frame.

    Memory is bounded: at most two pictures a plane, `RunnersUp`, and ``SNAPSHOTS_KEPT`` of the operator's.
    """

    def __init__(self) -> None:
        self._best: dict[str, StoredKeyframe] = {}
        self._waiting: dict[str, StoredKeyframe] = {}
        self._promoted: dict[str, tuple[int, float]] = {}  # epoch and media time
        self._runners_up = RunnersUp()
        self._snapshots: OrderedDict[str, StoredKeyframe] = OrderedDict()
        self._saved: set[str] = set()

    def __iter__(self) -> Iterator[StoredKeyframe]:
        """Iterate over all that can be fetched: each plane's best, runners-up, then the operator's, oldest first."""
        yield from self._best.values()
        yield from self._runners_up
        yield from self._snapshots.values()

    def get(self, keyframe: str) -> StoredKeyframe | None:
        """Return the frame of that id; None if it never was here or has been replaced."""
        return next((stored for stored in self if stored.keyframe == keyframe), None)

    def rank(self, stored: StoredKeyframe) -> int | None:
        """Return 0 for the best of its plane, 1 and more for a runner-up, None for what the operator took."""
        best = self._best.get(stored.plane)
        return 0 if best is stored else self._runners_up.rank(stored)

    def wants(self, plane: str, score: float | None, frame: wire.FrameInfo) -> bool:
        """Return True if a frame of this score would be kept; asked first, so that no picture is copied in vain."""
        if score is None or score <= 0:
            return False
        return self._leads(plane, score) or self._runners_up.wants(plane, score, frame, self._leaders(plane))

    def offer(self, candidate: StoredKeyframe) -> None:
        """Take a candidate if it is wanted; it shows in `due` once it is its turn."""
        if not self.wants(candidate.plane, candidate.score, candidate.frame):
            return
        if self._leads(candidate.plane, candidate.score or 0.0):
            self._waiting[candidate.plane] = candidate
        else:
            self._runners_up.offer(candidate)

    def due(self, epoch: int, pts_seconds: float) -> list[StoredKeyframe]:
        """Return the frames that take their places now.

        These are candidates whose plane has had no new keyframe for ``WINDOW_SECONDS``, as the best, and then
        runners-up whose moment is over.
        """
        ripe = [plane for plane in self._waiting if self._ripe(plane, epoch, pts_seconds)]
        self._promoted |= dict.fromkeys(ripe, (epoch, pts_seconds))
        return [*self._promote_all(ripe), *self._runners_up.settled(self._leaders, epoch, pts_seconds)]

    def flush(self) -> list[StoredKeyframe]:
        """Return all candidates that still wait, at the end of a source or examination; they take their places now."""
        return [*self._promote_all(list(self._waiting)), *self._runners_up.settled(self._leaders)]

    def snapshot(self, stored: StoredKeyframe) -> None:
        """Keep a frame that the operator took."""
        self._snapshots[stored.keyframe] = stored
        if len(self._snapshots) > SNAPSHOTS_KEPT:
            oldest = next((key for key in self._snapshots if key in self._saved), next(iter(self._snapshots)))
            del self._snapshots[oldest]
            self._saved.discard(oldest)

    def withdraw(self, keyframe: str) -> StoredKeyframe | None:
        """Take a frame off its plane and return it, or None if it is neither a plane's best nor a runner-up.

        Lesser frames are wanted again, and the first runner-up follows the best.
        """
        plane = next((plane for plane, best in self._best.items() if best.keyframe == keyframe), None)
        if plane is None:
            return self._runners_up.withdraw(keyframe)
        withdrawn = self._best.pop(plane)
        if (next_best := self._runners_up.first(plane)) is not None:
            self._best[plane] = next_best
        return withdrawn

    def put_back(self, stored: StoredKeyframe) -> None:
        """Make a withdrawn frame the best again, unless a better one has come since."""
        best = self._best.get(stored.plane)
        if best is None or (best.score or 0.0) < (stored.score or 0.0):
            self._promote(stored)
        else:
            self._runners_up.put(stored, self._leaders(stored.plane))

    def saved(self, keyframes: list[str]) -> list[str]:
        """Mark frames as safely on someone's disk and return the ids that are known here."""
        known = [key for key in keyframes if self.get(key) is not None]
        self._saved.update(key for key in known if key in self._snapshots)
        return known

    def _ripe(self, plane: str, epoch: int, pts_seconds: float) -> bool:
        last_epoch, last_seconds = self._promoted.get(plane, (None, 0.0))
        return last_epoch != epoch or not 0 <= pts_seconds - last_seconds < WINDOW_SECONDS

    def _leads(self, plane: str, score: float) -> bool:
        rival = self._waiting.get(plane) or self._best.get(plane)
        return rival is None or _beats(score, rival)

    def _leaders(self, plane: str) -> list[StoredKeyframe]:
        """Return the best of a plane, and the one that waits to be it."""
        return [held[plane] for held in (self._best, self._waiting) if plane in held]

    def _promote_all(self, planes: list[str]) -> list[StoredKeyframe]:
        for plane in planes:
            self._promote(self._waiting.pop(plane))
        return [self._best[plane] for plane in planes]

    def _promote(self, stored: StoredKeyframe) -> None:
        before, self._best[stored.plane] = self._best.get(stored.plane), stored
        self._runners_up.drop_near(stored)
        if before is not None:
            self._runners_up.put(before, self._leaders(stored.plane))


class RunnersUp:
    """The next best frames of each plane, of other moments than the best and than each other. Passive.

    The frame of a moment is chosen when the moment is over, so each is published once, not at every little gain.
    """

    def __init__(self) -> None:
        self._standing: dict[str, list[StoredKeyframe]] = {}  # the first is the best of them
        self._rising: dict[str, StoredKeyframe] = {}  # of the moment that goes on
        self._over: list[StoredKeyframe] = []

    def __iter__(self) -> Iterator[StoredKeyframe]:
        for standing in self._standing.values():
            yield from standing

    def rank(self, stored: StoredKeyframe) -> int | None:
        """Return the rank among the runners-up, 1 is best, or None if the frame is none of them."""
        standing = self._standing.get(stored.plane, [])
        return next((place for place, each in enumerate(standing, start=1) if each is stored), None)

    def wants(self, plane: str, score: float, frame: wire.FrameInfo, leaders: Sequence[StoredKeyframe]) -> bool:
        """Return True if a frame that does not lead would be kept.

        Args:
            plane: that the frame shows.
            score: of the frame.
            frame: its place in the stream.
            leaders: the best frame of the plane, now and soon.
        """
        if not all(_apart(each.frame, frame) for each in leaders):
            return False
        rising = self._rising.get(plane)
        if rising is not None and not _apart(rising.frame, frame):
            return _beats(score, rising)
        return all(_beats(score, each) for each in self._rivals(plane, frame))

    def offer(self, candidate: StoredKeyframe) -> None:
        """Take a candidate that is wanted."""
        rising = self._rising.get(candidate.plane)
        if rising is not None and _apart(rising.frame, candidate.frame):
            self._over.append(rising)
        self._rising[candidate.plane] = candidate

    def settled(
        self, leaders: Callable[[str], Sequence[StoredKeyframe]], epoch: int | None = None, pts_seconds: float = 0.0
    ) -> list[StoredKeyframe]:
        """Return new runners-up whose moment is over at this media time; of all moments if no epoch is given."""
        for plane, rising in list(self._rising.items()):
            since = pts_seconds - rising.frame.pts_seconds
            if rising.frame.epoch != epoch or not 0 <= since < APART_SECONDS:
                self._over.append(self._rising.pop(plane))
        over, self._over = self._over, []
        return [each for each in over if self.put(each, leaders(each.plane))]

    def put(self, stored: StoredKeyframe, leaders: Sequence[StoredKeyframe]) -> bool:
        """Add a frame if it is good enough and return True if it was added."""
        plane, score = stored.plane, stored.score or 0.0
        near = [each for each in leaders if not _apart(each.frame, stored.frame)]
        if near or not all(_beats(score, each) for each in self._rivals(plane, stored.frame)):
            return False
        self.drop_near(stored)
        standing = sorted([*self._standing.get(plane, []), stored], key=lambda each: -(each.score or 0.0))
        self._standing[plane] = standing[:RUNNERS_UP]
        while sum(each.pixels.nbytes for each in self) > RUNNERS_UP_BYTES:
            max(self._standing.values(), key=len).pop()
        return self.rank(stored) is not None

    def drop_near(self, stored: StoredKeyframe) -> None:
        """Remove the runners-up within `APART_SECONDS` of this frame."""
        standing = self._standing.get(stored.plane, [])
        self._standing[stored.plane] = [each for each in standing if _apart(each.frame, stored.frame)]

    def first(self, plane: str) -> StoredKeyframe | None:
        """Remove and return the best of a plane's runners-up, or None if there is none."""
        return self._standing[plane].pop(0) if self._standing.get(plane) else None

    def withdraw(self, keyframe: str) -> StoredKeyframe | None:
        """Remove and return the runner-up of that id, or None if it is none."""
        for standing in self._standing.values():
            for place, each in enumerate(standing):
                if each.keyframe == keyframe:
                    return standing.pop(place)
        return None

    def _rivals(self, plane: str, frame: wire.FrameInfo) -> list[StoredKeyframe]:
        """Return the runners-up that a frame must beat: those of its moment, else the last if there is no room."""
        standing = self._standing.get(plane, [])
        near = [each for each in standing if not _apart(each.frame, frame)]
        return near or standing[RUNNERS_UP - 1 :]


def _beats(score: float, rival: StoredKeyframe) -> bool:
    return rival.score is None or score >= rival.score * (1 + MIN_GAIN)


def _apart(one: wire.FrameInfo, other: wire.FrameInfo) -> bool:
    return one.epoch != other.epoch or abs(one.pts_seconds - other.pts_seconds) >= APART_SECONDS
