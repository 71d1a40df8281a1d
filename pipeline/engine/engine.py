"""The engine's loop takes frames from all streams through the model in batches, and sends a sink their messages."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.command_queue import CommandQueue
from fetalstream.pipeline.engine.stream_runner import Stream, StreamRunner
from fetalstream.pipeline.errors import EngineFault
from fetalstream.pipeline.inference.batching import RoundRobin
from fetalstream.pipeline.inference.stage import Item
from fetalstream.pipeline.keyframes.clip_buffer import Cut
from fetalstream.pipeline.keyframes.stored_keyframe import StoredKeyframe
from fetalstream.pipeline.model.heads import HeadOutputs
from fetalstream.pipeline.readout.latency import BatchTimings
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer
from fetalstream.pipeline.stream.preparation import PreparedFrame
from fetalstream.pipeline.stream.questions import EngineCommand
from fetalstream.streamer.frame import Pixels

IN_FLIGHT: Final = 2
"""Batches on the way at once: while the device works on one, the next is taken in and the one before is published."""

BAD_IN_A_ROW: Final = 10
"""Outputs that are not finite, one after another, after which the model counts as broken."""

_SECOND_NS: Final = 1_000_000_000
# Frames and commands wake the loop; this only bounds how late a stop from a signal handler is seen.
_LONGEST_WAIT_S: Final = 0.25
# Frames that need no model are cheap, but messages and commands must not wait for ever behind them.
_ADMITTED_PER_PICTURE: Final = 4


class PendingBatch(Protocol):
    """A batch on its way through the model, such as `pipeline.inference.encoder.Pending`."""

    queue_ms: float
    preprocess_ms: float
    encode_ms: float

    def wait(self, timeout_s: float) -> bool: ...
    def result(self) -> list[HeadOutputs | None]: ...


class Encoding(Protocol):
    """The model behind an interface that a test can stand in for, such as `pipeline.inference.encoder.Encoder`."""

    @property
    def batch(self) -> int: ...
    @property
    def live_batches(self) -> int: ...
    def submit(self, items: Sequence[Item]) -> PendingBatch: ...


_Taken: TypeAlias = tuple[StreamRunner, PreparedFrame]


@dataclass(frozen=True, eq=False)
class _Batch:
    """Frames of all streams on their way; ``pending`` is None if none of them needs the model."""

    frames: list[_Taken]
    pending: PendingBatch | None


class Sink(Protocol):
    """The receiver of all messages: publisher, store, or a test's list. Called by the engine's thread only.

    The sink fills in ``run``, ``seq``, ``published_ns`` and ``wall_time``; ``stream`` and ``exam`` are there already.
    """

    def send(self, message: wire.Message, blob: bytes | None = None) -> None: ...

    def preview(self, stream: str, exam: str, frame: wire.FrameInfo, pixels: Pixels) -> None:
        """Take a masked picture that may be shown; the sink decides how many it encodes and sends."""
        ...

    def clip(self, stream: str, cut: Cut) -> None:
        """Take the frames round a best frame, to be encoded by another thread; `make_stream` says how many are held."""
        ...


class Engine:
    """Runs until all sources have ended, or until it is told to stop.

    Every frame that a reader hands out is prepared and finished in order; see `StreamAnalyzer` for what becomes of it.

    Args:
        encoder: called from the thread that runs the engine, and from no other.
        streams: at least one, with different names.
        sink: takes all messages.
        clock_ns: the monotonic clock.
        device: its name in ``health``.
        batch: most pictures a batch, if that is less than the encoder's own.
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
        self._runners = [StreamRunner(stream, device, clock_ns()) for stream in streams]
        self._wake = threading.Event()
        self._commands = CommandQueue(self, self._wake.set)
        self._turns = RoundRobin()
        self._on_the_way: deque[_Batch] = deque()
        self._bad_in_a_row = 0
        self._stop_reason: str | None = None
        self._beat_ns = clock_ns() + _SECOND_NS

    @property
    def analyzers(self) -> list[StreamAnalyzer]:
        return [runner.analyzer for runner in self._runners]

    @property
    def now_ns(self) -> int:
        return self._clock_ns()

    def submit(self, command: EngineCommand) -> Future[Any]:
        """Hand in a command, from any thread; see `CommandQueue.submit`."""
        return self._commands.submit(command)

    def picture_of(self, keyframe: str) -> StoredKeyframe | None:
        """Return the kept frame of a keyframe that is just being sent; for the sink, in the engine's thread."""
        return self._commands.find_keyframe(keyframe)

    def stop(self, reason: str) -> None:
        """End the run cleanly and soon; it touches no lock, so a signal handler may call it."""
        self._stop_reason = reason

    def run(self) -> None:
        """Run the loop until all sources have ended or `stop` is called.

        Raises:
            EngineFault: the model is broken, or its device.
            Exception: what ended the source, if no source came to its proper end.
        """
        for runner in self._runners:
            runner.reader.start(self._wake.set)
        try:
            while self._stop_reason is None and not self._all_ended():
                self._wake.clear()
                self._turn()
                self._beat()
            while self._on_the_way:
                self._finish(self._on_the_way.popleft())
        finally:
            self._commands.close()
            for runner in self._runners:
                runner.reader.close()
        self._say_goodbye()

    def resume_captures(self) -> None:
        """Start captures again that were given up."""
        for runner in self._runners:
            runner.reader.resume()

    def _turn(self) -> None:
        """Take one step: commands, the next batch to the device, the oldest one published; or wait for what comes."""
        between = not self._on_the_way
        if between:
            self._commands.carry_out()
        ready = self._oldest_ready()
        # Commands that have come meanwhile go before the next batch; on a slow device they would else wait for ever.
        may_gather = between or not self._commands.waiting
        # What comes next is handed over first, so that the device works while the last batch is published.
        gathered = self._gather() if may_gather and self._has_room() else []
        if gathered:
            self._on_the_way.append(self._submitted(gathered))
        if ready is not None:
            self._finish(ready)
        elif not (gathered or self._on_the_way or self._commands.waiting or self._all_ended()):
            self._wake.wait(self._until_beat_s())

    def send(self, messages: Iterable[wire.Message]) -> None:
        """Send messages to the sink, in order."""
        for message in messages:
            self._sink.send(message)

    def state(self) -> wire.EngineState:
        """Return the engine's part of the ``state`` reply; the control channel adds the rest."""
        return wire.EngineState(
            exam=self._runners[0].analyzer.exam,
            paused=self.paused,
            streams=[runner.state() for runner in self._runners],
        )

    def _has_room(self) -> bool:
        """Return whether the device should be handed another batch, if something waits."""
        if not self._on_the_way:
            return not self.paused
        if self.paused or self._commands.waiting or len(self._on_the_way) >= IN_FLIGHT:
            return False
        if self._encoder.live_batches > 1:
            return True
        # A CPU that encodes has no time for more: only a full batch is worth taking early, and for live streams none.
        waiting = sum(runner.reader.tally().waiting for runner in self._runners)
        return waiting >= self._most() and not any(runner.reader.live for runner in self._runners)

    def _most(self) -> int:
        return self._encoder.batch if self._batch is None else min(self._batch, self._encoder.batch)

    def _oldest_ready(self) -> _Batch | None:
        """Take out the oldest batch if it is through; wait for it if there is nothing else to do."""
        if not self._on_the_way:
            return None
        pending = self._on_the_way[0].pending
        busy = self._has_room() and any(runner.reader.tally().waiting for runner in self._runners)
        through = pending is None or pending.wait(0.0 if busy else self._until_beat_s())
        return self._on_the_way.popleft() if through else None

    def _until_beat_s(self) -> float:
        return min(_LONGEST_WAIT_S, max(0.0, (self._beat_ns - self._clock_ns()) / _SECOND_NS))

    def _gather(self) -> list[_Taken]:
        """Take what waits, fairly from all streams, until a batch is full; nothing waits for it to fill."""
        most = self._most()
        return self._turns.gather(
            [partial(self._take, runner) for runner in self._runners],
            lambda taken: taken[1].action == "analyse",
            most,
            most * _ADMITTED_PER_PICTURE,
        )

    def _take(self, runner: StreamRunner) -> _Taken | None:
        frame = runner.reader.take()
        return None if frame is None else (runner, runner.prepare(frame, self._clock_ns()))

    def _submitted(self, gathered: list[_Taken]) -> _Batch:
        items = [Item(one.frame.pixels, one.bank) for _, one in gathered if one.action == "analyse"]
        return _Batch(gathered, self._encoder.submit(items) if items else None)

    def _finish(self, batch: _Batch) -> None:
        """Finish the frames of a batch in the order in which they were taken, and send what they gave."""
        pending = batch.pending
        results = iter(pending.result() if pending is not None else ())
        for runner, prepared in batch.frames:
            asked = pending if prepared.action == "analyse" else None
            scores = next(results) if asked is not None else None
            now_ns = self._clock_ns()
            timings = None if asked is None else BatchTimings(asked.queue_ms, asked.preprocess_ms, asked.encode_ms)
            messages = runner.analyzer.finish(prepared, scores, now_ns, timings)
            self.send(messages)
            self._follow_up(runner, messages, now_ns)
            self._send_clips(runner)
            if runner.embeddings and scores is not None:
                self._send_embedding(messages, scores)
            if asked is not None:
                self._bad_in_a_row = 0 if scores is not None else self._bad_in_a_row + 1
            if self._bad_in_a_row >= BAD_IN_A_ROW:
                raise EngineFault(f"the model gave {BAD_IN_A_ROW} outputs in a row that are not finite; start it again")

    def _follow_up(self, runner: StreamRunner, messages: list[wire.Message], now_ns: int) -> None:
        if messages and isinstance(reading := messages[0], wire.Reading) and runner.analyzer.picture is not None:
            runner.meter.note(reading.latency_ms, now_ns)
            self._sink.preview(reading.stream, reading.exam, reading.frame, runner.analyzer.picture.pixels)

    def _send_clips(self, runner: StreamRunner) -> None:
        for cut in runner.analyzer.clips.taken():
            self._sink.clip(runner.analyzer.stream, cut)

    def _send_embedding(self, messages: list[wire.Message], scores: HeadOutputs) -> None:
        if messages and isinstance(reading := messages[0], wire.Reading):
            row = scores.embedding.astype("<f2")
            message = wire.Embedding(
                exam=reading.exam, stream=reading.stream, frame=reading.frame, dim=len(row), dtype="float16"
            )
            self._sink.send(message, row.tobytes())

    def _beat(self) -> None:
        now_ns = self._clock_ns()
        for runner in self._runners:
            self.send(runner.watch(now_ns, paused=self.paused))
        if now_ns >= self._beat_ns:
            self._beat_ns = max(self._beat_ns + _SECOND_NS, now_ns)
            self._send_health(now_ns)

    def _send_health(self, now_ns: int) -> None:
        self.send(runner.health(now_ns, paused=self.paused) for runner in self._runners)

    def _all_ended(self) -> bool:
        for runner in self._runners:
            self.send(runner.end(self._clock_ns()))
        return all(runner.ended for runner in self._runners)

    def _say_goodbye(self) -> None:
        for runner in self._runners:
            self.send(runner.analyzer.flush())
            self._send_clips(runner)
        self._send_health(self._clock_ns())
        reason = self._stop_reason or "all sources have ended"
        for runner in self._runners:
            self.send([wire.Goodbye(exam=runner.analyzer.exam, stream=runner.analyzer.stream, reason=reason)])
        errors = [runner.reader.error for runner in self._runners]
        if errors[0] is not None and all(errors):
            raise errors[0]
