"""Where the messages of an offline analysis go: into a session, out as lines of JSON, and into a short summary."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
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
    """What came of one file; ``planes``: frames by plane, ``trouble``: why it could not be read."""

    counts: Counts = field(default_factory=Counts)
    planes: dict[str, int] = field(default_factory=dict[str, int])
    gestation: Gestation | None = None
    trouble: str | None = None

    @property
    def frames(self) -> int:
        """Frames that have a reading."""
        return self.counts.analysed + self.counts.reused

    def words(self) -> str:
        """One line."""
        if self.trouble is not None:
            return self.trouble
        named = sorted(self.planes, key=lambda plane: -self.planes[plane])
        said = [f"{self.frames} frames"]
        said += [", ".join(f"{label_words(plane)} {self.planes[plane]}" for plane in named) or "no standard plane"]
        if self.counts.failed:
            said.append(f"{self.counts.failed} failed")
        if self.gestation is not None:
            age = self.gestation
            said.append(f"age {weeks_days(age.days)} ({weeks_days(age.low_days)} to {weeks_days(age.high_days)})")
        return "; ".join(said)


class MediaClock:
    """Media time in nanoseconds, going on from file to file.

    Messages of an offline analysis are dated by it, so that the session plays at the pace of the scan and not at that
    of the machine.
    """

    def __init__(self) -> None:
        self._begins_s = 0.0
        self._latest_s = 0.0

    def see(self, pts_seconds: float) -> None:
        """A frame of that time in its file."""
        self._latest_s = max(self._latest_s, self._begins_s + pts_seconds)

    def next_file(self) -> None:
        """Another file begins."""
        self._begins_s = self._latest_s

    def __call__(self) -> int:
        return round(self._latest_s * 1e9)


class OfflineSink:
    """The engine's sink.

    Args:
        stamp: numbers messages and dates them by ``clock``.
        clock: is told the time of every frame.
        store: the session, None for none.
        jsonl: where readings go, a header a line; None for nowhere.
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
        self.tally = FileSummary()

    @property
    def clip_bytes(self) -> int:
        """Frames to be held for clips."""
        from fetalstream.pipeline.keyframes.clip_buffer import CLIP_BYTES

        return 0 if self._store is None else CLIP_BYTES

    def next_file(self, stream: Stream, progress: Progress) -> FileSummary:
        """What comes from now on is of this stream."""
        self._clock.next_file()
        self._stream, self._progress, self.tally = stream, progress, FileSummary()
        return self.tally

    def send(self, message: Message, blob: bytes | None = None) -> None:
        """One message of the engine."""
        if isinstance(message, Reading):
            self._read(message)
        elif isinstance(message, Health):
            self.tally.counts = message.counts
        stamped = self._stamp.stamp(message)
        if self._store is not None:
            self._store.send(stamped, self._picture(stamped.keyframe) if isinstance(stamped, Keyframe) else blob)
        if self._jsonl is not None and isinstance(stamped, Reading):
            self._jsonl.write(encode(stamped).decode() + "\n")

    def preview(self, stream: str, exam: str, frame: FrameInfo, pixels: Pixels) -> None:
        """A masked picture, kept twice a second of media time."""
        if self._store is None:
            return
        made = self._previews.update(stream, exam, frame, pixels, self._clock())
        if made is not None:
            self.send(*made)

    def clip(self, stream: str, cut: Cut) -> None:
        """Encoded by another thread, and stored by and by; waits where that thread is far behind."""
        if self._store is None:
            return
        while (about := self._clips.add(cut)) is None:
            self._save_clip()
        self.send(Event(exam=cut.exam, stream=stream, event="clip", detail={**about}))
        self._encoding.append((cut.best.keyframe, self._clips.fetch(cut.best.keyframe)))
        while self._encoding and self._encoding[0][1].done():
            self._save_clip()

    def finish(self) -> None:
        """Waits until all clips are stored."""
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
            self.tally.planes[reading.plane] = self.tally.planes.get(reading.plane, 0) + 1
        self.tally.gestation = reading.gestation or self.tally.gestation
        if self._progress is not None:
            self._progress.step()
