"""``fetalstream bench``: how fast a model is here, with the plain way of using it beside it in the same run."""

from __future__ import annotations

import argparse
import json
from typing import Any

import msgspec

from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands import option_values as values
from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.progress import say
from fetalstream.tui.run.model_loading import load
from fetalstream.tui.settings.chosen_model import chosen_model
from fetalstream.tui.settings.settings import ModelSettings


def add(commands: parts.Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = parts.add_command(
        commands,
        "bench",
        "measure throughput and latency, with the plain loop beside it",
        "The last line is one JSON object. --weights random measures a model whose weights are not here.",
    )
    parser.add_argument("--seconds", type=values.positive, metavar="N", default=60.0, help="of measuring (60)")
    parser.add_argument("--size", type=values.size, metavar="WxH", default=(640, 480), help="of the frames (640x480)")
    parts.json_option(parser, "nothing but the JSON line")
    parts.model_options(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Measure, and print the result.

    Raises:
        ModelError, ConfigError: the model cannot be used.
    """
    bench(chosen_model(options, ModelSettings()), seconds=options.seconds, size=options.size, as_json=options.json)
    return DONE


def bench(model: ModelSettings, *, seconds: float, size: tuple[int, int], as_json: bool) -> None:
    """Measure, and print the result on standard output; one JSON object is the last line.

    Args:
        model: which model, and on what device.
        seconds: how long to measure; loading comes on top.
        size: width and height of the frames.
        as_json: nothing but that line.

    Raises:
        ModelError, ConfigError: the model cannot be used.
    """
    from fetalstream.pipeline.bench.plan import run_bench
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline

    def loaded(precision: str) -> LoadedPipeline:
        return load(msgspec.structs.replace(model, precision=precision) if precision else model, say)

    result = run_bench(loaded, seconds=seconds, size=size, progress=say)
    if not as_json:
        print("\n".join(words(result)))
    print(json.dumps(result, allow_nan=False))


def words(result: dict[str, Any]) -> list[str]:
    """Return the result for people, in lines."""
    machine = result["machine"]
    width, height = result["size"]
    rows = [
        f"{result['model']} ({result['weights']} weights) in {result['precision']} on {result['device']}, "
        f"{width}x{height}",
        f"  machine         {machine['gpu'] or machine['cpu']}, {machine['cores']} cores, torch {machine['torch']}",
        f"  encoder alone   {result['encoder_fps']:.1f} frames/s, {result['matmul_fraction']:.0%} of what the device "
        "multiplies",
        f"  whole pipeline  {result['pipeline_fps']:.1f} frames/s from a film, "
        f"{result['pipeline_fps_without_decode']:.1f} without decoding; "
        f"{result['encoder_share']:.0%} of the time in the encoder",
        f"  plain loop      {result['naive_fps']:.1f} frames/s; the pipeline is {result['ratio']:.2f} times as fast",
        f"  all the rest    {result['overhead_cpu_ms']:.2f} ms of processor time a frame, but for decoding and encoder",
    ]
    for load_of in result["load"]:
        latency = load_of["latency_ms"]
        rows.append(
            f"  {load_of['streams']:>2} at 60 frames/s  p50 {_ms(latency['p50'])}, p99 {_ms(latency['p99'])}, "
            f"max {_ms(latency['max'])}; {load_of['fps']:.0f} of {load_of['offered_fps']:.0f} frames/s, "
            f"{load_of['dropped']} dropped"
        )
    return rows


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
