"""The recorder as a child of ``run`` and ``demo``: settings come as a line of JSON, reports go out as such lines.

It outlives the foreground as long as the engine does, and ends when both are gone.
"""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Final

import msgspec

from fetalstream.pipeline.wire import locked
from fetalstream.tui.record.recorder import record
from fetalstream.tui.run.supervise import EXIT_CRASHED, foreground_gone

ENGINE_GONE_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.5


class RecorderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The recorder's settings, one line of JSON on its standard input.

    ``endpoint`` is the control channel's, ``out`` the folder of sessions, ``alive`` a file that is locked while an
    engine runs.
    """

    endpoint: str
    out: str
    alive: str


def main() -> int:
    """Record until the engine says goodbye, a signal comes, or nobody is left who could start another engine."""
    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=RecorderSettings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_outlive, args=(Path(settings.alive), stop), name="foreground", daemon=True).start()
    try:
        record(settings.endpoint, Path(settings.out), stop, report=lambda report: _write(report.line()))
    except Exception as error:
        traceback.print_exc()
        _write(f"the recorder broke down: {type(error).__name__}: {error}".splitlines()[0])
        return EXIT_CRASHED
    return 0


def _write(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _outlive(alive: Path, stop: threading.Event) -> None:
    """End the recording once the foreground is gone, and no engine has run for ``ENGINE_GONE_S``."""
    foreground_gone(sys.stdin.fileno())
    without_s = 0.0
    while without_s < ENGINE_GONE_S and not stop.wait(_LOOK_EVERY_S):
        without_s = 0.0 if locked(alive) else without_s + _LOOK_EVERY_S
    stop.set()
