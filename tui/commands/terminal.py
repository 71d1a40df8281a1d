"""The terminal that a command was started in, and the dashboard's options for it."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fetalstream.tui.run.supervised_run import DashboardOptions


def on_terminal() -> bool:
    """Return whether a dashboard can be drawn here.

    Textual draws on standard error. If it was given another driver, a browser stands at the other end of the pipes.
    """
    terminals = (sys.stdin, sys.stdout, sys.stderr)
    return "TEXTUAL_DRIVER" in os.environ or all(each.isatty() for each in terminals)


def require_terminal(command: str) -> None:
    """Refuse a command that draws if there is no terminal.

    Raises:
        RunFailed: there is none.
    """
    from fetalstream.tui.run.foreground import RunFailed

    if not on_terminal():
        raise RunFailed(f"{command} draws on a terminal, and this is none: run it in one, its outputs not redirected")


def dashboard_of(options: argparse.Namespace, *, read_only: bool = False) -> DashboardOptions:
    """Return what was given of `tui.commands.option_parts.dashboard_options`."""
    from fetalstream.tui.run.supervised_run import DashboardOptions

    return DashboardOptions(options.protocol, read_only, options.pictures)
