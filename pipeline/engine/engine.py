"""The only loop: frames from all streams, through the model in batches, out to a sink as messages."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.desk import Desk
from fetalstream.pipeline.engine.streams import Stream, Way
from fetalstream.pipeline.errors import EngineFault
from fetalstream.pipeline.inference.batching import Turns
from fetalstream.pipeline.inference.stage import Item
from fetalstream.pipeline.keyframes.clips import Cut
from fetalstream.pipeline.keyframes.keyframes import Shelved
from fetalstream.pipeline.model.heads import Scores
from fetalstream.pipeline.readout.latency import Hops
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer
from fetalstream.pipeline.stream.intake import Admitted
from fetalstream.streamer.frame import Pixels

IN_FLIGHT: Final = 2
"""Batches on the way at once: while the device works on one, the next is taken in and the one before is told."""

BAD_IN_A_ROW: Final = 10
"""Outputs that are not finite, one after another, after which the model counts as broken."""

_SECOND_NS: Final = 1_000_000_000
# Frames and commands wake the loop; this only bounds how late a stop from a signal handler is seen.
_LONGEST_WAIT_S: Final = 0.25
# Frames that need no model are cheap, but messages and commands must not wait for ever behind them.
_ADMITTED_PER_PICTURE: Final = 4


class Pending(Protocol):
    """See `pipeline.inference.encoder.Pending`."""

    queue_ms: float
    preprocess_ms: float
    encode_ms: float

    def wait(self, timeout_s: float) -> bool: ...
    def result(self) -> list[Scores | None]: ...


class Encoding(Protocol):
    """See `pipeline.inference.encoder.Encoder`."""

    @property
    def batch(self) -> int: ...
    @property
    def live_batches(self) -> int: ...
    def submit(self, items: Sequence[Item]) -> Pending: ...


_Taken: TypeAlias = tuple[Way, Admitted]


@dataclass(frozen=True, eq=False)
class _Batch:
    """Frames of all streams on their way; ``pending`` is None where none of them needs the model."""

    frames: list[_Taken]
    pending: Pending | None


class Sink(Protocol):
    """Where messages go: publisher, store, or a test's list. Called by the engine's thread only.

    The sink fills in ``run``, ``seq``, ``published_ns`` and ``wall_time``; ``stream`` and ``exam`` are there already.
    """

    def send(self, message: wire.Message, blob: bytes | None = None) -> None: ...

    def preview(self, stream: str, exam: str, frame: wire.FrameInfo, pixels: Pixels) -> None:
        """A masked picture that may be shown; how many are encoded and sent is the sink's business."""
        ...

    def clip(self, stream: str, cut: Cut) -> None:
        """The frames round a best frame, to be encoded by another thread; where `stream_of` was told to hold some."""
        ...


class Engine:
    """Runs until all sources have ended, or until it is told to stop.

    Every frame that a lane hands out is admitted and finished in order; see `StreamAnalyzer` for what becomes of it.

    Args:
        encoder: called from the thread that runs the engine, and from no other.
        streams: at least one, with different names.
        sink: takes all messages.
        clock_ns: the monotonic clock.
        device: as ``health`` says it.
        batch: most pictures a batch, where that is less than the encoder's own.
    """

    def __init__(
        self, encoder: Encoding, streams: Sequence[Stream], sink: Sink, clock_ns: Callable[[], int] = time.monotonic_ns,
        *, device: str = "cpu", batch: int | None = None,
    ) -> None:  # fmt: skip
        self.paused = False
        self._encoder = encoder
        self._sink = sink
        self._clock_ns = clock_ns
        self._batch = batch
        self._ways = [Way(stream, device, clock_ns()) for stream in streams]
        self._wake = threading.Event()
        self._desk = Desk(self, self._wake.set)
        self._turns = Turns()
        self._on_the_way: deque[_Batch] = deque()
        self._bad_in_a_row = 0
        self._stop_reason: str | None = None
        self._beat_ns = clock_ns() + _SECOND_NS

    @property
    def analyzers(self) -> list[StreamAnalyzer]:
        return [way.analyzer for way in self._ways]

    @property
    def now_ns(self) -> int:
        return self._clock_ns()

    def command(self, command: str, args: Mapping[str, Any] | None = None) -> Future[Any]:
        """Hand in a command, from any thread; see `Desk.submit`."""
        return self._desk.submit(command, args)

    def picture_of(self, keyframe: str) -> Shelved | None:
        """The kept frame of a keyframe that is just being sent; for the sink, in the thread that runs the engine."""
        return self._desk.kept(keyframe)

    def stop(self, reason: str) -> None:
        """End cleanly, soon. Touches no lock: safe in a signal handler."""
        self._stop_reason = reason

    def run(self) -> None:
        """The loop.

        Raises:
            EngineFault: the model is broken, or its device.
            Exception: what ended the source, where no source came to its proper end.
        """
        for way in self._ways:
            way.lane.start(self._wake.set)
        try:
            while self._stop_reason is None and not self._all_ended():
                self._wake.clear()
                self._turn()
                self._beat()
            while self._on_the_way:
                self._tell(self._on_the_way.popleft())
        finally:
            self._desk.close()
            for way in self._ways:
                way.lane.close()
        self._say_goodbye()

    def resume_captures(self) -> None:
        """Start captures again that were given up."""
        for way in self._ways:
            way.lane.resume()

    def _turn(self) -> None:
        """One step: commands, the next batch to the device, the oldest one told; or a wait for whatever comes first."""
        if not self._on_the_way:
            self._desk.carry_out()
        ready = self._oldest_ready()
        # What comes next is handed over first, so that the device works while the last batch is told.
        gathered = self._gather() if self._has_room() else []
        if gathered:
            self._on_the_way.append(self._submitted(gathered))
        if ready is not None:
            self._tell(ready)
        elif not gathered and not self._on_the_way and not self._all_ended():
            self._wake.wait(self._until_beat_s())

    def send(self, messages: Iterable[wire.Message]) -> None:
        """Messages to the sink, in order."""
        for message in messages:
            self._sink.send(message)

    def state(self) -> dict[str, Any]:
        """What a late joiner needs to know of the streams."""
        return {
            "exam": self._ways[0].analyzer.exam,
            "paused": self.paused,
            "streams": [way.state() for way in self._ways],
        }

    def _has_room(self) -> bool:
        """Whether the device should be handed another batch, if something waits."""
        if not self._on_the_way:
            return not self.paused
        if self.paused or self._desk.waiting or len(self._on_the_way) >= IN_FLIGHT:
            return False
        if self._encoder.live_batches > 1:
            return True
        # A CPU that encodes has no time for more: only a full batch is worth taking early, and for live streams none.
        waiting = sum(way.lane.tally().waiting for way in self._ways)
        return waiting >= self._most() and not any(way.lane.live for way in self._ways)

    def _most(self) -> int:
        return self._encoder.batch if self._batch is None else min(self._batch, self._encoder.batch)

    def _oldest_ready(self) -> _Batch | None:
        """The oldest batch if it is through; waits for it where there is nothing else to do."""
        if not self._on_the_way:
            return None
        pending = self._on_the_way[0].pending
        busy = self._has_room() and any(way.lane.tally().waiting for way in self._ways)
        through = pending is None or pending.wait(0.0 if busy else self._until_beat_s())
        return self._on_the_way.popleft() if through else None

    def _until_beat_s(self) -> float:
        return min(_LONGEST_WAIT_S, max(0.0, (self._beat_ns - self._clock_ns()) / _SECOND_NS))

    def _gather(self) -> list[_Taken]:
        """What waits, fairly from all streams, until a batch is full; nobody waits for it to fill."""
        most = self._most()
        return self._turns.gather(
            [partial(self._take, way) for way in self._ways],
            lambda taken: taken[1].action == "analyse",
            most,
            most * _ADMITTED_PER_PICTURE,
        )

    def _take(self, way: Way) -> _Taken | None:
        frame = way.lane.take()
        return None if frame is None else (way, way.admit(frame, self._clock_ns()))

    def _submitted(self, gathered: list[_Taken]) -> _Batch:
        items = [Item(one.frame.pixels, one.bank) for _, one in gathered if one.action == "analyse"]
        return _Batch(gathered, self._encoder.submit(items) if items else None)

    def _tell(self, batch: _Batch) -> None:
        """Everything that a batch gave, frame by frame, in the order in which they were taken."""
        pending = batch.pending
        results = iter(pending.result() if pending is not None else ())
        for way, admitted in batch.frames:
            asked = pending if admitted.action == "analyse" else None
            scores = next(results) if asked is not None else None
            now_ns = self._clock_ns()
            hops = None if asked is None else Hops(asked.queue_ms, asked.preprocess_ms, asked.encode_ms)
            messages = way.analyzer.finish(admitted, scores, now_ns, hops)
            self.send(messages)
            self._follow_up(way, messages, now_ns)
            self._tell_clips(way)
            if way.embeddings and scores is not None:
                self._tell_vector(messages, scores)
            if asked is not None:
                self._bad_in_a_row = 0 if scores is not None else self._bad_in_a_row + 1
            if self._bad_in_a_row >= BAD_IN_A_ROW:
                raise EngineFault(f"the model gave {BAD_IN_A_ROW} outputs in a row that are not finite; start it again")

    def _follow_up(self, way: Way, messages: list[wire.Message], now_ns: int) -> None:
        if messages and isinstance(reading := messages[0], wire.Reading) and way.analyzer.picture is not None:
            way.meter.note(reading.latency_ms, now_ns)
            self._sink.preview(reading.stream, reading.exam, reading.frame, way.analyzer.picture.pixels)

    def _tell_clips(self, way: Way) -> None:
        for cut in way.analyzer.clips.taken():
            self._sink.clip(way.analyzer.stream, cut)

    def _tell_vector(self, messages: list[wire.Message], scores: Scores) -> None:
        if messages and isinstance(reading := messages[0], wire.Reading):
            row = scores.embedding.astype("<f2")
            told = wire.Embedding(
                exam=reading.exam, stream=reading.stream, frame=reading.frame, dim=len(row), dtype="float16"
            )
            self._sink.send(told, row.tobytes())

    def _beat(self) -> None:
        now_ns = self._clock_ns()
        for way in self._ways:
            self.send(way.watch(now_ns, paused=self.paused))
        if now_ns >= self._beat_ns:
            self._beat_ns = max(self._beat_ns + _SECOND_NS, now_ns)
            self._tell_health(now_ns)

    def _tell_health(self, now_ns: int) -> None:
        self.send(way.health(now_ns, paused=self.paused) for way in self._ways)

    def _all_ended(self) -> bool:
        for way in self._ways:
            self.send(way.end(self._clock_ns()))
        return all(way.ended for way in self._ways)

    def _say_goodbye(self) -> None:
        for way in self._ways:
            self.send(way.analyzer.flush())
            self._tell_clips(way)
        self._tell_health(self._clock_ns())
        reason = self._stop_reason or "all sources have ended"
        for way in self._ways:
            self.send([wire.Goodbye(exam=way.analyzer.exam, stream=way.analyzer.stream, reason=reason)])
        errors = [way.lane.error for way in self._ways]
        if errors[0] is not None and all(errors):
            raise errors[0]
