"""The options of every command, and their help."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipeline.wire import NOTICE
from tui import record_options
from tui.option_parts import Commands as _Commands
from tui.option_parts import Help, Parser
from tui.option_parts import Options as _Options
from tui.option_parts import command as _command

SOURCES: Final = """\
SOURCE is a video file, an image, a folder of images, a DICOM file or a folder of them, a capture
card (camera:0, or what fetalstream sources lists, with ?format=mjpeg&size=1920x1080&rate=60
&deinterlace=on where you want them), an address (rtsp, rtsps, http, https, srt, udp or
tcp://host...), OpenIGTLink (igtl://host:port, with /DEVICE where several pictures are sent), or
phantom:SEED (a made-up scan).
Press ? in the dashboard for its keys. Sessions are recorded unless --no-record is given."""

FIRST_TRAINING_SEED: Final = 1_000_000  # as streamer.phantom.tour has it, which would load OpenCV here


def build_parser(version: str) -> argparse.ArgumentParser:
    """The parser of ``fetalstream``."""
    parser = Parser(
        prog="fetalstream",
        description="Standard planes and gestational age from fetal ultrasound, frame by frame, as it is scanned.",
        epilog=NOTICE,
        formatter_class=Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fetalstream {version}")
    parser.add_argument("--debug", action="store_true", help="show where an error came from, not one line only")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    adders = (
        _demo, _run, _calibrate, _watch, _record, _analyze, _replay, _search, _models, _bench, _sources, _eval, _doctor,
        *record_options.ADDERS,
    )  # fmt: skip
    for add in adders:
        add(commands)
    return parser


def _demo(commands: _Commands) -> None:
    parser = _command(
        commands,
        "demo",
        "show what it does, on a made-up scan",
        "With a terminal: the dashboard over a phantom played live. Without one, or with --headless:\n"
        "every frame of the phantom as fast as the machine goes, judged against what it really shows.",
    )
    parser.add_argument("--headless", action="store_true", help="no dashboard: analyse and judge")
    parser.add_argument("--seconds", type=_positive, metavar="N", default=60.0, help="of the scan, headless (60)")
    parser.add_argument("--seed", type=_seed, metavar="S", default=7, help="which phantom (7)")
    parser.add_argument("--json", action="store_true", help="headless: print one JSON line last")
    _protocol_option(parser)
    _model_options(parser)
    _recording_options(parser)


def _run(commands: _Commands) -> None:
    parser = _command(commands, "run", "analyse sources live, with the dashboard", SOURCES)
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="one or more")
    parser.add_argument("--config", type=Path, metavar="FILE", help="streams and options from a TOML file")
    parser.add_argument("--headless", action="store_true", help="a status line instead of the dashboard")
    parser.add_argument("--embeddings", action="store_true", help="keep image vectors, for search")
    _protocol_option(parser)
    _model_options(parser)
    _scale_options(parser)
    _sector_options(parser)
    parser.add_argument("--pub", metavar="ENDPOINT", help="publish here, for example tcp://127.0.0.1:5556")
    parser.add_argument("--control", metavar="ENDPOINT", help="take commands here (the port after --pub)")
    _recording_options(parser)


def _watch(commands: _Commands) -> None:
    parser = _command(commands, "watch", "show the dashboard over an engine that runs already")
    parser.add_argument("endpoint", nargs="?", metavar="ENDPOINT", help="of the engine (your newest)")
    parser.add_argument("--read-only", action="store_true", help="look, and change nothing")
    parser.add_argument(
        "--web", nargs="?", type=_port, const=0, metavar="PORT", help="in a browser on this machine (any free port)"
    )
    _protocol_option(parser)


def _record(commands: _Commands) -> None:
    parser = _command(commands, "record", "record an engine that runs already")
    parser.add_argument("endpoint", nargs="?", metavar="ENDPOINT", help="of the engine (your newest)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of sessions (your own data folder)")


def _analyze(commands: _Commands) -> None:
    parser = _command(
        commands,
        "analyze",
        "analyse files offline, every frame",
        "PATH is a video file, an image, or a folder of images; each is an examination of its own.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="one or more")
    parser.add_argument("--out", type=Path, metavar="DIR", help="record a session in this folder")
    parser.add_argument("--embeddings", action="store_true", help="keep image vectors in the session, for search")
    parser.add_argument("--jsonl", metavar="FILE", help="write readings here, one JSON object a line; - is stdout")
    _model_options(parser)
    _scale_options(parser)
    _sector_options(parser)


def _replay(commands: _Commands) -> None:
    parser = _command(commands, "replay", "show a past session on the dashboard")
    parser.add_argument("session", type=Path, metavar="SESSION", help="its folder")
    _protocol_option(parser)


def _search(commands: _Commands) -> None:
    parser = _command(commands, "search", "find the moments of a session that fit a sentence")
    parser.add_argument("session", type=Path, metavar="SESSION", help="recorded with --embeddings")
    parser.add_argument("text", metavar="TEXT", help="for example: four-chamber view")
    parser.add_argument("--top", type=int, metavar="N", default=10, help="how many (10)")
    parser.add_argument("--json", action="store_true", help="one JSON line")
    _model_options(parser)


def _models(commands: _Commands) -> None:
    parser = _command(commands, "models", "list, download and check models")
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    _command(what, "list", "list models, and whether their weights are on this machine")
    pull = _command(what, "pull", "download a model's weights, and check them")
    pull.add_argument("name", metavar="NAME")
    verify = _command(what, "verify", "check that weights are what they should be, and fit")
    verify.add_argument("names", nargs="*", metavar="NAME", help="all that are on this machine if none is given")
    _parity(what)


def _parity(commands: _Commands) -> None:
    parser = _command(
        commands,
        "parity",
        "compare a precision or a device with float32",
        "Features, planes and ages on the same frames. A precision that fails is never chosen by auto from then on.",
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="real frames: videos, folders (made-up scans)")
    parser.add_argument("--frames", type=_seed, metavar="N", default=400, help="at most so many (400)")
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    _spacing_option(parser)
    _model_options(parser)


def _bench(commands: _Commands) -> None:
    parser = _command(
        commands,
        "bench",
        "measure throughput and latency, with the plain loop beside it",
        "The last line is one JSON object. --weights random measures a model whose weights are not here.",
    )
    parser.add_argument("--seconds", type=_positive, metavar="N", default=60.0, help="of measuring (60)")
    parser.add_argument("--size", type=_size, metavar="WxH", default=(640, 480), help="of the frames (640x480)")
    parser.add_argument("--json", action="store_true", help="nothing but the JSON line")
    _model_options(parser)


def _sources(commands: _Commands) -> None:
    parser = _command(commands, "sources", "list the capture devices, and the formats that they offer")
    parser.add_argument("--json", action="store_true", help="one JSON line")


def _eval(commands: _Commands) -> None:
    parser = _command(commands, "eval", "judge a model on published data, or score what was saved")
    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    for name, what in (
        ("planes", "standard planes on FETAL_PLANES_DB, with its pictures of no plane beside them"),
        ("brain", "the brain's subplanes on FETAL_PLANES_DB"),
        ("hc18", "gestational age on HC18"),
    ):
        task = _command(tasks, name, what)
        task.add_argument("--data", type=Path, metavar="DIR", required=True, help="folder of the data set, unpacked")
        task.add_argument("--predictions", type=Path, metavar="FILE", help="write one CSV row a picture")
        if name == "planes":
            task.add_argument(
                "--fit", type=_model_file, metavar="FILE.toml",
                help="fit when to say 'other' on half of the patients, write a model file, and judge the other half",
            )  # fmt: skip
        _json_option(task)
        _model_options(task)
    phantom = _command(tasks, "phantom", "decisions over time, best frames and ages against the phantom's truth")
    phantom.add_argument(
        "--exams",
        action="store_true",
        help="short examinations of the brain instead, one a seed: how good is their age",
    )
    phantom.add_argument(
        "--seeds", type=_seeds, metavar="SEEDS", help="FIRST-LAST or a list (100-119; with --exams 2000-2239)"
    )
    phantom.add_argument("--seconds", type=float, default=60.0, help="of each scan (default 60)")
    phantom.add_argument("--predictions", type=Path, metavar="FILE", help="write one CSV row a frame")
    _json_option(phantom)
    _model_options(phantom)
    scores = _command(tasks, "gestation-scores", "saved dot products of ages, as FetalCLIP publishes them")
    scores.add_argument("file", type=Path, metavar="FILE")
    scores.add_argument("--sizes", type=Path, metavar="CSV", required=True, help="HC18's table, in the same order")
    _json_option(scores)
    saved = _command(tasks, "predictions", "saved predictions of planes, JSON or CSV")
    saved.add_argument("file", type=Path, metavar="FILE")
    _json_option(saved)


def _model_file(text: str) -> Path:
    if not text.endswith(".toml"):
        raise argparse.ArgumentTypeError(f"must be a file name that ends in .toml, got {text}")
    return Path(text)


def _seeds(text: str) -> list[int]:
    """``"100-119"`` or ``"7,8"``.

    Raises:
        argparse.ArgumentTypeError: no seeds, or some that models may have been trained on.
    """
    found: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"wanted FIRST-LAST or a list of numbers, got {text!r}") from None
    if not found or not all(0 <= seed < FIRST_TRAINING_SEED for seed in found):
        raise argparse.ArgumentTypeError(f"wanted seeds from 0 to {FIRST_TRAINING_SEED - 1}, got {text!r}")
    return list(dict.fromkeys(found))


def _json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON line")


def _doctor(commands: _Commands) -> None:
    parser = _command(commands, "doctor", "tell what is installed, what is missing, and how fast it runs here")
    parser.add_argument("--model", metavar="NAME", default="mini", help="measure this one (mini)")


def _model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument("--model", metavar="NAME", help="a name from models list, or a .toml file (mini)")
    group.add_argument("--weights", metavar="PATH", help='other weights for it; "random" for speed tests')
    group.add_argument("--prompts", metavar="DIR", help="other sentences")
    group.add_argument("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:1 (auto)")
    precisions = ("auto", "fp32", "bf16", "int8", "fp8")
    group.add_argument("--precision", choices=precisions, help="of the image encoder, where it can be had (auto)")


def _protocol_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--protocol", metavar="NAME", help="views to collect: isuog-midtrimester, fasp-20-week or a .toml file"
    )


def _sector_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--sector", type=_sector, metavar="X,Y,W,H", help="scan region; or auto: find it (auto), whole: mask nothing"
    )
    group.add_argument("--profile", metavar="NAME", help="scan region and ruler as calibrate has written them")


def _calibrate(commands: _Commands) -> None:
    parser = _command(
        commands,
        "calibrate",
        "find scan region and depth ruler, and remember them for a scanner",
        "Looks at a few frames of SOURCE, writes a picture of what it found, asks, and writes a profile for --profile.",
    )
    parser.add_argument("source", metavar="SOURCE", help="as for run; an image will do")
    parser.add_argument("--name", metavar="NAME", help="of the profile (asked for)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="where the picture goes (calibration.png)")
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON object, and ask nothing")


def _spacing_option(parser: _Options) -> None:
    parser.add_argument(
        "--spacing", type=_positive, metavar="MM", help="mm per pixel of the frames; gestational age needs it"
    )


def _scale_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    _spacing_option(group)
    group.add_argument("--depth-cm", type=_depth, metavar="CM", help="instead: what the scanner's depth is set to")


def _recording_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--record", metavar="DIR", help="folder of sessions (your own data folder)")
    group.add_argument("--no-record", action="store_true", help="keep nothing")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}")
    return value


def _depth(text: str) -> float:
    depth_cm = _positive(text)
    if depth_cm > 50:
        raise argparse.ArgumentTypeError(f"must be centimetres, 50 at most, got {text}")
    return depth_cm


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and 64 <= min(int(width), int(height)) <= 8192):
        raise argparse.ArgumentTypeError(f"must be like 640x480, got {text}")
    return int(width), int(height)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"must be a port below 65536, got {text}")
    return int(text)


def _sector(text: str) -> str | list[int]:
    if text in ("auto", "whole"):
        return text
    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        raise argparse.ArgumentTypeError(f"must be X,Y,W,H in whole pixels, auto or whole, got {text}")
    return [int(part) for part in parts]


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise argparse.ArgumentTypeError(f"must be a whole number of at most nine digits, got {text}")
    return int(text)


def parse(argv: Sequence[str] | None, version: str) -> argparse.Namespace:
    """The options; wrong ones end the process with code 2, after a line that says why, and none after the help."""
    parser = build_parser(version)
    given = sys.argv[1:] if argv is None else list(argv)
    if not given:
        parser.print_help(sys.stderr)
        raise SystemExit(2)
    options, unknown = parser.parse_known_args(given)
    if unknown:
        parser.error(
            f"{options.command}: not understood: {' '.join(unknown)}; see fetalstream {options.command} --help"
        )
    if options.command == "run" and not options.sources and options.config is None:
        parser.error("run: give a SOURCE, or --config FILE")
    if options.command == "analyze" and options.out is None and options.jsonl is None:
        parser.error("analyze: give --out DIR for a session, or --jsonl FILE")
    record_options.check(parser, options)
    return options
