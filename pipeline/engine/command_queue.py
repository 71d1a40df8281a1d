"""The operator's desk: commands that come from any thread and are carried out by the engine's, between two batches."""

from __future__ import annotations

import math
import queue
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from fetalstream.pipeline import wire
from fetalstream.pipeline.keyframes.stored_keyframe import StoredKeyframe
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer
from fetalstream.pipeline.stream.questions import Question
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.region.masker import setting_from

NAME_CHARACTERS: Final = 100
"""Of what is only put on record; what is longer is cut."""


class CommandError(Exception):
    """A command that cannot be carried out; ``str()`` is one line that says what to do."""


class PendingCommand(NamedTuple):
    """A command on its way, and where its result goes."""

    command: str
    args: Mapping[str, Any]
    reply: Future[Any]


class CommandTarget(Protocol):
    """What commands may touch of the engine."""

    paused: bool

    @property
    def analyzers(self) -> Iterable[StreamAnalyzer]: ...
    @property
    def now_ns(self) -> int: ...
    def send(self, messages: Iterable[wire.Message]) -> None: ...
    def resume_captures(self) -> None: ...
    def stop(self, reason: str) -> None: ...
    def state(self) -> dict[str, Any]: ...


class CommandQueue:
    """Takes commands in and carries them out in order.

    Args:
        reach: of the commands.
        wake: called, by the thread that submits, after every command.
    """

    def __init__(self, reach: CommandTarget, wake: Callable[[], object]) -> None:
        self._reach = reach
        self._wake = wake
        self._orders: queue.SimpleQueue[PendingCommand] = queue.SimpleQueue()
        self._closed = False
        self._commands: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "state": lambda _: reach.state(),
            "keyframes": self._keyframes,
            "keyframe": self._keyframe,
            "saved": self._saved,
            "mark": self._mark,
            "snapshot": self._snapshot,
            "decide": self._decide,
            "undo": self._undo,
            "new_exam": self._new_exam,
            "set_spacing": self._set_spacing,
            "set_sector": self._set_sector,
            "ask": self._ask,
            "protocol": self._protocol,
            "exported": self._exported,
            "pause": lambda _: self._pause(paused=True),
            "resume": lambda _: self._pause(paused=False),
            "stop": self._stop,
        }

    def submit(self, command: str, args: Mapping[str, Any] | None = None) -> Future[Any]:
        """Hand a command in, from any thread. Its future holds the result, or a `CommandError`."""
        order = PendingCommand(command, args or {}, Future())
        self._orders.put(order)
        if self._closed:
            self.close()
        self._wake()
        return order.reply

    @property
    def waiting(self) -> bool:
        """Whether commands wait to be carried out."""
        return not self._orders.empty()

    def carry_out(self) -> None:
        """All commands handed in so far; to be called by the engine's thread."""
        while (order := self._next()) is not None:
            if not order.reply.set_running_or_notify_cancel():
                continue
            try:
                order.reply.set_result(self._do(order))
            except CommandError as error:
                order.reply.set_exception(error)
            except (ValueError, TypeError, SourceError) as error:
                order.reply.set_exception(CommandError(f"{order.command}: {error}"))

    def close(self) -> None:
        """Nobody carries commands out any more: those that wait, and those to come, are refused."""
        self._closed = True
        while (order := self._next()) is not None:
            if order.reply.set_running_or_notify_cancel():
                order.reply.set_exception(CommandError("the engine has stopped; start it again"))

    def kept(self, keyframe: str) -> StoredKeyframe | None:
        """The kept frame of that id, whichever stream it is from; to be called by the engine's thread."""
        return next((found for analyzer in self._reach.analyzers if (found := analyzer.kept(keyframe))), None)

    def _next(self) -> PendingCommand | None:
        try:
            return self._orders.get_nowait()
        except queue.Empty:
            return None

    def _do(self, order: PendingCommand) -> Any:
        command = self._commands.get(order.command)
        if command is None:
            raise CommandError(f"unknown command {order.command!r}: choose {', '.join(self._commands)}")
        return command(order.args)

    def _chosen(self, args: Mapping[str, Any]) -> list[StreamAnalyzer]:
        """The streams a command is for: the named one, or all."""
        name = args.get("stream")
        found = [analyzer for analyzer in self._reach.analyzers if name in (None, analyzer.stream)]
        if not found:
            known = ", ".join(analyzer.stream for analyzer in self._reach.analyzers)
            raise CommandError(f"unknown stream {name!r}: choose {known}")
        return found

    def _one(self, args: Mapping[str, Any]) -> StreamAnalyzer:
        found = self._chosen(args)
        if len(found) > 1:
            raise CommandError(f"say which stream: {', '.join(analyzer.stream for analyzer in found)}")
        return found[0]

    def _keyframes(self, args: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            msgspec.to_builtins(
                msgspec.structs.replace(
                    stored.message(analyzer.keyframe_store.rank(stored)), stream=analyzer.stream, exam=analyzer.exam
                )
            )
            for analyzer in self._chosen(args)
            for stored in analyzer.keyframe_store
        ]

    def _keyframe(self, args: Mapping[str, Any]) -> StoredKeyframe:
        wanted = str(args.get("keyframe", ""))
        if (stored := self.kept(wanted)) is not None:
            return stored
        raise CommandError(f"keyframe {wanted!r} is not kept any more: ask for keyframes")

    def _saved(self, args: Mapping[str, Any]) -> dict[str, Any]:
        ids = args.get("ids")
        if not isinstance(ids, list):
            raise CommandError("saved wants ids, a list of keyframe ids")
        wanted = [str(each) for each in ids]
        return {"ids": [known for analyzer in self._reach.analyzers for known in analyzer.keyframe_store.saved(wanted)]}

    def _mark(self, args: Mapping[str, Any]) -> dict[str, Any]:
        text = str(args.get("text", ""))
        for analyzer in self._chosen(args):
            self._reach.send(analyzer.mark(text))
        return {}

    def _snapshot(self, args: Mapping[str, Any]) -> dict[str, Any]:
        taken: list[str] = []
        for analyzer in self._chosen(args):
            keyframe = analyzer.snapshot()
            self._reach.send([keyframe, analyzer.event("snapshot", {"keyframe": keyframe.keyframe})])
            taken.append(keyframe.keyframe)
        return {"keyframes": taken}

    def _decide(self, args: Mapping[str, Any]) -> dict[str, Any]:
        plane, subplane = (None if args.get(key) is None else str(args[key]) for key in ("plane", "subplane"))
        return self._told(self._one(args).decide(str(args.get("keyframe")), str(args.get("verdict")), plane, subplane))

    def _undo(self, args: Mapping[str, Any]) -> dict[str, Any]:
        return self._told(self._one(args).undo())

    def _told(self, messages: list[wire.Message]) -> dict[str, Any]:
        """The messages go out; the reply repeats what they say."""
        self._reach.send(messages)
        return next((message.detail for message in messages if isinstance(message, wire.Event)), {})

    def _new_exam(self, args: Mapping[str, Any]) -> dict[str, Any]:
        exam = uuid.uuid4().hex
        for analyzer in self._chosen(args):
            self._reach.send(analyzer.new_exam(exam, self._reach.now_ns))
        return {"exam": exam}

    def _set_spacing(self, args: Mapping[str, Any]) -> dict[str, Any]:
        spacing_mm = args.get("spacing_mm")
        if spacing_mm is not None:
            spacing_mm = float(spacing_mm)
            if not (math.isfinite(spacing_mm) and spacing_mm > 0):
                raise CommandError(f"spacing_mm must be millimetres per pixel above 0, got {spacing_mm}")
        self._reach.send(self._one(args).set_spacing(spacing_mm))
        return {"spacing_mm": spacing_mm}

    def _set_sector(self, args: Mapping[str, Any]) -> dict[str, Any]:
        given = args.get("sector")
        self._reach.send(self._one(args).set_sector(setting_from(given)))
        return {"sector": given}

    def _ask(self, args: Mapping[str, Any]) -> dict[str, Any]:
        asked = args.get("question")
        if args.get("text") is not None and not isinstance(asked, Question):
            raise CommandError("this engine takes no sentences: it was started without a text tower")
        told = {"text": asked.text, "note": asked.note} if isinstance(asked, Question) else {"text": None, "note": None}
        for analyzer in self._chosen(args):
            analyzer.ask(asked if isinstance(asked, Question) else None)
            self._reach.send([analyzer.event("asked", told)])
        return told

    def _protocol(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The views that are collected are the listeners' business; which they were is put on record."""
        name = None if args.get("protocol") is None else str(args["protocol"])[:NAME_CHARACTERS]
        self._reach.send(analyzer.event("protocol", {"protocol": name}) for analyzer in self._chosen(args))
        return {"protocol": name}

    def _exported(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Something of the session was written for others: likewise only put on record."""
        what = str(args.get("what", ""))[:NAME_CHARACTERS]
        self._reach.send(analyzer.event("exported", {"what": what}) for analyzer in self._chosen(args))
        return {"what": what}

    def _pause(self, *, paused: bool) -> dict[str, Any]:
        if paused != self._reach.paused:
            self._reach.send(each.event("paused" if paused else "resumed", {}) for each in self._reach.analyzers)
        self._reach.paused = paused
        if not paused:
            self._reach.resume_captures()
        return {"paused": paused}

    def _stop(self, args: Mapping[str, Any]) -> dict[str, Any]:
        self._reach.stop(str(args.get("reason", "stopped by command")))
        return {}
