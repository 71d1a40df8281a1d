"""``fetalstream report``: one page of a session that any browser opens, years later too."""

from __future__ import annotations

import argparse
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.option_parts import Commands, add_command, session_argument
from fetalstream.tui.run.model_loading import versions

if TYPE_CHECKING:
    from fetalstream.tui.report.plots import Growth
    from fetalstream.tui.state.scan_protocol import Protocol

REPORT: Final = "report.html"
MOST_EXAMS: Final = 60
"""Examinations on one page, the newest ones; a page of more takes minutes to draw, and a browser long to show."""

_CHART_WEEKS: Final = (14.0, 40.0)  # what the WHO charts cover
_STEP_WEEKS: Final = 0.5


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = add_command(
        commands,
        "report",
        "write one page of a past session, for any browser",
        "One HTML file that fetches nothing: planes over time, best frames, age, views, decisions, settings.",
    )
    session_argument(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="where it goes (report.html in the session's folder)")
    parser.add_argument("--protocol", metavar="NAME", help="other views than those that were collected")
    return parser


def run(options: argparse.Namespace) -> int:
    """Write the page and print where it is.

    Raises:
        RecordingError: it is no session.
        ProtocolError: the protocol of views cannot be used.
    """
    from fetalstream.tui.record.replay import Recording
    from fetalstream.tui.settings.scan_protocols import known_protocol, read_protocol

    if options.protocol is not None:
        protocol = read_protocol(options.protocol)
    else:
        with closing(Recording(options.session)) as recording:
            protocol = known_protocol(recording.protocol())
    print(write_report(options.session, options.out, protocol=protocol))
    return DONE


def write_report(session: Path, out: Path | None = None, *, protocol: Protocol | None = None) -> Path:
    """Write the report of a session, which may still be recorded; the page holds what has been committed until now.

    It may be called from any thread, from one at a time (matplotlib's settings are the process's).

    Args:
        session: its folder.
        out: the file; None for ``report.html`` in the session's folder.
        protocol: the views to collect; None for the model's own planes.

    Returns:
        The file; its mode is 0600.

    Raises:
        tui.record.replay.RecordingError: it is no session.
        OSError: the page could not be written; a page that was there before is untouched.
    """
    from fetalstream.tui.record.exams import exams_of
    from fetalstream.tui.record.replay import Recording
    from fetalstream.tui.record.session_files import write_whole
    from fetalstream.tui.report.page import rendered

    with closing(Recording(session)) as recording:
        found = exams_of(recording)
        exams = found[-MOST_EXAMS:]
        ages = {place: exam.view.gestation for place, exam in enumerate(exams)}
        contexts = {place: growth_context(age.days) for place, age in ages.items() if age is not None}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        page = rendered(
            recording,
            exams,
            contexts,
            protocol,
            left_out=len(found) - len(exams),
            written=now,
            version=versions().get("fetalstream", "not installed"),
        )
    path = session / REPORT if out is None else out
    write_whole(path, page.encode())
    return path


def growth_context(days: float) -> Growth:
    """Return an age beside the head sizes of the WHO growth charts; see `tui.report.plots.Growth`."""
    from fetalstream.streamer.growth import hadlock_age_days, intergrowth_age_days, who_hc_mm
    from fetalstream.tui.report.plots import Growth

    first, last = _CHART_WEEKS
    weeks = [first + _STEP_WEEKS * step for step in range(int((last - first) / _STEP_WEEKS) + 1)]
    head_mm = who_hc_mm(days / 7)
    # A head that is large for its age belongs to the youngest fetus that can have it, and the other way round.
    fits = [day for day in range(10 * 7, 42 * 7) if who_hc_mm(day / 7, 2.5) <= head_mm <= who_hc_mm(day / 7, 97.5)]
    return Growth(
        weeks=weeks,
        low_mm=[who_hc_mm(week, 2.5) for week in weeks],
        median_mm=[who_hc_mm(week) for week in weeks],
        high_mm=[who_hc_mm(week, 97.5) for week in weeks],
        head_mm=head_mm,
        low_days=min(fits, default=days),
        high_days=max(fits, default=days),
        hadlock_days=hadlock_age_days(head_mm),
        intergrowth_days=intergrowth_age_days(head_mm),
    )
