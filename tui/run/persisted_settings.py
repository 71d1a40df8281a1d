"""What the operator has set while an engine ran, kept in the run's own folder.

An engine that is started again after a crash goes on with it: the same examination, the same scan region, the same
spacing. Without it a picture could go out unmasked, or two parts of one examination look like two patients. What was
said of the scale ends where the screen's layout changes; that is kept too, so that a new engine does not believe it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

_KEYS: Final = {"set_spacing": "spacing", "set_sector": "sector", "pause": "pause", "resume": "pause"}


class PersistedSettings(msgspec.Struct):
    """``exams``: by stream. ``orders``: the last command and its arguments, by what it sets and for which stream.

    ``rescaled``: streams whose layout has changed since the run began.
    """

    exams: dict[str, str] = {}
    orders: dict[str, tuple[str, dict[str, Any]]] = {}
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

    def orders(self) -> list[tuple[str, dict[str, Any]]]:
        """Commands to be given to a new engine before its first frame, with their arguments."""
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

    def note(self, command: str, args: Mapping[str, Any], result: Mapping[str, Any], streams: Iterable[str]) -> None:
        """A command was carried out; ``streams``: all that there are."""
        with self._lock:
            stream = args.get("stream")
            if command == "new_exam":
                self._kept.exams.update({name: str(result["exam"]) for name in streams if stream in (None, name)})
            elif command in _KEYS:
                self._kept.orders[f"{_KEYS[command]}/{stream}"] = (command, dict(args))
            else:
                return
            self._write()

    def _write(self) -> None:
        # The folder is this user's alone, and lives as long as the run: whole or not at all will do, without fsync.
        part = self._path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(self._kept))
        part.replace(self._path)
