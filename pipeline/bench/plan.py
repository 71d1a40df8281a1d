"""The benchmark plan runs all measurements within a given time: machine, naive loop, encoder, pipeline, load."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from fetalstream.pipeline.bench import film, machine
from fetalstream.pipeline.bench.naive import naive_fps
from fetalstream.pipeline.bench.offered_load import STREAMS, under_load
from fetalstream.pipeline.bench.runs import encoder_fps, overhead_cpu_ms, pipeline_fps
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.stream.probabilities import BankLookup
from fetalstream.streamer.sources import open_source

LEAST_SECONDS = 0.2
# Shares of the time given; each of the four loads takes the share of "load".
_SHARES = {"naive": 0.2, "encoder": 0.1, "pipeline": 0.2, "from_memory": 0.1, "load": 0.1}


def run_bench(
    load: Callable[[str], LoadedPipeline], *, seconds: float, size: tuple[int, int] = (640, 480),
    streams: tuple[int, ...] = STREAMS, drawn: int = 150, progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """Measure a model on this machine.

    Args:
        load: loads the model in the precision that the options ask for ("") or in ``"fp32"`` for the naive loop.
        seconds: time of all measurements; loading and drawing come on top.
        size: width and height of the frames.
        streams: numbers of parallel streams under load, one measurement each.
        drawn: number of different frames.
        progress: called with a line before each step.

    Returns:
        Plain values: rates in frames a second, times in milliseconds, shares from 0 to 1.
    """
    budget = {what: max(LEAST_SECONDS, seconds * share) for what, share in _SHARES.items()}
    pipeline = load("")
    model = pipeline.model
    progress("drawing the frames")
    pictures = film.draw(drawn, *size)
    bank = _bank(pipeline)
    report: dict[str, Any] = {
        "model": model.config.name, "weights": model.weights_from, "device": str(model.device),
        "precision": str(model.dtype).removeprefix("torch."), "size": list(size), "seconds": seconds,
    }  # fmt: skip
    progress("warming up")
    pipeline.encoder.warm_up((1, 8))
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "phantom.mp4"
        film.write(clip, pictures)
        progress("the whole pipeline, from a film")
        report["pipeline_fps"], report["encoder_share"] = _from_film(pipeline, clip, bank, budget["pipeline"])
        progress("the plain loop")
        report["naive_fps"] = _naive(pipeline, load, clip, budget["naive"])
    report["ratio"] = report["pipeline_fps"] / report["naive_fps"]
    progress("the pipeline without decoding, and the encoder alone")
    memory = film.InMemory(pictures, film.RATE_HZ, seconds=budget["from_memory"])
    report["pipeline_fps_without_decode"], _ = pipeline_fps(pipeline, memory, bank, budget["from_memory"])
    report["encoder_fps"] = encoder_fps(pipeline, pictures, budget["encoder"])
    report["overhead_cpu_ms"] = overhead_cpu_ms(pipeline, film.InMemory(pictures, film.RATE_HZ, count=300), bank)
    report |= _rates(pipeline, report["encoder_fps"])
    report["load"] = []
    for count in streams:
        progress(f"{count} streams at 60 frames a second")
        report["load"].append(under_load(pipeline, pictures, bank, count, budget["load"]))
    report["latency_ms"] = report["load"][0]["latency_ms"] if report["load"] else {"p50": None, "p99": None}
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in report.items()} | {
        "machine": machine.about()
    }


def _bank(pipeline: LoadedPipeline) -> BankLookup:
    """Return the banks for ages, or none if the model knows no ages or its sentences take too long to encode."""
    if not pipeline.model_info.knows_gestation or pipeline.model.weights_from == "random":
        return lambda _: None  # a large model's sentences take longer than the measurement
    return pipeline.banks.gestation


def _from_film(pipeline: LoadedPipeline, clip: Path, bank: BankLookup, seconds: float) -> tuple[float, float]:
    """Play the film until the time is over; return the best run, since the first one also warms up."""
    best = (0.0, 0.0)
    end_s = time.perf_counter() + seconds
    while not best[0] or time.perf_counter() < end_s:
        with open_source(str(clip), spacing_mm=film.SPACING_MM) as source:
            best = max(best, pipeline_fps(pipeline, source, bank, max(LEAST_SECONDS, end_s - time.perf_counter())))
    return best


def _naive(pipeline: LoadedPipeline, load: Callable[[str], LoadedPipeline], clip: Path, seconds: float) -> float:
    float32 = pipeline if pipeline.model.dtype == torch.float32 else load("fp32")
    return naive_fps(float32.model, pipeline.banks, clip, seconds)


def _rates(pipeline: LoadedPipeline, images_a_second: float) -> dict[str, Any]:
    model = pipeline.model
    tower = openclip.image_tower(model.clip)
    flops = machine.flops_an_image(tower, model.image_size)
    rate = machine.matmul_flops(model.device, model.dtype)
    plain_rate = rate if model.dtype == torch.float32 else machine.matmul_flops(model.device, torch.float32)
    return {
        "gflop_an_image": flops / 1e9,
        "matmul_gflops": rate / 1e9,
        "matmul_gflops_fp32": plain_rate / 1e9,
        "matmul_ratio": rate / plain_rate,
        "matmul_fraction": images_a_second * flops / rate,
    }
