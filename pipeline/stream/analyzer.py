"""One stream's frames in, its readings, keyframes and events out. Passive: no thread, no clock, no socket, no model.

A frame passes twice: `StreamAnalyzer.prepare` before the model, `StreamAnalyzer.finish` after it, in the same order.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any, Final

import msgspec

from fetalstream.pipeline import wire
from fetalstream.pipeline.keyframes.clip_buffer import ClipRing
from fetalstream.pipeline.keyframes.decisions import Decisions
from fetalstream.pipeline.keyframes.keyframe_store import KeyframeStore
from fetalstream.pipeline.keyframes.stored_keyframe import StoredKeyframe
from fetalstream.pipeline.model.heads import HeadOutputs
from fetalstream.pipeline.model.model_info import ModelInfo
from fetalstream.pipeline.readout.latency import BatchTimings, latency_of
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.stream.interpreter import Interpreter
from fetalstream.pipeline.stream.keyframe_selector import KeyframeSelector
from fetalstream.pipeline.stream.preparation import Preparation, PreparedFrame
from fetalstream.pipeline.stream.probabilities import BankLookup, FrameProbabilities, probabilities_of
from fetalstream.pipeline.stream.questions import Question
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.region.masker import FrameMasker, Region, SectorSetting
from fetalstream.streamer.region.sector import Polygon, Rectangle

_SPACING_TOLD: Final = 0.05  # zoom may drift from frame to frame; listeners are told when it has really changed


class StreamAnalyzer:
    """Reads one stream: frames in, messages (readings, keyframes, events) out.

    Every frame prepared is finished, in order, and ends in exactly one of three counts: ``analysed`` (read by the
    model, or blank and so known to show nothing), ``reused`` or ``failed``.

    Args:
        stream: its name on the wire.
        exam: id of the examination that begins.
        model_info: labels and constants of the model.
        bank: see `pipeline.stream.probabilities.BankLookup`; asked if a brain is seen.
        bank_ahead: ask for every frame's spacing, so that the sentences are ready when a brain comes: for streams that
            must not wait.
        sector: the scan region; None for the whole frame; a masker if the frames come masked.
        clip_bytes: frames held for clips round the best frames; 0 for no clips.

    Attributes:
        newest: the newest reading, None before the first.
        source_size: (width, height) of the source's uncut frames, as the engine sees them; None before the first.
        picture: the frame that it is about, masked: what may be shown.
        keyframe_store: the examination's best frames.
        clips: of the best frames, to be taken from here once they are complete.
    """

    def __init__(
        self, stream: str, exam: str, model_info: ModelInfo, bank: BankLookup, *,
        bank_ahead: bool = False, sector: SectorSetting | FrameMasker = None, clip_bytes: int = 0,
    ) -> None:  # fmt: skip
        self.stream = stream
        self.newest: wire.Reading | None = None
        self.source_size: tuple[int, int] | None = None
        self._told_trouble: str | None = None
        self.picture: Frame | None = None
        self.keyframe_store = KeyframeStore()
        self.clips = ClipRing(clip_bytes)
        self._shelf_before = KeyframeStore()
        self._decisions = Decisions()
        self._selector = KeyframeSelector(model_info)
        self._bank = bank
        self._bank_ahead = bank_ahead
        self._preparation = Preparation(sector, exam)
        self._segments = self._preparation.segments
        self._interpreter = Interpreter(model_info, bank, stream=stream)
        self._on_the_way: deque[PreparedFrame] = deque()
        self._answer: FrameProbabilities | None = None
        self._answered: Segment | None = None  # the segment that the answer is of
        self._state: wire.State | None = None
        self._told_spacing_mm: float | None = None
        self._analysed = self._reused = self._failed = 0

    @property
    def exam(self) -> str:
        """Id of the running examination."""
        return self._segments.exam

    @property
    def exam_began_ns(self) -> int | None:
        """Monotonic time when the examination was begun, or its first frame came; None before any frame."""
        return self._segments.exam_began_ns

    @property
    def state(self) -> wire.State:
        """State of the signal at the newest frame; "no_signal" before the first."""
        return self._state or "no_signal"

    @property
    def sector(self) -> SectorSetting:
        """The scan region as it was set; None for the whole frame."""
        return self._preparation.sector

    @property
    def region(self) -> Region | None:
        """The scan region of the newest frame; None if the whole frame is used, or it is not known."""
        return self._preparation.region

    @property
    def finished(self) -> int:
        """Number of frames that are finished, whatever became of them."""
        return self._analysed + self._reused + self._failed

    def counts(self, captured: int, dropped: int, waiting: int) -> wire.Counts:
        """Return all counts at this moment; the arguments count frames that are not prepared yet."""
        return wire.Counts(
            captured=captured,
            analysed=self._analysed,
            reused=self._reused,
            dropped=dropped,
            failed=self._failed,
            in_flight=waiting + len(self._on_the_way),
        )

    @property
    def idle(self) -> bool:
        """True if every frame that was prepared is finished."""
        return not self._on_the_way

    def prepare(self, frame: Frame, now_ns: int, dropped: int = 0, arrived_ns: int | None = None) -> PreparedFrame:
        """Take the next frame in and decide what it needs.

        Args:
            frame: as captured.
            now_ns: monotonic.
            dropped: frames of this stream dropped so far, for its reading.
            arrived_ns: when it reached this process, monotonic; None if nobody looked.
        """
        prepared = self._preparation.prepare(frame, now_ns, dropped, arrived_ns)
        if self._bank_ahead and prepared.action == "analyse":
            spacing_mm = self._interpreter.input_spacing_mm(prepared)
            prepared = replace(prepared, bank=None if spacing_mm is None else self._bank(spacing_mm))
        self._on_the_way.append(prepared)
        return prepared

    def finish(
        self, prepared: PreparedFrame, scores: HeadOutputs | None, now_ns: int, timings: BatchTimings | None = None
    ) -> list[wire.Message]:
        """Return the messages of a frame that has been through the model, its reading first.

        Args:
            prepared: the oldest one that is not finished yet.
            scores: the model's outputs; None if it was not asked, or gave nothing finite.
            now_ns: monotonic.
            timings: of the frame's batch; None if the model was not asked.

        Raises:
            ValueError: another frame is due first.
        """
        if not self._on_the_way or self._on_the_way[0] is not prepared:
            raise ValueError(f"{self.stream}: frames are finished in the order in which they were prepared")
        self._on_the_way.popleft()
        self._settle_answer(prepared, scores)
        answered = prepared.action == "blank" or self._answer is not None
        if prepared.action == "refuse" or not answered:
            return self._fail(prepared)
        self._told_trouble = None
        self._analysed += prepared.action != "reuse"
        self._reused += prepared.action == "reuse"
        latency = latency_of(prepared.frame.captured_ns, prepared.arrived_ns, prepared.prepared_ns, now_ns, timings)
        ours = prepared.segment.exam == self.exam
        self.newest = reading = self._interpreter.read(prepared, self._answer, latency, of_this_exam=ours)
        self.picture = prepared.frame
        if ours:
            self._selector.read(prepared, reading, self.keyframe_store)
        ripe = self.keyframe_store.due(reading.frame.epoch, reading.frame.pts_seconds) if ours else []
        told = [self._keyframe(stored) for stored in ripe]
        if prepared.action != "blank":
            self.clips.add(prepared.frame, prepared.segment)
        return [reading, *told, *self._region_events(prepared), *self._changes(prepared)]

    def kept(self, keyframe: str) -> StoredKeyframe | None:
        """Return the kept frame of that id, of this examination or the one before, or None."""
        return self.keyframe_store.get(keyframe) or self._shelf_before.get(keyframe)

    def flush(self) -> list[wire.Message]:
        """Return the keyframes that were still waiting, at the end of the stream."""
        messages: list[wire.Message] = [self._keyframe(stored) for stored in self.keyframe_store.flush()]
        self.clips.finish()
        return messages

    def new_exam(self, exam: str, now_ns: int) -> list[wire.Message]:
        """Begin another patient's examination; nothing of the one before is fused with what comes.

        Frames that were captured before ``now_ns`` still belong to the examination before, and its kept frames can
        still be fetched, until the examination after this one begins.
        """
        messages = self.flush()
        self._segments.new_exam(exam, now_ns)
        self._shelf_before, self.keyframe_store = self.keyframe_store, KeyframeStore()
        self._decisions = Decisions()
        return [*messages, self.event("new_exam", {"previous": self._segments.previous_exam})]

    def set_spacing(self, spacing_mm: float | None) -> list[wire.Message]:
        """Take the operator's word on millimetres per pixel of the source's frames; None leaves it to the source.

        Ages read with the spacing before are forgotten: they were read with the wrong sentences.
        """
        self._segments.set_spacing(spacing_mm)
        self._told_spacing_mm = spacing_mm
        given_by = None if spacing_mm is None else "operator"
        return [self.event("spacing_changed", {"spacing_mm": spacing_mm, "spacing_from": given_by})]

    def set_sector(self, sector: SectorSetting) -> list[wire.Message]:
        """Set another scan region; None for the whole frame.

        Raises:
            ValueError: it does not fit in the source's frames, if their size is known.
        """
        if isinstance(sector, (Rectangle, Polygon)) and self.source_size is not None:
            width, height = self.source_size
            around = sector.rectangle
            if around.x + around.width > width or around.y + around.height > height:
                raise ValueError(f"the sector {sector} does not fit in {self.stream}'s frames of {width} x {height}")
        self._preparation.set_sector(sector)
        return [self.event("sector_changed", {"sector": None if sector is None else str(sector)})]

    def mark(self, text: str) -> list[wire.Message]:
        """Mark this moment, so that the operator finds it again."""
        detail: dict[str, Any] = {"text": text}
        if self.newest is not None:
            seen = self.newest.frame
            detail |= {"index": seen.index, "epoch": seen.epoch, "pts_seconds": seen.pts_seconds}
        return [self.event("mark", detail)]

    def snapshot(self) -> wire.Keyframe:
        """Keep the newest frame, whatever its score.

        Raises:
            ValueError: there is none in this examination yet.
        """
        reading = self.newest
        if reading is None or self.picture is None or reading.exam != self.exam:
            raise ValueError(f"{self.stream}: no frame of this examination has been read yet; try again")
        candidate = self._selector.candidate(self.picture, reading, reading.plane or wire.OTHER)
        taken = replace(candidate, chosen_by="operator")
        self.keyframe_store.snapshot(taken)
        return self._keyframe(taken)

    def decide(self, keyframe: str, verdict: str, plane: str | None, subplane: str | None) -> list[wire.Message]:
        """Take the operator's decision on a best frame; see `Decisions.decide`.

        Raises:
            ValueError: no such frame, verdict or plane.
        """
        for label, known in (
            (plane, (*self._interpreter.model_info.planes, wire.OTHER)),
            (subplane, self._interpreter.model_info.subplanes),
        ):
            if label is not None and label not in known:
                raise ValueError(f"unknown label {label!r}: choose {', '.join(known)}")
        return [self.event("decision", self._decisions.decide(self.keyframe_store, keyframe, verdict, plane, subplane))]

    def undo(self) -> list[wire.Message]:
        """Take the operator's last decision back.

        Raises:
            ValueError: there is none in this examination.
        """
        return [self.event("decision", self._decisions.undo(self.keyframe_store))]

    def ask(self, asked: Question | None) -> None:
        """Score frames against a sentence; None ends it."""
        self._interpreter.ask(asked)

    def event(self, name: wire.EventName, detail: dict[str, Any], exam: str | None = None) -> wire.Event:
        """Return an event of this stream."""
        return wire.Event(exam=exam or self.exam, stream=self.stream, event=name, detail=detail)

    def _settle_answer(self, prepared: PreparedFrame, scores: HeadOutputs | None) -> None:
        """Make the frame's own answer, keep the one that it repeats, or have none: an answer ends with its segment."""
        if prepared.segment != self._answered or prepared.action == "blank":
            self._answered, self._answer = prepared.segment, None
        if prepared.action == "analyse":
            spacing_mm = None if prepared.bank is None else self._interpreter.input_spacing_mm(prepared)
            info, quality = self._interpreter.model_info, prepared.quality
            self._answer = None if scores is None else probabilities_of(scores, info, quality, spacing_mm)

    def _fail(self, prepared: PreparedFrame) -> list[wire.Message]:
        self._failed += 1
        self._preparation.reset_reuse()
        # A region that does not fit fails every frame: that is told once, and counted.
        if prepared.trouble is not None and prepared.trouble == self._told_trouble:
            return self._region_events(prepared)
        self._told_trouble = prepared.trouble
        said = "the model's output was not finite" if prepared.action == "analyse" else "it repeats a failed frame"
        detail = {"index": prepared.frame.index, "reason": prepared.trouble or said}
        return [self.event("frame_failed", detail, prepared.segment.exam), *self._region_events(prepared)]

    def _region_events(self, prepared: PreparedFrame) -> list[wire.Message]:
        return [self.event(each.event, dict(each.detail), prepared.segment.exam) for each in prepared.events]

    def _keyframe(self, stored: StoredKeyframe) -> wire.Keyframe:
        self._decisions.announced(stored.keyframe)
        rank = self.keyframe_store.rank(stored)
        if not rank:  # when a runner-up is told, much of its clip is gone already
            self.clips.want(stored)
        return msgspec.structs.replace(stored.message(rank), exam=self.exam, stream=self.stream)

    def _changes(self, prepared: PreparedFrame) -> list[wire.Message]:
        """Return the events that this frame's signal or spacing bring about."""
        before, self._state = self._state, prepared.state
        happened: dict[wire.EventName, bool] = {
            "unfreeze": before == "frozen" != prepared.state,
            "freeze": before != "frozen" == prepared.state,
            "signal_lost": before not in _BLANK and prepared.state in _BLANK,
            "signal_back": before in _BLANK and prepared.state not in _BLANK,
        }
        seen = {"state": prepared.state, "index": prepared.frame.index}
        messages: list[wire.Message] = [
            self.event(name, seen, prepared.segment.exam) for name in happened if happened[name]
        ]
        spacing_mm, told_mm = prepared.frame.spacing_mm, self._told_spacing_mm
        if spacing_mm != told_mm and not _about(spacing_mm, told_mm):
            self._told_spacing_mm = spacing_mm
            detail = {"spacing_mm": spacing_mm, "spacing_from": prepared.frame.spacing_from}
            messages.append(self.event("spacing_changed", detail, prepared.segment.exam))
        return messages


_BLANK: Final = ("black", "no_signal")


def _about(one_mm: float | None, other_mm: float | None) -> bool:
    return one_mm is not None and other_mm is not None and abs(one_mm / other_mm - 1) <= _SPACING_TOLD
