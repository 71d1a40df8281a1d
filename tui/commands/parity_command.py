"""``fetalstream models parity``: a precision or a device against float32, and the verdict kept for ``auto``."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from fetalstream.tui.commands.loading import load
from fetalstream.tui.settings.settings import ModelSettings

if TYPE_CHECKING:
    from fetalstream.streamer.frame import Frame

SEEDS = range(100, 110)
EVERY = 15
"""Frames of the phantom lie half a second apart, so that they differ."""


def parity(model: ModelSettings, sources: list[str], *, spacing_mm: float | None, frames: int, as_json: bool) -> bool:
    """Compares, prints what was found on standard output, and remembers it; whether the precision may be used.

    Args:
        model: with the precision and device to be judged.
        sources: videos, folders of images or phantoms; none for some of the phantoms.
        spacing_mm: of the sources' frames; ages are compared where it is known.
        frames: how many at most.
        as_json: one line of JSON.

    Raises:
        ModelError, ConfigError, SourceError: one line that says what to do.
    """
    from fetalstream.pipeline.evaluation.precision import compare, precision_result_of
    from fetalstream.pipeline.model import precision_cache

    reference = load(msgspec.structs.replace(model, precision="fp32", device="cpu"), _say)
    candidate = load(model, _say)
    pictures = itertools.islice(_frames(sources, spacing_mm), frames)
    found = compare(reference, candidate, pictures)
    precision_cache.save(precision_result_of(found, candidate.model.weights_sha256))
    if as_json:
        print(json.dumps(found.plain(), allow_nan=False))
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


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
