"""The engine's sink in an offline analysis: messages go into a session, into lines of JSON, and into a summary."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any, Final

from fetalstream.pipeline.wire import Counts, Event, FrameInfo, Gestation, Health, Keyframe, Message, Reading, encode
from fetalstream.tui.state.text import label_words, weeks_days

if TYPE_CHECKING:
    from concurrent.futures import Future

    from fetalstream.pipeline.bus.stamper import MessageStamper
    from fetalstream.pipeline.engine.stream_runner import Stream
    from fetalstream.pipeline.keyframes.clip_buffer import Cut
    from fetalstream.streamer.frame import Pixels
    from fetalstream.tui.commands.progress import Progress
    from fetalstream.tui.record.store import SessionStore

PREVIEW_HZ: Final = 2.0


@dataclass
class FileSummary:
    """The result of one file.

    Attributes:
        counts: of its frames.
        planes: frames by plane.
        gestation: the last age that was read, None if none was.
        trouble: why the file could not be read, None if it could.
        failure: why a frame failed, of the last event that says so; None if none did.
    """

    counts: Counts = field(default_factory=Counts)
    planes: dict[str, int] = field(default_factory=dict[str, int])
    gestation: Gestation | None = None
    trouble: str | None = None
    failure: str | None = None

    @property
    def frames(self) -> int:
        """Frames that have a reading."""
        return self.counts.analysed + self.counts.reused

    def judged(self) -> FileSummary:
        """Return the result with ``trouble`` if every frame of it failed: that is a failure, not an empty scan."""
        failed = self.counts.failed
        if self.trouble is not None or self.frames or not failed:
            return self
        return replace(self, trouble=f"all {failed} frames failed: {self.failure or 'for a reason that is not known'}")

    def words(self) -> str:
        """Return the result in one line."""
        if self.trouble is not None:
            return self.trouble
        named = sorted(self.planes, key=lambda plane: -self.planes[plane])
        parts = [f"{self.frames} frames"]
        parts += [", ".join(f"{label_words(plane)} {self.planes[plane]}" for plane in named) or "no standard plane"]
        if self.counts.failed:
            parts.append(f"{self.counts.failed} failed")
        if self.gestation is not None:
            age = self.gestation
            parts.append(f"age {weeks_days(age.days)} ({weeks_days(age.low_days)} to {weeks_days(age.high_days)})")
        return "; ".join(parts)


class MediaClock:
    """Media time in nanoseconds, going on from file to file.

    Messages of an offline analysis are dated by it, so that the session plays at the pace of the scan and not at that
    of the machine.
    """

    def __init__(self) -> None:
        self._begins_s = 0.0
        self._latest_s = 0.0

    def see(self, pts_seconds: float) -> None:
        """Advance to the time of a frame in its file."""
        self._latest_s = max(self._latest_s, self._begins_s + pts_seconds)

    def next_file(self) -> None:
        """Begin another file: its times follow those of the files before it."""
        self._begins_s = self._latest_s

    def __call__(self) -> int:
        return round(self._latest_s * 1e9)


class OfflineSink:
    """The engine's sink in an offline analysis.

    Args:
        stamp: numbers messages, and dates them by ``clock``.
        clock: advances with every frame.
        store: the session to write, None to record none.
        jsonl: where readings go, one header a line; None for nowhere.
    """

    def __init__(
        self, stamp: MessageStamper, clock: MediaClock, store: SessionStore | None, jsonl: IO[str] | None
    ) -> None:
        from fetalstream.pipeline.bus.clip_cache import ClipCache
        from fetalstream.pipeline.bus.preview import PreviewMaker

        self._stamp = stamp
        self._clock = clock
        self._store = store
        self._jsonl = jsonl
        self._previews = PreviewMaker(PREVIEW_HZ)
        self._clips = ClipCache()
        self._encoding: deque[tuple[str, Future[Any]]] = deque()
        self._stream: Stream | None = None
        self._progress: Progress | None = None
        self.summary = FileSummary()

    @property
    def clip_bytes(self) -> int:
        """The bytes that a stream may hold of frames for clips; 0 if nothing is recorded."""
        from fetalstream.pipeline.keyframes.clip_buffer import CLIP_BYTES

        return 0 if self._store is None else CLIP_BYTES

    def next_file(self, stream: Stream, progress: Progress) -> FileSummary:
        """Take messages of this stream from now on, and return the summary that they are counted in."""
        self._clock.next_file()
        self._stream, self._progress, self.summary = stream, progress, FileSummary()
        return self.summary

    def send(self, message: Message, blob: bytes | None = None) -> None:
        """Write one message of the engine."""
        if isinstance(message, Reading):
            self._read(message)
        elif isinstance(message, Health):
            self.summary.counts = message.counts
        elif isinstance(message, Event) and message.event == "frame_failed":
            self.summary.failure = str(message.detail.get("reason"))
        stamped = self._stamp.stamp(message)
        if self._store is not None:
            self._store.send(stamped, self._picture(stamped.keyframe) if isinstance(stamped, Keyframe) else blob)
        if self._jsonl is not None and isinstance(stamped, Reading):
            self._jsonl.write(encode(stamped).decode() + "\n")

    def preview(self, stream: str, exam: str, frame: FrameInfo, pixels: Pixels) -> None:
        """Write a masked picture, at most two for each second of media time."""
        if self._store is None:
            return
        made = self._previews.update(stream, exam, frame, pixels, self._clock())
        if made is not None:
            self.send(*made)

    def clip(self, stream: str, cut: Cut) -> None:
        """Have a clip encoded by another thread and store it when it is done; wait if that thread is far behind."""
        if self._store is None:
            return
        while (about := self._clips.add(cut)) is None:
            self._save_clip()
        self.send(Event(exam=cut.exam, stream=stream, event="clip", detail={**about}))
        self._encoding.append((cut.best.keyframe, self._clips.fetch(cut.best.keyframe)))
        while self._encoding and self._encoding[0][1].done():
            self._save_clip()

    def finish(self) -> None:
        """Wait until all clips are stored."""
        while self._encoding:
            self._save_clip()
        self._clips.close()

    def _save_clip(self) -> None:
        keyframe, file = self._encoding.popleft()
        if self._store is not None:
            self._store.clips.save(keyframe, file.result().blob)
            self._clips.saved([keyframe])

    def _picture(self, keyframe: str) -> bytes | None:
        stored = None if self._stream is None else self._stream.analyzer.kept(keyframe)
        return None if stored is None else stored.png()

    def _read(self, reading: Reading) -> None:
        self._clock.see(reading.frame.pts_seconds)
        if reading.plane is not None:
            self.summary.planes[reading.plane] = self.summary.planes.get(reading.plane, 0) + 1
        self.summary.gestation = reading.gestation or self.summary.gestation
        if self._progress is not None:
            self._progress.step()
