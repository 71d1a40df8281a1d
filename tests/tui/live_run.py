"""``fetalstream run`` as a person starts it: with an untrained model and few sentences, so that it is up in seconds."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from tests.waiting import until

ROOT = Path(__file__).parents[2]
# The command line, a widget of which breaks once the file named by the first argument is there.
BREAKABLE = """
import sys
from pathlib import Path
from fetalstream.tui import cli
from fetalstream.tui.widgets.single import Single
draw = Single.draw
def broken(*given, **named):
    if Path(sys.argv[1]).exists(): raise RuntimeError("a widget broke")
    return draw(*given, **named)
Single.draw = broken
"""
UP_WITHIN_S = 90.0


def few_sentences(folder: Path) -> Path:
    folder.mkdir()
    planes = {"brain": ["the brain"], "femur": ["the femur"]}
    (folder / "planes.json").write_text(json.dumps(planes))
    return folder


def environment(home: Path) -> dict[str, str]:
    """One that touches nothing of the user's."""
    return {
        **os.environ,
        **{f"XDG_{what}_HOME": str(home / what.lower()) for what in ("DATA", "CACHE", "CONFIG", "STATE")},
        "XDG_RUNTIME_DIR": str(home / "run"),
        "OMP_NUM_THREADS": "1",
    }


class LiveRun:
    """A running ``fetalstream run SOURCE --headless``; its folders are removed at the end."""

    def __init__(self, source: str = "phantom:3", *, record: bool = True) -> None:
        # pytest's own folders make names too long for sockets.
        self.home = Path(tempfile.mkdtemp(prefix="fs"))
        (self.home / "run").mkdir(mode=0o700)
        self.sessions = self.home / "sessions"
        prompts = few_sentences(self.home / "prompts")
        command = [sys.executable, "-m", "fetalstream.tui.cli", "run", source, "--headless", "--weights", "random"]
        command += ["--prompts", str(prompts)]
        command += ["--record", str(self.sessions)] if record else ["--no-record"]
        self.log = self.home / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment(self.home), stderr=log)
        self._family: list[psutil.Process] = []

    def __enter__(self) -> LiveRun:
        return self

    def __exit__(self, *_: object) -> None:
        for child in [*self.children(), *self._family, self.process]:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                child.kill()
        self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def children(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._family = psutil.Process(self.process.pid).children() or self._family
        return self._family

    def child(self, name: str) -> psutil.Process | None:
        for child in self.children():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if f"fetalstream.tui.run.{name}_process" in " ".join(child.cmdline()):
                    return child
        return None

    @property
    def control(self) -> str:
        """The control channel, once it is there."""
        found: list[Path] = []

        def bound() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            found[:] = (self.home / "run").glob("fetalstream/*/control.sock")
            return bool(found)

        until(bound, UP_WITHIN_S)
        return f"ipc://{found[0]}"

    def session_folders(self) -> list[Path]:
        return sorted(self.sessions.glob("*"), key=lambda folder: folder.stat().st_ctime_ns)

    def seqs(self, folder: Path) -> list[int]:
        """Places of the readings recorded there."""
        return [row[0] for row in rows(folder, "SELECT seq FROM messages WHERE kind = 'reading' ORDER BY seq")]

    def wait_recording(self, folders: int = 1, readings: int = 10) -> Path:
        """Until the given number of sessions was begun, and the last holds some readings."""

        def there() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            found = self.session_folders()
            return len(found) == folders and len(self.seqs(found[-1])) >= readings

        until(there, UP_WITHIN_S)
        return self.session_folders()[-1]

    def kill(self, name: str) -> None:
        """-9 to a child, and waits until there is another."""
        killed = self.child(name)
        assert killed is not None
        killed.send_signal(signal.SIGKILL)

        def replaced() -> bool:
            other = self.child(name)
            return other is not None and other.pid != killed.pid

        until(replaced)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(UP_WITHIN_S)


def rows(folder: Path, query: str) -> list[Any]:
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"{(folder / 'session.db').as_uri()}?mode=ro", uri=True)) as database,
    ):
        return database.execute(query).fetchall()
    return []
