"""What the operator has set while an engine ran, kept in the run's own folder.

An engine that is started again after a crash goes on with it: the same examination, the same scan region, the same
spacing. Without it a picture could go out unmasked, or two parts of one examination look like two patients. What was
said of the scale ends where the screen's layout changes; that is kept too, so that a new engine does not believe it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec

from fetalstream.pipeline import wire


class PersistedSettings(msgspec.Struct):
    """``exams``: by stream. ``orders``: the last command, by what it sets and for which stream.

    ``rescaled``: streams whose layout has changed since the run began.
    """

    exams: dict[str, str] = {}
    orders: dict[str, wire.Command] = {}
    rescaled: set[str] = set()


class StandingOrders:
    """Remembers commands that outlast an engine. For several threads.

    Args:
        path: of the file; what an engine before has left there is gone on with.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._kept = PersistedSettings()
        with contextlib.suppress(FileNotFoundError):
            self._kept = msgspec.json.decode(path.read_bytes(), type=PersistedSettings)

    def exam_of(self, stream: str, fresh: str) -> str:
        """The examination that the stream is in; ``fresh`` where it begins with this engine."""
        with self._lock:
            exam = self._kept.exams.setdefault(stream, fresh)
            self._write()
        return exam

    def orders(self) -> list[wire.Command]:
        """Return the commands to be given to a new engine before its first frame."""
        with self._lock:
            return list(self._kept.orders.values())

    def scale_over(self, stream: str) -> None:
        """Its layout is another one: what was said of its scale until now, with ``run`` or since, is no longer true."""
        with self._lock:
            # A command that names no stream is for the only one.
            said = [self._kept.orders.pop(f"spacing/{name}", None) for name in (stream, None)]
            if stream not in self._kept.rescaled or any(said):
                self._kept.rescaled.add(stream)
                self._write()

    def has_scale_of(self, stream: str) -> bool:
        """Whether what ``run`` was told of the stream's scale still holds."""
        with self._lock:
            return stream not in self._kept.rescaled

    def note(self, command: wire.Command, result: object, streams: Iterable[str]) -> None:
        """Remember a command that was carried out, if it outlasts the engine; ``streams``: all that there are."""
        with self._lock:
            match command:
                case wire.NewExam(stream=stream) if isinstance(result, wire.results.ExamBegun):
                    self._kept.exams.update({name: result.exam for name in streams if stream in (None, name)})
                case wire.SetSpacing(stream=stream):
                    self._kept.orders[f"spacing/{stream}"] = command
                case wire.SetSector(stream=stream):
                    self._kept.orders[f"sector/{stream}"] = command
                case wire.Pause() | wire.Resume():
                    self._kept.orders["pause"] = command
                case _:
                    return
            self._write()

    def _write(self) -> None:
        # The folder is this user's alone, and lives as long as the run: whole or not at all will do, without fsync.
        part = self._path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(self._kept))
        part.replace(self._path)
