"""The recorder as a child of ``run`` and ``demo``, told what to do by one line on standard input.

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

from fetalstream.tui.record.recorder import record
from fetalstream.tui.run.supervise import EXIT_CRASHED, foreground_gone

ENGINE_GONE_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.5


class RecorderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``endpoint``: of the control channel; ``out``: the folder of sessions; ``alive``: locked while an engine runs."""

    endpoint: str
    out: str
    alive: str


def main() -> int:
    """Records until the engine's goodbye, a signal, or nobody is left who could start another engine."""
    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=RecorderSettings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_outlive, args=(Path(settings.alive), stop), name="foreground", daemon=True).start()
    try:
        record(settings.endpoint, Path(settings.out), stop, report=_say)
    except Exception as error:
        traceback.print_exc()
        _say(f"the recorder broke down: {type(error).__name__}: {error}".splitlines()[0])
        return EXIT_CRASHED
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _outlive(alive: Path, stop: threading.Event) -> None:
    from fetalstream.pipeline.bus.endpoints import locked

    foreground_gone(sys.stdin.fileno())
    without_s = 0.0
    while without_s < ENGINE_GONE_S and not stop.wait(_LOOK_EVERY_S):
        without_s = 0.0 if locked(alive) else without_s + _LOOK_EVERY_S
    stop.set()
