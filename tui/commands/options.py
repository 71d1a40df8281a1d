"""The options of every command, and their help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.commands import measure_options, record_options
from fetalstream.tui.commands import option_values as values
from fetalstream.tui.commands.option_parts import Commands, HelpText, Parser, command, model_options, spacing_option

SOURCES: Final = """\
SOURCE is a video file, an image, a folder of images, a DICOM file or a folder of them, a capture
card (camera:0, or what fetalstream sources lists, with ?format=mjpeg&size=1920x1080&rate=60
&deinterlace=on where you want them), an address (rtsp, rtsps, http, https, srt, udp or
tcp://host...), OpenIGTLink (igtl://host:port, with /DEVICE where several pictures are sent), or
phantom:SEED (a made-up scan).
Press ? in the dashboard for its keys. Sessions are recorded unless --no-record is given."""


def build_parser(version: str) -> argparse.ArgumentParser:
    """The parser of ``fetalstream``."""
    parser = Parser(
        prog="fetalstream",
        description="Standard planes and gestational age from fetal ultrasound, frame by frame, as it is scanned.",
        epilog=NOTICE,
        formatter_class=HelpText,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fetalstream {version}")
    parser.add_argument("--debug", action="store_true", help="show where an error came from, not one line only")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    adders = (
        _demo, _run, _calibrate, _sources, _watch, _record, _analyze, _replay, _search,
        *record_options.ADDERS, *measure_options.ADDERS,
    )  # fmt: skip
    for add in adders:
        add(commands)
    return parser


def _demo(commands: Commands) -> None:
    parser = command(
        commands,
        "demo",
        "show what it does, on a made-up scan",
        "With a terminal: the dashboard over a phantom played live. Without one, or with --headless:\n"
        "every frame of the phantom as fast as the machine goes, judged against what it really shows.",
    )
    parser.add_argument("--headless", action="store_true", help="no dashboard: analyse and judge")
    parser.add_argument("--seconds", type=values.positive, metavar="N", default=60.0, help="of the scan, headless (60)")
    parser.add_argument("--seed", type=values.seed, metavar="S", default=7, help="which phantom (7)")
    parser.add_argument("--json", action="store_true", help="headless: print one JSON line last")
    _look_options(parser)
    model_options(parser)
    _recording_options(parser)


def _run(commands: Commands) -> None:
    parser = command(commands, "run", "analyse sources live, with the dashboard", SOURCES)
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="one or more")
    parser.add_argument("--config", type=Path, metavar="FILE", help="streams and options from a TOML file")
    parser.add_argument("--headless", action="store_true", help="a status line instead of the dashboard")
    parser.add_argument("--embeddings", action="store_true", help="keep image vectors, for search")
    _look_options(parser)
    model_options(parser)
    _scale_options(parser)
    _sector_options(parser)
    parser.add_argument("--pub", metavar="ENDPOINT", help="publish here, for example tcp://127.0.0.1:5556")
    parser.add_argument("--control", metavar="ENDPOINT", help="take commands here (the port after --pub)")
    _recording_options(parser)


def _watch(commands: Commands) -> None:
    parser = command(commands, "watch", "show the dashboard over an engine that runs already")
    parser.add_argument("endpoint", nargs="?", metavar="ENDPOINT", help="of the engine (your newest)")
    parser.add_argument("--read-only", action="store_true", help="look, and change nothing")
    parser.add_argument(
        "--web",
        nargs="?",
        type=values.port,
        const=0,
        metavar="PORT",
        help="in a browser on this machine (any free port)",
    )
    _look_options(parser)


def _record(commands: Commands) -> None:
    parser = command(commands, "record", "record an engine that runs already")
    parser.add_argument("endpoint", nargs="?", metavar="ENDPOINT", help="of the engine (your newest)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of sessions (your own data folder)")


def _analyze(commands: Commands) -> None:
    parser = command(
        commands,
        "analyze",
        "analyse files offline, every frame",
        "PATH is a video file, an image, or a folder of images; each is an examination of its own.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="one or more")
    parser.add_argument("--out", type=Path, metavar="DIR", help="record a session in this folder")
    parser.add_argument("--embeddings", action="store_true", help="keep image vectors in the session, for search")
    parser.add_argument("--jsonl", metavar="FILE", help="write readings here, one JSON object a line; - is stdout")
    model_options(parser)
    _scale_options(parser)
    _sector_options(parser)


def _replay(commands: Commands) -> None:
    parser = command(commands, "replay", "show a past session on the dashboard")
    parser.add_argument("session", type=Path, metavar="SESSION", help="its folder")
    _look_options(parser)


def _search(commands: Commands) -> None:
    parser = command(commands, "search", "find the moments of a session that fit a sentence")
    parser.add_argument("session", type=Path, metavar="SESSION", help="recorded with --embeddings")
    parser.add_argument("text", metavar="TEXT", help="for example: four-chamber view")
    parser.add_argument("--top", type=int, metavar="N", default=10, help="how many (10)")
    parser.add_argument("--json", action="store_true", help="one JSON line")
    model_options(parser)


def _sources(commands: Commands) -> None:
    parser = command(commands, "sources", "list the capture devices, and the formats that they offer")
    parser.add_argument("--json", action="store_true", help="one JSON line")


def _look_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--protocol", metavar="NAME", help="views to collect: isuog-midtrimester, fasp-20-week or a .toml file"
    )
    ways = ("auto", "blocks", "kitty")
    parser.add_argument("--pictures", choices=ways, default="auto", help="pixels where the terminal has them (auto)")


def _sector_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--sector",
        type=values.sector,
        metavar="X,Y,W,H",
        help="scan region; or auto: find it (auto), whole: mask nothing",
    )
    group.add_argument("--profile", metavar="NAME", help="scan region and ruler as calibrate has written them")


def _calibrate(commands: Commands) -> None:
    parser = command(
        commands,
        "calibrate",
        "find scan region and depth ruler, and remember them for a scanner",
        "Looks at a few frames of SOURCE, writes a picture of what it found, asks, and writes a profile for --profile.",
    )
    parser.add_argument("source", metavar="SOURCE", help="as for run; an image will do")
    parser.add_argument("--name", metavar="NAME", help="of the profile (asked for)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="where the picture goes (calibration.png)")
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON object, and ask nothing")


def _scale_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    spacing_option(group)
    group.add_argument(
        "--depth-cm", type=values.depth, metavar="CM", help="instead: what the scanner's depth is set to"
    )


def _recording_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--record", metavar="DIR", help="folder of sessions (your own data folder)")
    group.add_argument("--no-record", action="store_true", help="keep nothing")


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
