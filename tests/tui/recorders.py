"""A recorder over a scripted engine, in a thread or a process, and what it has written."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from fetalstream.pipeline.wire import ConfirmSaved
from fetalstream.tui.record.recorder import record
from tests.scripted_engine import Kept, ScriptedEngine, health
from tests.waiting import until

ROOT = Path(__file__).parents[2]
RECORD = """
import sys, threading
from pathlib import Path
from fetalstream.tui.record.recorder import record
record(sys.argv[1], Path(sys.argv[2]), threading.Event(), report=lambda report: print(report.words, flush=True))
"""


def recorder_process(engine: ScriptedEngine, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RECORD, engine.endpoints.control, str(out)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


class Recorder:
    """In a thread; ``lines`` is what it said."""

    def __init__(self, endpoint: str, out: Path, free_bytes: Callable[[Path], int] = lambda _: 10**12) -> None:
        self.lines: list[str] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(
            target=record,
            args=(endpoint, out, self.stop),
            kwargs={"report": lambda report: self.lines.append(report.words), "free_bytes": free_bytes},
            daemon=True,
        )
        self.thread.start()

    def ended(self) -> None:
        self.thread.join(60)
        assert not self.thread.is_alive()

    def recording(self, times: int = 1) -> bool:
        return sum(line.startswith("Recording into") for line in self.lines) >= times


@contextmanager
def stopped_at_the_end(recorder: Recorder) -> Iterator[Recorder]:
    yield recorder
    recorder.stop.set()
    recorder.ended()


def rows(folder: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "session.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return database.execute(sql).fetchall()


def seqs(folder: Path, kind: str) -> list[int]:
    return [seq for (seq,) in rows(folder, f"SELECT seq FROM messages WHERE kind = '{kind}' ORDER BY seq")]


def folder_of(out: Path) -> Path:
    (folder,) = out.iterdir()
    return folder


def hears(engine: ScriptedEngine, out: Path) -> None:
    """Until the recorder's subscription has arrived: nobody can ask for health afterwards."""

    def heard() -> bool:
        engine.publisher.send(health())
        folders = [folder for folder in out.glob(f"*_{engine.run}") if (folder / "session.json").exists()]
        return any(seqs(folder, "health") for folder in folders)

    until(heard)


def check_pictures(folder: Path, keyframes: set[str]) -> None:
    """Each of them is on disk, whole, with its own pixels and its sidecar."""
    for keyframe in keyframes:
        (path,) = folder.glob(f"keyframes/*/{keyframe}.png")
        assert path.with_suffix(".json").is_file()
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(pixels, Kept(keyframe, pixels.shape[0]).pixels)


def check_clips(folder: Path, keyframes: set[str]) -> None:
    """Each of them is on disk, can be played, and is the right one."""
    for keyframe in keyframes:
        path = folder / "clips" / f"{keyframe}.mkv"
        assert path.with_suffix(".json").is_file()
        with av.open(path) as clip:
            frames = [frame.to_ndarray(format="gray") for frame in clip.decode(video=0)]
        assert len(frames) == 3
        # It is noise: what another clip shows is further away than what a JPEG loses.
        assert np.abs(frames[-1].astype(int) - Kept(keyframe).pixels).mean() < 4


def acknowledged(engine: ScriptedEngine) -> set[str]:
    return {keyframe for each in list(engine.asked) if isinstance(each, ConfirmSaved) for keyframe in each.ids}
