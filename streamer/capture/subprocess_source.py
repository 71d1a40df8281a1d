"""Capture in a child process of its own: what crashes, hangs or grows there is killed and started again.

The parent never sees what lies outside the sector, and a damaged picture that kills a decoder kills the child only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from fetalstream.streamer.capture.child_process import PATIENT_TICKS, SILENT_TICKS, ChildDied, ChildProcess
from fetalstream.streamer.capture.frame_channel import Note, ReceivedFrame
from fetalstream.streamer.capture.remote_masker import RemoteMasker
from fetalstream.streamer.capture.restart_limit import DEATHS, RestartLimit
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.live.addresses import scheme_of
from fetalstream.streamer.region.masker import SectorSetting, setting_values
from fetalstream.streamer.sources import Source, open_source
from fetalstream.streamer.status import SourceStatus

MEMORY_BYTES: Final = 2 << 30
RESUME: Final = "mend the source, then send the command resume"

_PERIOD_SECONDS: Final = 1 / 30  # until the next frame, at least: media time does not go back
_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _PassedFrame:
    """The place of a frame that was passed on; not the frame, which would keep its memory."""

    index: int
    epoch: int
    pts_seconds: float


class SubprocessSource:
    """A source that is read in a child process. Frames come masked.

    Live ones go on for ever: a child that dies is started again, in a new epoch, and after ``deaths`` of them in a
    minute the capture is failed until `resume`. A recording whose child dies goes on where it was if it is played as
    if live (``persist``); otherwise it ends there, with a SourceError.

    Attributes:
        status: state of the capture.
        masker: stands for the masker in the child; see `RemoteMasker`.
        warnings: see `streamer.sources.Source`.

    Args:
        name: see `streamer.sources.open_source`.
        spacing_mm: likewise.
        depth_mm: see `streamer.region.masker.Masker`.
        sector: the scan region; None for the whole frame.
        persist: start a child that reads a recording again, too.
        scale_over: called, from the thread that iterates, whenever the operator's scale has ended because the layout
            is another one: whoever opens the source again must not give it again.
        deaths: so many in a minute, and the capture is given up.
        memory_bytes: a child that holds more is killed.
        clock_ns: the monotonic clock.

    Raises:
        SourceError: the source cannot be opened.
    """

    def __init__(
        self, name: str, *, spacing_mm: float | None = None, depth_mm: float | None = None,
        sector: SectorSetting = None, persist: bool = False, scale_over: Callable[[], object] = lambda: None,
        deaths: int = DEATHS, memory_bytes: int = MEMORY_BYTES, clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self._name = name
        self._spacing_mm = spacing_mm
        self._depth_mm = depth_mm
        self.masker = RemoteMasker(sector, self._set_sector)
        self._persist = persist
        self._scale_over = scale_over
        self._restart_limit = RestartLimit(deaths)
        self._memory_bytes = memory_bytes
        self._clock_ns = clock_ns
        self._closed = threading.Event()
        self._resumed = threading.Event()
        self._lock = threading.Lock()
        self._child: ChildProcess | None = None
        self._hello: dict[str, Any] | None = None
        self._ended: Note | None = None
        self._last: _PassedFrame | None = None
        self._began_ns: int | None = None
        self._reconnects = self._dropped = 0  # of children before this one
        self._epoch = self._index = 0  # are added to those of this child's frames
        self._pts_seconds = 0.0
        self.status = SourceStatus("starting")
        self.warnings: list[str] = []
        self._open()

    @property
    def kind(self) -> str:
        return self._announced["kind"]

    @property
    def live(self) -> bool:
        return bool(self._announced["live"])

    @property
    def frames_expected(self) -> int | None:
        return self._announced["frames_expected"]

    @property
    def rate_hz(self) -> float | None:
        return self._announced["rate_hz"]

    @property
    def identity(self) -> str:
        return self._announced["identity"]

    @property
    def pid(self) -> int | None:
        """Process id of the child; None while there is none."""
        child = self._child
        return None if child is None else child.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Kill the child, which leaves nothing behind. The iteration that is under way ends, in whatever thread."""
        self._closed.set()
        self._resumed.set()
        self._kill_child()

    def resume(self) -> None:
        """Start capture again if it was given up."""
        if self.status.state == "failed":
            self._restart_limit.forgive()
            self._resumed.set()

    def __iter__(self) -> Iterator[Frame]:
        while not self._closed.is_set():
            if self._child is None:
                self._start()
            try:
                for received in self._received():
                    yield self._placed(received)
            except ChildDied as error:
                self._died(str(error))
            if self._ended is not None:
                return

    @property
    def _announced(self) -> dict[str, Any]:
        assert self._hello is not None  # the constructor waits for it
        return self._hello

    def _open(self) -> None:
        """Start the child and wait for its ``hello`` note: kind, rate, identity."""
        try:
            while self._hello is None:
                self._start()
                try:
                    while self._hello is None and self._ended is None:
                        self._take()
                except ChildDied as error:
                    self._died(str(error))
                    if self.status.state == "failed":
                        raise SourceError(f"{error} while the source was opened; it may be damaged") from None
                if self._hello is None and self._ended is not None:
                    raise SourceError("the source ended before it began")
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        with self._lock:
            if self._closed.is_set():
                return
            skip = 0 if self._hello is None or self.live or self._last is None else self._last.index + 1
            self._child = ChildProcess(
                {
                    "name": self._name,
                    "spacing_mm": self._spacing_mm,
                    "depth_mm": self._depth_mm,
                    "sector": setting_values(self.masker.setting),
                    "skip": skip,
                    "revision": self.masker.revision,
                },
                self._memory_bytes,
            )

    def _set_sector(self, sector: SectorSetting) -> None:
        with self._lock:
            if self._child is not None:
                self._child.send({"sector": setting_values(sector), "revision": self.masker.revision})

    def _received(self) -> Iterator[ReceivedFrame]:
        """Frames of this child. Raises ChildDied."""
        while self._ended is None and not self._closed.is_set():
            received = self._take()
            if received is not None:
                yield received

    def _take(self) -> ReceivedFrame | None:
        """Return the next frame, None if something else came. Raises ChildDied."""
        child = self._child
        if child is None:
            raise ChildDied("the capture was closed")
        live = self._hello is not None and self.live
        message = child.next(SILENT_TICKS if live else PATIENT_TICKS)
        if isinstance(message, ReceivedFrame):
            return message
        if message is not None:
            self._take_in(message)
        return None

    def _take_in(self, note: Note) -> None:
        if "hello" in note:
            self._hello = note["hello"]
        if "end" in note:
            self._ended = note["end"]
            self._kill_child()
            if self._ended:
                raise SourceError(self._ended["reason"], **_source_of(self._ended))
        if "mask" in note:
            message = note["mask"]
            self.masker.receive({**message, "index": message["index"] + self._index})
            if any(event == "layout_changed" for event, _ in message["events"]):
                self._forget_scale()
        self.warnings += [line for line in note.get("warnings", ()) if line not in self.warnings]
        if note.get("size") is not None:
            width, height = note["size"]
            # The size outlives a child: what comes back in another size is another picture, too.
            if self.status.size not in (None, (width, height)):
                self._forget_scale()
            self.status = replace(self.status, size=(width, height))
        if "trouble" in note:
            self.status = replace(
                self.status,
                state="running",
                trouble=note["trouble"],
                reconnects=self._reconnects + note["reconnects"],
                dropped=self._dropped + note["dropped"],
            )

    def _forget_scale(self) -> None:
        """End the operator's scale, which was given for another layout: the next child must not be told it again."""
        self._spacing_mm = self._depth_mm = None
        self._scale_over()

    def _placed(self, received: ReceivedFrame) -> Frame:
        """Number the frame in the order of all that came, from this child and those before it."""
        frame = received.frame
        if self._began_ns is None:
            self._began_ns = frame.captured_ns
        self.status = replace(self.status, state="running", trouble=None, dropped=self._dropped + received.dropped)
        if self._epoch:
            frame = replace(
                frame,
                index=frame.index + self._index,
                epoch=frame.epoch + self._epoch,
                pts_seconds=frame.pts_seconds + self._pts_seconds,
            )
            if frame.spacing_from in ("operator", "depth") and self._spacing_mm is None and self._depth_mm is None:
                frame = replace(frame, spacing_mm=None, spacing_from=None)
        self._last = _PassedFrame(frame.index, frame.epoch, frame.pts_seconds)
        return frame

    def _died(self, how: str) -> None:
        """Count the death, then wait until another child may be started."""
        self._kill_child()
        if self._closed.is_set():
            return
        now_ns = self._clock_ns()
        restart = self._restart_limit.count(now_ns / _NS)
        self.status = replace(self.status, state="starting", trouble=how, died=how, deaths=self.status.deaths + 1)
        if self._hello is not None:
            self._carry_over(now_ns)
            if not self.live and not self._persist:
                raise SourceError(f"{how}; what was read until then is kept, the file may be damaged")
        if not restart:
            self._give_up(how)

    def _carry_over(self, now_ns: int) -> None:
        """Let the next child's counts go on from here."""
        self._dropped = self.status.dropped
        self._reconnects = self.status.reconnects + (self._last is not None)
        if self._last is not None:
            self._epoch = self._last.epoch + 1
            if self.live:
                self._index = self._last.index + 1
                elapsed_s = (now_ns - (self._began_ns or now_ns)) / _NS
                self._pts_seconds = max(elapsed_s, self._last.pts_seconds + _PERIOD_SECONDS)

    def _give_up(self, how: str) -> None:
        times = f"{self._restart_limit.deaths} times within a minute"
        self.status = replace(self.status, state="failed", trouble=f"capture died {times} ({how}); {RESUME}")
        if self._hello is None:
            return
        self._resumed.wait()
        self._resumed.clear()
        self.status = replace(self.status, state="starting")

    def _kill_child(self) -> None:
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.kill()


def _source_of(end: Note) -> dict[str, str]:
    """The source's name, which stands before the reason in the error's text if the child named it."""
    text, reason = end.get("text", ""), end["reason"]
    return {"source": text.removesuffix(f": {reason}")} if text.endswith(f": {reason}") else {}


def open_in_subprocess(
    name: str, *, spacing_mm: float | None = None, depth_mm: float | None = None, sector: SectorSetting = None,
    persist: bool = False, scale_over: Callable[[], object] = lambda: None,
) -> Source:  # fmt: skip
    """Open a source in a child process; a phantom in this one, for it decodes nothing and shows nobody.

    The arguments and errors are those of `SubprocessSource`. Only its frames come masked: a phantom is masked by its
    reader, and knows its own spacing.
    """
    if scheme_of(name) == "phantom" and not Path(name).exists():
        return open_source(name, spacing_mm=spacing_mm)
    return SubprocessSource(
        name, spacing_mm=spacing_mm, depth_mm=depth_mm, sector=sector, persist=persist, scale_over=scale_over
    )
