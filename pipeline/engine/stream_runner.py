"""A stream as the engine runs it: a source's reader, its analyzer, its health and the watch over its capture."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.capture_watch import CaptureWatch, Silence
from fetalstream.pipeline.engine.frame_readers import FrameReader, LatestReader, QueuedReader
from fetalstream.pipeline.engine.health import HealthMeter
from fetalstream.pipeline.model.model_info import ModelInfo
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer
from fetalstream.pipeline.stream.preparation import PreparedFrame
from fetalstream.pipeline.stream.probabilities import BankLookup
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.region.masker import SectorSetting
from fetalstream.streamer.region.sector import Polygon, Rectangle
from fetalstream.streamer.sources import Source


@dataclass(frozen=True, eq=False)
class Stream:
    """A source made ready for an engine; see `make_stream`.

    Attributes:
        analyzer: reads its frames.
        reader: hands them out.
        kind: of the source.
        warnings: of the source, filled while it is read.
        embeddings: publish the vector of every analysed frame.
        source_sha256: stands for the source, whose name must not be published.
    """

    analyzer: StreamAnalyzer
    reader: FrameReader
    kind: str
    warnings: Sequence[str] = ()
    embeddings: bool = False
    source_sha256: str | None = None


def make_stream(
    source: Source, name: str, exam: str, model_info: ModelInfo, bank: BankLookup, *,
    every_frame: bool, sector: SectorSetting = None, embeddings: bool = False, clip_bytes: int = 0,
    clock_ns: Callable[[], int] = time.monotonic_ns,
) -> Stream:  # fmt: skip
    """Make a source ready for an engine.

    Args:
        source: is closed by the engine.
        name: on the wire; never a file name or URL.
        exam: id of the examination that begins.
        model_info: labels and constants of the model.
        bank: sentences about age for a spacing: `TextBanks.gestation` if every frame counts and may be waited for,
            `GestationBanks.get` if nothing may wait.
        every_frame: offline analysis; else the source is played as if live, and the newest frame wins.
        sector: the scan region; None for the whole frame. A source that is captured in a process has its own.
        embeddings: publish the vector of every analysed frame.
        clip_bytes: frames held for clips; see `pipeline.keyframes.clip_buffer.CLIP_BYTES`.
        clock_ns: the monotonic clock.
    """
    if source.kind == "phantom" and sector == "auto":
        sector = None  # a bare picture: there is nothing round it
    masking = sector if source.masker is None else source.masker
    analyzer = StreamAnalyzer(
        name, exam, model_info, bank, bank_ahead=not every_frame, sector=masking, clip_bytes=clip_bytes
    )
    reader = QueuedReader(source, clock_ns) if every_frame else LatestReader(source, clock_ns)
    return Stream(analyzer, reader, source.kind, source.warnings, embeddings, source.identity)


class StreamRunner:
    """Runs one stream for the engine. Passive: time comes in as an argument, and messages go back.

    Args:
        stream: see `make_stream`.
        device: which the model runs on.
        started_ns: monotonic.
    """

    def __init__(self, stream: Stream, device: str, started_ns: int) -> None:
        self.analyzer = stream.analyzer
        self.reader = stream.reader
        self.embeddings = stream.embeddings
        self.meter = HealthMeter(device, started_ns)
        self.ended = False
        self._kind = stream.kind
        self._source_sha256 = stream.source_sha256
        self._watch = CaptureWatch(stream.reader, stream.warnings, started_ns)
        self._silence: Silence | None = None
        self._size: tuple[int, int] | None = None  # width, height of the source's frames

    def prepare(self, frame: Frame, now_ns: int) -> PreparedFrame:
        """Take the next frame in; see `StreamAnalyzer.prepare`."""
        # A process that captures cuts the frames; what they were before, it says.
        self._size = self.reader.status.size or (frame.width, frame.height)
        self.analyzer.source_size = self._size
        return self.analyzer.prepare(frame, now_ns, self.reader.tally().dropped, self.reader.arrived_ns)

    def watch(self, now_ns: int, *, paused: bool) -> list[wire.Message]:
        """Return events of the capture, and the stream's health if frames have ceased or come again."""
        before, self._silence = self._silence, self._watch.silence(now_ns)
        events: list[wire.Message] = [self.analyzer.event(*each) for each in self._watch.update(now_ns)]
        return events if self._silence == before else [*events, self.health(now_ns, paused=paused)]

    def health(self, now_ns: int, *, paused: bool) -> wire.Health:
        """Return the stream's health message."""
        silence = self._watch.silence(now_ns)
        return self.meter.health(self.analyzer, self.reader, now_ns, paused=paused, silence=silence)

    def end(self, now_ns: int) -> list[wire.Message]:
        """Return the stream's last events, once, when no more frames come and all are finished; else nothing."""
        if self.ended or not (self.reader.finished and self.analyzer.idle):
            return []
        self.ended = True
        error = self.reader.error
        # Published and recorded: the words of any other error may hold the source's name.
        reason = error.reason if isinstance(error, SourceError) else type(error).__name__
        detail = {} if error is None else {"reason": reason}
        last = self.analyzer.event("source_ended" if error is None else "source_lost", detail)
        return [*self.watch(now_ns, paused=False), last]

    def state(self) -> wire.StreamState:
        """Return the stream's part of the ``state`` reply."""
        analyzer, tally = self.analyzer, self.reader.tally()
        width, height = self._size or (None, None)
        newest, region, given = analyzer.newest, analyzer.region, analyzer.sector
        shape = region or (given if isinstance(given, (Rectangle, Polygon)) else None)
        return wire.StreamState(
            stream=analyzer.stream,
            kind=self._kind,
            exam=analyzer.exam,
            exam_began_ns=analyzer.exam_began_ns,
            width=width,
            height=height,
            sector=None if shape is None else [(x, y) for x, y in shape.polygon],
            sector_from=None if region is None else region.origin,
            sector_confidence=None if region is None else region.confidence,
            spacing_mm=None if newest is None else newest.frame.spacing_mm,
            spacing_from=None if newest is None else newest.frame.spacing_from,
            state=analyzer.state,
            counts=analyzer.counts(tally.captured, tally.dropped, tally.waiting),
            reading=newest,
            source_sha256=self._source_sha256,
        )
