"""The analyzer's cost a frame is measured: decisions over time, age, best frames, a question, the messages.

The model reads a phantom scan first, and its sharpness is measured; then the same scores go through
`pipeline.stream.analyzer` again and again, on one thread. The bar is 0.1 ms a frame over a scan. Counted are
probabilities from scores, both filters, the age, the question, best frames (with the copy of their pixels) and building
the messages. Not counted are encoder, resize, sharpness, and encoding messages as JSON.

Run: ``python -m benchmarks.analyzer_cost``. One JSON line comes last.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import time

from fetalstream.pipeline.inference.encoder import Item
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline, load_pipeline
from fetalstream.pipeline.model.heads import HeadOutputs
from fetalstream.pipeline.model.preprocess import input_spacing_mm
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer
from fetalstream.pipeline.stream.questions import question
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.phantom.source import PhantomSource

Seen = list[tuple[Frame, HeadOutputs | None]]


def seen(pipeline: LoadedPipeline, seed: int, frames: int) -> Seen:
    """Encode frames of a scan, and return each with the model's outputs."""
    source = PhantomSource(seed)
    found: Seen = []
    for index in range(frames):
        frame = source.frame(index)
        spacing_mm = input_spacing_mm(
            frame.height, frame.width, frame.spacing_mm or 0.2, pipeline.model_info.image_size
        )
        (scores,) = pipeline.encoder.submit([Item(frame.pixels, pipeline.banks.gestation(spacing_mm))]).result()
        found.append((frame, scores))
    return found


def once(pipeline: LoadedPipeline, frames: Seen, *, ask: bool) -> int:
    """All frames admitted first, sharpness and all, then finished against the clock; nanoseconds."""
    analyzer = StreamAnalyzer("stream-1", "exam", pipeline.model_info, pipeline.banks.gestation)
    if ask:
        analyzer.ask(question("a fetal brain", pipeline.banks))
    prepared = [(analyzer.prepare(frame, 0), scores) for frame, scores in frames]
    begun = time.perf_counter_ns()
    for each, scores in prepared:
        analyzer.finish(each, scores if each.action == "analyse" else None, 0)
    return time.perf_counter_ns() - begun


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=900)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    pipeline = load_pipeline("mini", device="cpu")
    frames = seen(pipeline, args.seed, args.frames)
    brain = pipeline.model_info.planes.index("brain")
    brains = [each for each in frames if each[1] is not None and each[1].plane_cosines.argmax() == brain]
    if args.profile:
        profile = cProfile.Profile()
        profile.runcall(once, pipeline, frames, ask=True)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    rows = {"all": (frames, False), "all, with a question": (frames, True), "brain, with a question": (brains, True)}
    found = {
        name: round(min(once(pipeline, some, ask=ask) for _ in range(args.repeats)) / len(some) / 1e6, 4)
        for name, (some, ask) in rows.items()
        if some
    }
    print(json.dumps({"benchmark": "analyzer_cost", "frames": len(frames), "brain_frames": len(brains), "ms": found}))


if __name__ == "__main__":
    main()
