"""Control commands: any thread hands them in, the engine's thread carries them out between two batches."""

from __future__ import annotations

import queue
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Final, NamedTuple, Protocol

from msgspec.structs import replace

from fetalstream.pipeline import wire
from fetalstream.pipeline.keyframes.stored_keyframe import StoredKeyframe
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer
from fetalstream.pipeline.stream.questions import AskQuestion, EngineCommand
from fetalstream.pipeline.wire import results
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.region.masker import setting_from

NAME_CHARACTERS: Final = 100
"""Longest name of a protocol or export on record; what is longer is cut."""

COMMANDS_A_TURN: Final = 32
"""Most commands carried out between two batches, so that a flood of them cannot keep frames waiting."""


class CommandError(Exception):
    """A command that cannot be carried out; ``str()`` is one line that says what to do."""


class PendingCommand(NamedTuple):
    """A command that waits, and the future that takes its result."""

    command: EngineCommand
    reply: Future[Any]


class CommandTarget(Protocol):
    """The part of the engine that commands may touch."""

    paused: bool

    @property
    def analyzers(self) -> Iterable[StreamAnalyzer]: ...
    @property
    def now_ns(self) -> int: ...
    def send(self, messages: Iterable[wire.Message]) -> None: ...
    def resume_captures(self) -> None: ...
    def stop(self, reason: str) -> None: ...
    def state(self) -> wire.EngineState: ...


class CommandQueue:
    """Takes commands in and carries them out in order.

    Args:
        target: what the commands act on.
        wake: called, by the thread that submits, after every command.
    """

    def __init__(self, target: CommandTarget, wake: Callable[[], object]) -> None:
        self._target = target
        self._wake = wake
        self._pending: queue.SimpleQueue[PendingCommand] = queue.SimpleQueue()
        self._closed = False

    def submit(self, command: EngineCommand) -> Future[Any]:
        """Hand a command in, from any thread.

        Returns:
            A future of the result, of the type that the command's class names, or of a `CommandError`. For
            ``wire.GetKeyframe`` it is the `StoredKeyframe`.
        """
        pending = PendingCommand(command, Future())
        self._pending.put(pending)
        if self._closed:
            self.close()
        self._wake()
        return pending.reply

    @property
    def waiting(self) -> bool:
        """True if commands wait to be carried out."""
        return not self._pending.empty()

    def carry_out(self, most: int = COMMANDS_A_TURN) -> None:
        """Carry out the commands that wait, the oldest first and ``most`` at a time; for the engine's thread."""
        for _ in range(most):
            pending = self._next()
            if pending is None:
                return
            if not pending.reply.set_running_or_notify_cancel():
                continue
            try:
                pending.reply.set_result(self._result_of(pending.command))
            except CommandError as error:
                pending.reply.set_exception(error)
            except (ValueError, SourceError) as error:
                pending.reply.set_exception(CommandError(f"{_name_of(pending.command)}: {error}"))

    def close(self) -> None:
        """Refuse the commands that wait, and all that come from now on."""
        self._closed = True
        while (pending := self._next()) is not None:
            if pending.reply.set_running_or_notify_cancel():
                pending.reply.set_exception(CommandError("the engine has stopped; start it again"))

    def find_keyframe(self, keyframe: str) -> StoredKeyframe | None:
        """Return the kept frame of that id, whichever stream it is from; for the engine's thread."""
        return next((found for analyzer in self._target.analyzers if (found := analyzer.kept(keyframe))), None)

    def _next(self) -> PendingCommand | None:
        try:
            return self._pending.get_nowait()
        except queue.Empty:
            return None

    def _result_of(self, command: EngineCommand) -> object:
        """Carry a command out; the commands that only look are here, those that change something follow."""
        match command:
            case wire.GetState():
                return self._target.state()
            case wire.GetKeyframes(stream=stream):
                return results.Keyframes(keyframes=self._keyframes(self._chosen(stream)))
            case wire.GetKeyframe(keyframe=keyframe):
                if (stored := self.find_keyframe(keyframe)) is not None:
                    return stored
                raise CommandError(f"keyframe {keyframe!r} is not kept any more: ask for keyframes")
            case wire.ConfirmSaved(ids=ids):
                known = [each for analyzer in self._target.analyzers for each in analyzer.keyframe_store.saved(ids)]
                return results.Saved(ids=known)
            case wire.GetSince() | wire.GetClip() | wire.Explain():
                raise CommandError(f"{_name_of(command)} is answered by the control channel, not by the engine")
            case wire.Pause() | wire.Resume():
                return self._pause(paused=isinstance(command, wire.Pause))
            case wire.Stop(reason=reason):
                self._target.stop(reason)
                return results.Nothing()
            case _:
                return self._operated(command)

    def _operated(
        self,
        command: wire.Mark | wire.Snapshot | wire.Decide | wire.Undo | wire.NewExam | wire.SetSpacing | wire.SetSector
        | wire.AskSentence | AskQuestion | wire.ChooseProtocol | wire.NoteExport,
    ) -> object:  # fmt: skip
        """Carry out what the operator does to streams; each of it is on record as an event."""
        match command:
            case wire.Mark(text=text):
                for analyzer in self._chosen(command.stream):
                    self._target.send(analyzer.mark(text))
                return results.Nothing()
            case wire.Snapshot():
                return results.SnapshotsTaken(keyframes=[self._snapshot(each) for each in self._chosen(command.stream)])
            case wire.Decide(keyframe=keyframe, verdict=verdict, plane=plane, subplane=subplane):
                return self._publish(self._one(command.stream).decide(keyframe, verdict, plane, subplane))
            case wire.Undo():
                return self._publish(self._one(command.stream).undo())
            case wire.NewExam():
                return self._new_exam(self._chosen(command.stream))
            case wire.SetSpacing(spacing_mm=spacing_mm):
                self._target.send(self._one(command.stream).set_spacing(spacing_mm))
                return results.SpacingSet(spacing_mm=spacing_mm)
            case wire.SetSector(sector=sector):
                self._target.send(self._one(command.stream).set_sector(setting_from(sector)))
                return results.SectorSet(sector=sector)
            case wire.AskSentence() | AskQuestion():
                return self._ask(command)
            case wire.ChooseProtocol(protocol=protocol):
                name = None if protocol is None else protocol[:NAME_CHARACTERS]
                self._put_on_record(command.stream, "protocol", {"protocol": name})
                return results.ProtocolChosen(protocol=name)
            case wire.NoteExport():
                what = command.what[:NAME_CHARACTERS]
                self._put_on_record(command.stream, "exported", {"what": what})
                return results.ExportNoted(what=what)

    def _chosen(self, stream: str | None) -> list[StreamAnalyzer]:
        """Return the streams that a command is for: the named one, or all."""
        found = [analyzer for analyzer in self._target.analyzers if stream in (None, analyzer.stream)]
        if not found:
            known = ", ".join(analyzer.stream for analyzer in self._target.analyzers)
            raise CommandError(f"unknown stream {stream!r}: choose {known}")
        return found

    def _one(self, stream: str | None) -> StreamAnalyzer:
        found = self._chosen(stream)
        if len(found) > 1:
            raise CommandError(f"say which stream: {', '.join(analyzer.stream for analyzer in found)}")
        return found[0]

    def _keyframes(self, analyzers: list[StreamAnalyzer]) -> list[wire.Keyframe]:
        return [
            replace(stored.message(analyzer.keyframe_store.rank(stored)), stream=analyzer.stream, exam=analyzer.exam)
            for analyzer in analyzers
            for stored in analyzer.keyframe_store
        ]

    def _snapshot(self, analyzer: StreamAnalyzer) -> str:
        keyframe = analyzer.snapshot()
        self._target.send([keyframe, analyzer.event("snapshot", {"keyframe": keyframe.keyframe})])
        return keyframe.keyframe

    def _publish(self, messages: list[wire.Message]) -> object:
        """Send the messages; the result repeats the detail of the event among them."""
        self._target.send(messages)
        return next((message.detail for message in messages if isinstance(message, wire.Event)), results.Nothing())

    def _put_on_record(self, stream: str | None, event: wire.EventName, detail: dict[str, str | None]) -> None:
        """Publish an event of what is the listeners' own business, such as the views that are collected."""
        self._target.send(analyzer.event(event, detail) for analyzer in self._chosen(stream))

    def _new_exam(self, analyzers: list[StreamAnalyzer]) -> results.ExamBegun:
        exam = uuid.uuid4().hex
        for analyzer in analyzers:
            self._target.send(analyzer.new_exam(exam, self._target.now_ns))
        return results.ExamBegun(exam=exam)

    def _ask(self, command: wire.AskSentence | AskQuestion) -> wire.AskedDetail:
        if isinstance(command, wire.AskSentence) and command.text is not None:
            raise CommandError("this engine takes no sentences: it was started without a text tower")
        question = command.question if isinstance(command, AskQuestion) else None
        detail = wire.AskedDetail(
            text=None if question is None else question.text, note=None if question is None else question.note
        )
        for analyzer in self._chosen(command.stream):
            analyzer.ask(question)
            self._target.send([analyzer.event("asked", {**detail})])
        return detail

    def _pause(self, *, paused: bool) -> results.Paused:
        if paused != self._target.paused:
            self._target.send(each.event("paused" if paused else "resumed", {}) for each in self._target.analyzers)
        self._target.paused = paused
        if not paused:
            self._target.resume_captures()
        return results.Paused(paused=paused)


def _name_of(command: EngineCommand) -> str:
    return "ask" if isinstance(command, AskQuestion) else wire.name_of(command)
