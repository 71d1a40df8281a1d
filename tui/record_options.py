"""The options of the commands about what stays: report, export, purge."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tui.option_parts import Commands, command


def _report(commands: Commands) -> None:
    parser = command(
        commands,
        "report",
        "write one page of a past session, for any browser",
        "One HTML file that fetches nothing: planes over time, best frames, age, views, decisions, settings.",
    )
    parser.add_argument("session", type=Path, metavar="SESSION", help="its folder")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where it goes (report.html in the session's folder)")
    parser.add_argument("--protocol", metavar="NAME", help="views to collect, as for run")


ADDERS: Final = (_report,)
