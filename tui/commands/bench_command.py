"""``fetalstream bench``: how fast a model is here, with the plain way of using it beside it in the same run."""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from fetalstream.tui.commands.loading import load
from fetalstream.tui.settings.settings import ModelSettings


def bench(model: ModelSettings, *, seconds: float, size: tuple[int, int], as_json: bool) -> None:
    """Measures, and prints the result on standard output; one JSON object is the last line.

    Args:
        model: which, and on what.
        seconds: of measuring; loading comes on top.
        size: width and height of the frames.
        as_json: nothing but that line.

    Raises:
        ModelError, ConfigError: the model cannot be used.
    """
    from fetalstream.pipeline.bench.plan import run_bench
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline

    def loaded(precision: str) -> LoadedPipeline:
        return load(msgspec.structs.replace(model, precision=precision) if precision else model, _say)

    result = run_bench(loaded, seconds=seconds, size=size, progress=_say)
    if not as_json:
        print("\n".join(words(result)))
    print(json.dumps(result, allow_nan=False))


def words(said: dict[str, Any]) -> list[str]:
    """The result for people, a line each."""
    machine = said["machine"]
    width, height = said["size"]
    rows = [
        f"{said['model']} ({said['weights']} weights) in {said['precision']} on {said['device']}, {width}x{height}",
        f"  machine         {machine['gpu'] or machine['cpu']}, {machine['cores']} cores, torch {machine['torch']}",
        f"  encoder alone   {said['encoder_fps']:.1f} frames/s, {said['matmul_fraction']:.0%} of what the device "
        "multiplies",
        f"  whole pipeline  {said['pipeline_fps']:.1f} frames/s from a film, {said['pipeline_fps_without_decode']:.1f} "
        f"without decoding; {said['encoder_share']:.0%} of the time in the encoder",
        f"  plain loop      {said['naive_fps']:.1f} frames/s; the pipeline is {said['ratio']:.2f} times as fast",
        f"  all the rest    {said['overhead_cpu_ms']:.2f} ms of processor time a frame, but for decoding and encoder",
    ]
    for load_of in said["load"]:
        latency = load_of["latency_ms"]
        rows.append(
            f"  {load_of['streams']:>2} at 60 frames/s  p50 {_ms(latency['p50'])}, p99 {_ms(latency['p99'])}, "
            f"max {_ms(latency['max'])}; {load_of['fps']:.0f} of {load_of['offered_fps']:.0f} frames/s, "
            f"{load_of['dropped']} dropped"
        )
    return rows


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
