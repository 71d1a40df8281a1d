"""The demo runs the whole pipeline on a phantom scan and compares its readings with the truth."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.engine import Encoding, Engine
from fetalstream.pipeline.engine.stream_runner import make_stream
from fetalstream.pipeline.keyframes.clip_buffer import Cut
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.model.model_info import ModelInfo
from fetalstream.pipeline.readout.gestation import BRAIN
from fetalstream.pipeline.stream.probabilities import BankLookup
from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.phantom.source import PhantomSource

SETTLING_SECONDS: Final = 0.5
"""Time that a decision has to follow a change of the truth before it is judged."""

_STREAM: Final = "stream-1"
_PROGRESS_EVERY: Final = 150  # frames


class FrameTruth(Protocol):
    """The part of a phantom frame's truth that readings are compared with."""

    @property
    def label(self) -> str | None: ...
    @property
    def gestation_days(self) -> float: ...


class ReadingCollector:
    """A sink that keeps readings, messages about keyframes, and the last counts."""

    def __init__(self, frames: int, progress: Callable[[str], None]) -> None:
        self.readings: list[wire.Reading] = []
        self.keyframes: list[wire.Keyframe] = []
        self.counts = wire.Counts()
        self._frames = frames
        self._progress = progress

    def send(self, message: wire.Message, blob: bytes | None = None) -> None:
        del blob
        if isinstance(message, wire.Health):
            self.counts = message.counts
        elif isinstance(message, wire.Keyframe):
            self.keyframes.append(message)
        elif isinstance(message, wire.Reading):
            self.readings.append(message)
            if len(self.readings) % _PROGRESS_EVERY == 0:
                self._progress(f"{len(self.readings)} of {self._frames} frames")

    def preview(self, stream: str, exam: str, frame: wire.FrameInfo, pixels: Pixels) -> None:
        """Drop the preview: nobody looks at it."""

    def clip(self, stream: str, cut: Cut) -> None:
        """Drop the clip: nobody asked for it."""


def run_demo(
    seconds: float, seed: int, pipeline: LoadedPipeline, progress: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Analyse ``seconds`` of media time of phantom ``seed``, every frame, unpaced, and judge the readings.

    Args:
        seconds: media time.
        seed: seed of the phantom; below 1,000,000, which no model was trained on.
        pipeline: the model.
        progress: called with a line now and then.

    Returns:
        Plain values: ``plane_accuracy``, ``other_recall``, ``gestation_median_error_days`` (each None if nothing
        could be judged), ``gestation_frames``, ``scored_frames``, ``fps`` (frames a second of wall time, drawing
        included), the counts, and ``seed``, ``seconds``, ``model``, ``calibrated``, ``notice``.
    """
    begun_ns = time.monotonic_ns()
    collected = analyse(seconds, seed, pipeline.encoder, pipeline.model_info, pipeline.banks.gestation, progress)
    elapsed_s = (time.monotonic_ns() - begun_ns) / 1e9
    truth = PhantomSource(seed)  # a source of its own: the first was used in another thread
    counts = collected.counts
    return {
        **judge(collected.readings, truth.truth),
        "fps": round((counts.analysed + counts.reused) / elapsed_s, 1),
        "captured": counts.captured,
        "analysed": counts.analysed,
        "reused": counts.reused,
        "dropped": counts.dropped,
        "failed": counts.failed,
        "seed": seed,
        "seconds": seconds,
        "model": pipeline.model_info.name,
        "calibrated": pipeline.model_info.calibrated,
        "notice": wire.NOTICE,
    }


def analyse(
    seconds: float, seed: int, encoder: Encoding, model_info: ModelInfo, bank: BankLookup,
    progress: Callable[[str], None] = lambda _: None,
) -> ReadingCollector:  # fmt: skip
    """Run the pipeline on every frame of a phantom scan and collect its messages."""
    source = PhantomSource(seed, seconds=seconds)
    collector = ReadingCollector(source.frames_expected or 0, progress)
    stream = make_stream(source, _STREAM, "demo", model_info, bank, every_frame=True)
    Engine(encoder, [stream], collector).run()
    return collector


def judge(readings: Sequence[wire.Reading], truth_of: Callable[[int], FrameTruth]) -> dict[str, Any]:
    """Compare decisions and ages with the truth, frame by frame.

    A frame counts if the truth has a label, and has had it for ``SETTLING_SECONDS``; the decision is the reading's
    plane, or "other" if it names none. Ages count on all frames that truly show the brain and have an age.
    """
    right: list[bool] = []
    right_other: list[bool] = []
    errors_days: list[float] = []
    label: str | None = None
    since_seconds = float("-inf")
    for reading in readings:
        truth = truth_of(reading.frame.index)
        now_seconds = reading.frame.pts_seconds
        if truth.label != label:
            label, since_seconds = truth.label, now_seconds
        if label is not None and now_seconds - since_seconds >= SETTLING_SECONDS:
            right.append((reading.plane or wire.OTHER) == label)
            right_other += right[-1:] if label == wire.OTHER else []
        if label == BRAIN and reading.gestation is not None:
            errors_days.append(abs(reading.gestation.days - truth.gestation_days))
    return {
        "plane_accuracy": _share(right),
        "other_recall": _share(right_other),
        "gestation_median_error_days": round(statistics.median(errors_days), 2) if errors_days else None,
        "gestation_frames": len(errors_days),
        "scored_frames": len(right),
    }


def _share(verdicts: Sequence[bool]) -> float | None:
    return round(sum(verdicts) / len(verdicts), 4) if verdicts else None
