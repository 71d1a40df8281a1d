"""``fetalstream demo``: a phantom on the dashboard, or analysed and judged against its truth."""

from __future__ import annotations

import argparse
import json
from typing import Any

from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands import option_values as values
from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.progress import say
from fetalstream.tui.commands.terminal import dashboard_of, on_terminal
from fetalstream.tui.run.model_loading import load
from fetalstream.tui.settings.chosen_model import chosen_model, given
from fetalstream.tui.settings.settings import ModelSettings, RunSettings, StreamSettings


def add(commands: parts.Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = parts.add_command(
        commands,
        "demo",
        "show what it does, on a made-up scan",
        "With a terminal: the dashboard over a phantom played live. Without one, or with --headless:\n"
        "every frame of the phantom as fast as the machine goes, judged against what it really shows.",
    )
    parser.add_argument("--headless", action="store_true", help="no dashboard: analyse and judge")
    parser.add_argument("--seconds", type=values.positive, metavar="N", default=60.0, help="of the scan, headless (60)")
    parser.add_argument("--seed", type=values.seed, metavar="S", default=7, help="which phantom (7)")
    parts.json_option(parser, "headless: print one JSON line last")
    parts.dashboard_options(parser)
    parts.model_options(parser)
    parts.recording_options(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Show the phantom on the dashboard, or analyse and judge it.

    Raises:
        ModelError, ConfigError: the model cannot be used.
        RunFailed: the live run failed.
    """
    if options.headless or options.json or not on_terminal():
        judge(options.seconds, options.seed, chosen_model(options, ModelSettings()), as_json=options.json)
        return DONE
    from fetalstream.tui.run.supervised_run import run_live

    settings = chosen_model(options, RunSettings(streams=(StreamSettings(source=f"phantom:{options.seed}"),)))
    run_live(given(settings, record=parts.recording_of(options)), dashboard_of(options), headless=False)
    return DONE


def judge(seconds: float, seed: int, model: ModelSettings, *, as_json: bool) -> None:
    """Analyse a phantom and print how right the model was.

    Args:
        seconds: of media time to analyse.
        seed: which phantom.
        model: which model, and on what.
        as_json: one JSON object on the last line, nothing else on standard output.

    Raises:
        ModelError, ConfigError: the model cannot be used.
    """
    ready = load(model, say)
    from fetalstream.pipeline.simulation.demo import run_demo

    result = run_demo(seconds, seed, ready, say)
    if as_json:
        print(json.dumps(result, allow_nan=False))
    else:
        print("\n".join(words(result)))


def words(result: dict[str, Any]) -> list[str]:
    """Return the result for people, in lines."""
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
