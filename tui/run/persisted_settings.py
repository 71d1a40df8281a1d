"""The operator's settings that outlast an engine, kept in the run's own folder.

An engine that is started again after a crash goes on with the same examination, the same scan region and the same
spacing. Otherwise a picture could go out unmasked, or two parts of one examination look like two patients. A given
scale ends when the screen's layout changes; that is kept too, so that a new engine does not apply it again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec

from fetalstream.pipeline import wire


class _Contents(msgspec.Struct):
    """The file's contents.

    Attributes:
        exams: the examination of each stream.
        commands: the last command, by what it sets and for which stream.
        rescaled: streams whose layout has changed since the run began.
    """

    exams: dict[str, str] = {}
    commands: dict[str, wire.Command] = {}
    rescaled: set[str] = set()


class PersistedSettings:
    """The settings that outlast an engine. Several threads may use it.

    Args:
        path: the file; if an engine before has written it, its settings stay in force.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._contents = _Contents()
        with contextlib.suppress(FileNotFoundError):
            self._contents = msgspec.json.decode(path.read_bytes(), type=_Contents)

    def exam_of(self, stream: str, fresh: str) -> str:
        """Return the examination of a stream: ``fresh``, unless an engine before began one."""
        with self._lock:
            exam = self._contents.exams.setdefault(stream, fresh)
            self._write()
        return exam

    def commands(self) -> list[wire.Command]:
        """Return the commands to be given to a new engine before its first frame."""
        with self._lock:
            return list(self._contents.commands.values())

    def scale_over(self, stream: str) -> None:
        """End every scale given for the stream, to ``run`` or by a command: its layout has changed."""
        with self._lock:
            # A command that names no stream is for the only one.
            ended = [self._contents.commands.pop(f"spacing/{name}", None) for name in (stream, None)]
            if stream not in self._contents.rescaled or any(ended):
                self._contents.rescaled.add(stream)
                self._write()

    def has_scale_of(self, stream: str) -> bool:
        """Return whether the scale that ``run`` was given for the stream still holds."""
        with self._lock:
            return stream not in self._contents.rescaled

    def note(self, command: wire.Command, result: object, streams: Iterable[str]) -> None:
        """Remember a command that was carried out, if it outlasts the engine; ``streams``: all that there are."""
        with self._lock:
            match command:
                case wire.NewExam(stream=stream) if isinstance(result, wire.results.ExamBegun):
                    self._contents.exams.update({name: result.exam for name in streams if stream in (None, name)})
                case wire.SetSpacing(stream=stream):
                    self._contents.commands[f"spacing/{stream}"] = command
                case wire.SetSector(stream=stream):
                    self._contents.commands[f"sector/{stream}"] = command
                case wire.Pause() | wire.Resume():
                    self._contents.commands["pause"] = command
                case _:
                    return
            self._write()

    def _write(self) -> None:
        # The folder is this user's alone, and lives as long as the run: whole or not at all will do, without fsync.
        part = self._path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(self._contents))
        part.replace(self._path)
