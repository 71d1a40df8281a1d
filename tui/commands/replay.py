"""``fetalstream replay``: a past session on the dashboard."""

from __future__ import annotations

import argparse

from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.terminal import dashboard_of, require_terminal


def add(commands: parts.Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = parts.add_command(commands, "replay", "show a past session on the dashboard")
    parts.session_argument(parser)
    parts.dashboard_options(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Show the session until the dashboard is left.

    Raises:
        RunFailed: there is no terminal.
        RecordingError: it is no session.
    """
    from fetalstream.tui.run.supervised_run import replay

    require_terminal("replay")
    replay(options.session, dashboard_of(options))
    return DONE
