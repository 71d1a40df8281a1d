"""The options of the commands about models and what they are worth: models, bench, eval, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fetalstream.tui.commands import option_values as values
from fetalstream.tui.commands.option_parts import Commands, command, json_option, model_options, spacing_option


def _models(commands: Commands) -> None:
    parser = command(commands, "models", "list, download and check models")
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    command(what, "list", "list models, and whether their weights are on this machine")
    pull = command(what, "pull", "download a model's weights, and check them")
    pull.add_argument("name", metavar="NAME")
    verify = command(what, "verify", "check that weights are what they should be, and fit")
    verify.add_argument("names", nargs="*", metavar="NAME", help="all that are on this machine if none is given")
    _parity(what)


def _parity(commands: Commands) -> None:
    parser = command(
        commands,
        "parity",
        "compare a precision or a device with float32",
        "Features, planes and ages on the same frames. A precision that fails is never chosen by auto from then on.",
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="real frames: videos, folders (made-up scans)")
    parser.add_argument("--frames", type=values.seed, metavar="N", default=400, help="at most so many (400)")
    json_option(parser)
    spacing_option(parser)
    model_options(parser)


def _bench(commands: Commands) -> None:
    parser = command(
        commands,
        "bench",
        "measure throughput and latency, with the plain loop beside it",
        "The last line is one JSON object. --weights random measures a model whose weights are not here.",
    )
    parser.add_argument("--seconds", type=values.positive, metavar="N", default=60.0, help="of measuring (60)")
    parser.add_argument("--size", type=values.size, metavar="WxH", default=(640, 480), help="of the frames (640x480)")
    parser.add_argument("--json", action="store_true", help="nothing but the JSON line")
    model_options(parser)


def _eval(commands: Commands) -> None:
    parser = command(commands, "eval", "judge a model on published data, or score what was saved")
    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    for name, what in (
        ("planes", "standard planes on FETAL_PLANES_DB, with its pictures of no plane beside them"),
        ("brain", "the brain's subplanes on FETAL_PLANES_DB"),
        ("hc18", "gestational age on HC18"),
    ):
        task = command(tasks, name, what)
        task.add_argument("--data", type=Path, metavar="DIR", required=True, help="folder of the data set, unpacked")
        task.add_argument("--predictions", type=Path, metavar="FILE", help="write one CSV row a picture")
        if name == "planes":
            task.add_argument(
                "--fit", type=values.model_file, metavar="FILE.toml",
                help="fit when to say 'other' on half of the patients, write a model file, and judge the other half",
            )  # fmt: skip
        json_option(task)
        model_options(task)
    phantom = command(tasks, "phantom", "decisions over time, best frames and ages against the phantom's truth")
    phantom.add_argument(
        "--exams",
        action="store_true",
        help="short examinations of the brain instead, one a seed: how good is their age",
    )
    phantom.add_argument(
        "--seeds", type=values.seeds, metavar="SEEDS", help="FIRST-LAST or a list (100-119; with --exams 2000-2239)"
    )
    phantom.add_argument("--seconds", type=float, default=60.0, help="of each scan (default 60)")
    phantom.add_argument("--predictions", type=Path, metavar="FILE", help="write one CSV row a frame")
    json_option(phantom)
    model_options(phantom)
    scores = command(tasks, "gestation-scores", "saved dot products of ages, as FetalCLIP publishes them")
    scores.add_argument("file", type=Path, metavar="FILE")
    scores.add_argument("--sizes", type=Path, metavar="CSV", required=True, help="HC18's table, in the same order")
    json_option(scores)
    saved = command(tasks, "predictions", "saved predictions of planes, JSON or CSV")
    saved.add_argument("file", type=Path, metavar="FILE")
    json_option(saved)


def _doctor(commands: Commands) -> None:
    parser = command(commands, "doctor", "tell what is installed, what is missing, and how fast it runs here")
    parser.add_argument("--model", metavar="NAME", default="mini", help="measure this one (mini)")


ADDERS: Final = (_models, _bench, _eval, _doctor)
