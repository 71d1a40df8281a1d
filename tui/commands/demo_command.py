"""``fetalstream demo --headless``: the phantom analysed and judged against its truth, in words or as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from fetalstream.tui.commands.loading import load
from fetalstream.tui.settings.settings import ModelSettings


def demo(seconds: float, seed: int, model: ModelSettings, *, as_json: bool) -> None:
    """Analyses and judges; prints the result on standard output, the JSON line last.

    Args:
        seconds: of media time.
        seed: of the phantom.
        model: which model, and on what.
        as_json: one JSON object on the last line, nothing else on standard output.

    Raises:
        ModelError, ConfigError: the model cannot be used.
    """
    ready = load(model, _say)
    from fetalstream.pipeline.simulation.demo import run_demo

    result = run_demo(seconds, seed, ready, _say)
    if as_json:
        print(json.dumps(result, allow_nan=False))
    else:
        print("\n".join(words(result)))


def words(result: dict[str, Any]) -> list[str]:
    """The result for people, a line each."""
    calibrated = "" if result["calibrated"] else ", UNCALIBRATED"
    return [
        f"Phantom {result['seed']}, {result['seconds']:g} s at 30 fps, model {result['model']}{calibrated}",
        f"  frames          {result['captured']} captured, {result['analysed']} analysed, {result['reused']} reused, "
        f"{result['dropped']} dropped, {result['failed']} failed",
        f"  speed           {result['fps']:.0f} frames/s, drawing included",
        f"  right decision  {_percent(result['plane_accuracy'])} of {result['scored_frames']} frames",
        f"  no plane        {_percent(result['other_recall'])} of the frames that show none recognised",
        f"  age             {_days(result['gestation_median_error_days'], result['gestation_frames'])}",
        result["notice"],
    ]


def _percent(share: float | None) -> str:
    return "nothing to judge" if share is None else f"{share:.1%}"


def _days(error: float | None, frames: int) -> str:
    return "none read" if error is None else f"median error {error:.1f} days on {frames} brain frames"


def _say(line: str) -> None:
    print(line, file=sys.stderr)
