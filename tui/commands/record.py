"""``fetalstream record``: the recorder alone, beside an engine that runs already."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.option_parts import Commands, add_command
from fetalstream.tui.commands.progress import say


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = add_command(commands, "record", "record an engine that runs already")
    parser.add_argument("endpoint", nargs="?", metavar="ENDPOINT", help="of the engine (your newest)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of sessions (your own data folder)")
    return parser


def run(options: argparse.Namespace) -> int:
    """Record until the engine says goodbye or a signal comes.

    Raises:
        NoEndpoint: ENDPOINT is none.
    """
    from fetalstream.tui.record.recorder import record
    from fetalstream.tui.record.session_files import sessions_folder

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    record(options.endpoint, options.out or sessions_folder(), stop, report=lambda report: say(report.words))
    return DONE
