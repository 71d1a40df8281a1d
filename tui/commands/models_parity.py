"""``fetalstream models parity``: a precision or a device compared with float32; ``auto`` goes by the result."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands import option_values as values
from fetalstream.tui.commands.exit_codes import DONE, FAILED
from fetalstream.tui.commands.progress import say
from fetalstream.tui.run.model_loading import load
from fetalstream.tui.settings.chosen_model import chosen_model
from fetalstream.tui.settings.settings import ModelSettings

if TYPE_CHECKING:
    from fetalstream.streamer.frame import Frame

SEEDS = range(100, 110)
EVERY = 15
"""Frames of the phantom are taken half a second apart, so that they differ."""


def add(tasks: parts.Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = parts.add_command(
        tasks,
        "parity",
        "compare a precision or a device with float32",
        "Features, planes and ages on the same frames. A precision that fails is never chosen by auto from then on.",
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="real frames: videos, folders (made-up scans)")
    parser.add_argument("--frames", type=values.seed, metavar="N", default=400, help="at most so many (400)")
    parts.json_option(parser)
    parts.spacing_option(parser)
    parts.model_options(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Compare the precision with float32; failed if the precision may not be used.

    Raises:
        ModelError, ConfigError, SourceError: see `parity`.
    """
    settings = chosen_model(options, ModelSettings())
    usable = parity(settings, options.sources, spacing_mm=options.spacing, frames=options.frames, as_json=options.json)
    return DONE if usable else FAILED


def parity(model: ModelSettings, sources: list[str], *, spacing_mm: float | None, frames: int, as_json: bool) -> bool:
    """Compare a precision or a device with float32, print the differences and keep the verdict for ``auto``.

    Args:
        model: with the precision and device to be judged.
        sources: videos, folders of images or phantoms; if empty, the phantoms of ``SEEDS``.
        spacing_mm: mm per pixel of the sources' frames; None leaves ages out.
        frames: how many frames to compare at most.
        as_json: print one line of JSON instead of words.

    Returns:
        Whether the precision may be used.

    Raises:
        ModelError, ConfigError, SourceError: one line that says what to do.
    """
    from fetalstream.pipeline.evaluation.precision import compare, precision_result_of
    from fetalstream.pipeline.model import precision_cache

    reference = load(msgspec.structs.replace(model, precision="fp32", device="cpu"), say)
    candidate = load(model, say)
    pictures = itertools.islice(_frames(sources, spacing_mm), frames)
    found = compare(reference, candidate, pictures)
    precision_cache.save(precision_result_of(found, candidate.model.weights_sha256))
    if as_json:
        print(json.dumps(found.to_dict(), allow_nan=False))
        return not found.reasons
    days = "not compared" if found.median_age_change_days is None else f"{found.median_age_change_days:g} days (median)"
    print(f"{found.model} in {found.precision} on {found.device} against float32, {found.frames} frames")
    print(f"  features            agree to {found.centred_cosine:.5f} (batch mean taken off)")
    print(f"  same plane          {found.top1_agreement:.2%}")
    print(f"  probabilities       change by {found.largest_probability_change:.4f} at most")
    print(f"  gestational ages    {days}")
    print("It may be used." if not found.reasons else f"auto will not use it: {'; '.join(found.reasons)}.")
    return not found.reasons


def _frames(sources: list[str], spacing_mm: float | None) -> Iterator[Frame]:
    from fetalstream.streamer.phantom.source import PhantomSource
    from fetalstream.streamer.sources import open_source

    for name in sources:
        with open_source(name, spacing_mm=spacing_mm) as source:
            yield from source
    if not sources:
        phantoms = [PhantomSource(seed) for seed in SEEDS]
        yield from (phantom.frame(index) for index in itertools.count(0, EVERY) for phantom in phantoms)
