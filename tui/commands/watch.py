"""``fetalstream watch``: the dashboard over an engine that runs already, in this terminal or in a browser."""

from __future__ import annotations

import argparse
import sys

from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands import option_values as values
from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.progress import say
from fetalstream.tui.commands.terminal import dashboard_of, require_terminal


def add(commands: parts.Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = parts.add_command(commands, "watch", "show the dashboard over an engine that runs already")
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
    parts.dashboard_options(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Show the dashboard until it is left, or serve it to a browser until Ctrl+C.

    Raises:
        RunFailed: there is no terminal, or what the browser needs is not installed.
    """
    if options.web is not None:
        return _serve(options)
    from fetalstream.tui.run.supervised_run import watch

    require_terminal("watch")
    watch(options.endpoint, dashboard_of(options, read_only=options.read_only), _stops_orphan)
    return DONE


def _serve(options: argparse.Namespace) -> int:
    from fetalstream.tui.run.foreground import RunFailed

    try:
        from fetalstream.tui.run.web import serve
    except ModuleNotFoundError as error:
        raise RunFailed(f"{error.name} is missing: pip install 'fetalstream[web]'") from error
    arguments = ["watch", *filter(None, [options.endpoint]), *(["--read-only"] if options.read_only else [])]
    arguments += ["--protocol", options.protocol] if options.protocol is not None else []
    serve(arguments, say, options.web)
    return DONE


def _stops_orphan() -> bool:
    """Ask whether an engine without a foreground should end."""
    if not sys.stdin.isatty():
        return False  # nobody could answer
    say("This engine's own foreground is gone: nobody else will stop it.")
    return input("Stop it now? [y/N] ").strip().lower() in ("y", "yes")
