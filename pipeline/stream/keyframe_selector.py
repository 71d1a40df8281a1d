"""Selection of frames that may be their plane's best: those a plane was named for, and those just before."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from fetalstream.pipeline import wire
from fetalstream.pipeline.keyframes.keyframe_store import KeyframeStore
from fetalstream.pipeline.keyframes.stored_keyframe import StoredKeyframe, in_plane_part, owned, score_of, score_parts
from fetalstream.pipeline.model.model_info import ModelInfo
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.stream.preparation import PreparedFrame
from fetalstream.streamer.frame import Frame

HINDSIGHT_SECONDS: Final = 0.6
"""A plane is named after it was in view for a while (`pipeline.readout.temporal`): earlier frames may be better."""

HINDSIGHT_BYTES: Final = 64 * 2**20
"""Raw pixels that wait for their plane to be named: 0.6 s of 1080p gray at 30 frames a second take 37 MB; of 1080p in
colour there is room for a third of a second."""


class _Seen(NamedTuple):
    frame: Frame
    reading: wire.Reading
    plane: str


class KeyframeSelector:
    """Offers one stream's frames to the keyframe store of its examination, in order. Passive.

    Args:
        model_info: labels and constants of the model.
    """

    def __init__(self, model_info: ModelInfo) -> None:
        self._model_info = model_info
        self._segment: Segment | None = None
        self._freeze_taken = False
        self._unnamed: list[_Seen] = []

    def read(self, prepared: PreparedFrame, reading: wire.Reading, keyframe_store: KeyframeStore) -> None:
        """Take the stream's next frame: offer it if a plane is named for it, else hold it for `HINDSIGHT_SECONDS`.

        Of a frozen picture the first frame is offered, of others every one that was looked at.
        """
        self._begin(prepared.segment)
        frozen, plane = prepared.state == "frozen", reading.plane
        first = not self._freeze_taken if frozen else prepared.action == "analyse"
        self._freeze_taken = frozen and (self._freeze_taken or plane is not None)
        if prepared.action == "blank":  # what comes after has nothing to do with what was before
            self._unnamed = []
        if plane is not None:
            self._offer_in_hindsight(plane, reading, keyframe_store)
        if (
            prepared.action == "analyse"
            and not frozen
            and (likeliest := _likeliest(reading)) not in (wire.OTHER, plane)
        ):
            self._hold(_Seen(prepared.frame, reading, likeliest))
        if first and plane is not None:
            self._offer(plane, prepared.frame, reading, keyframe_store)

    def candidate(self, frame: Frame, reading: wire.Reading, plane: str) -> StoredKeyframe:
        """Return a frame as one of ``plane``, with its score."""
        parts = self._parts(plane, reading)
        return StoredKeyframe(
            pixels=owned(frame.pixels),
            plane=plane,
            subplane=reading.subplane,
            score=score_of(parts),
            parts=parts,
            frame=reading.frame,
            gestation=reading.gestation,
        )

    def _begin(self, segment: Segment) -> None:
        """Drop what waits if another segment begins: masked otherwise, it may show what is to be hidden."""
        before, self._segment = self._segment, segment
        if before is None or before.exam != segment.exam:
            self._freeze_taken = False
        if before is None or before.picture != segment.picture:
            self._unnamed = []

    def _offer(self, plane: str, frame: Frame, reading: wire.Reading, keyframe_store: KeyframeStore) -> None:
        if keyframe_store.wants(plane, score_of(self._parts(plane, reading)), reading.frame):
            keyframe_store.offer(self.candidate(frame, reading, plane))

    def _offer_in_hindsight(self, plane: str, named: wire.Reading, keyframe_store: KeyframeStore) -> None:
        """Offer waiting frames that look most like the plane named now, as if it had been named for them."""
        waiting = [seen for seen in self._unnamed if _lately(seen.reading.frame, named.frame)]
        for seen in waiting:
            if seen.plane == plane:
                self._offer(plane, seen.frame, _in_hindsight(seen.reading, named, plane), keyframe_store)
        self._unnamed = [seen for seen in waiting if seen.plane != plane]

    def _hold(self, newest: _Seen) -> None:
        """Add a frame that waits; drop the oldest beyond `HINDSIGHT_BYTES`."""
        held = [seen for seen in self._unnamed if _lately(seen.reading.frame, newest.reading.frame)]
        held.append(newest)
        size = sum(seen.frame.pixels.nbytes for seen in held)
        while size > HINDSIGHT_BYTES:
            size -= held.pop(0).frame.pixels.nbytes
        self._unnamed = held

    def _parts(self, plane: str, reading: wire.Reading) -> dict[str, float]:
        said = reading.planes.get(plane)
        if said is None or reading.quality is None:
            return {}
        rival = max((score.raw for label, score in reading.planes.items() if label != plane), default=0.0)
        well_hit, none = self._model_info.rejector.well_hit, reading.planes.get(wire.OTHER)
        in_plane = None if well_hit is None or none is None else in_plane_part(none.raw, well_hit)
        return score_parts(said.smoothed, said.raw - rival, reading.quality, in_plane, frozen=reading.state == "frozen")


def _likeliest(reading: wire.Reading) -> str:
    """Return what this very frame looks most like: a plane, or "other"."""
    return max(reading.planes, key=lambda label: reading.planes[label].raw, default=wire.OTHER)


def _in_hindsight(reading: wire.Reading, named: wire.Reading, plane: str) -> wire.Reading:
    """Return a reading with what is known of its plane now; its frame's own age was not read."""
    said = msgspec.structs.replace(reading.planes[plane], smoothed=named.planes[plane].smoothed)
    age = None if named.gestation is None else msgspec.structs.replace(named.gestation, frame_days=None)
    return msgspec.structs.replace(
        reading, plane=plane, subplane=named.subplane, gestation=age, planes={**reading.planes, plane: said}
    )


def _lately(frame: wire.FrameInfo, now: wire.FrameInfo) -> bool:
    return 0 <= now.pts_seconds - frame.pts_seconds <= HINDSIGHT_SECONDS
