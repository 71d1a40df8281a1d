"""``fetalstream report``: one page of a session, to be opened anywhere, years later too."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fetalstream.tui.commands.loading import versions
from fetalstream.tui.record.replay import Recording
from fetalstream.tui.record.session_files import write_whole
from fetalstream.tui.state.scan_protocol import Protocol

if TYPE_CHECKING:
    from fetalstream.tui.report.plots import Growth

REPORT: Final = "report.html"
_CHART_WEEKS: Final = (14.0, 40.0)  # what the WHO charts cover
_STEP_WEEKS: Final = 0.5


def write_report(session: Path, out: Path | None = None, *, protocol: Protocol | None = None) -> Path:
    """Writes the report of a session, which may still be recorded; it holds what has been committed until now.

    It may be called from any thread, from one at a time (matplotlib's settings are the process's).

    Args:
        session: its folder.
        out: the file; None for ``report.html`` in the session's folder.
        protocol: the views to collect; None for the model's own planes.

    Returns:
        Where it is. Mode 0600.

    Raises:
        tui.record.replay.RecordingError: it is no session.
        OSError: the page could not be written; a page that was there before is untouched.
    """
    from fetalstream.tui.record.exams import exams_of
    from fetalstream.tui.report.page import rendered

    recording = Recording(session)
    try:
        exams = exams_of(recording)
        ages = {place: exam.view.gestation for place, exam in enumerate(exams)}
        contexts = {place: growth_context(age.days) for place, age in ages.items() if age is not None}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        page = rendered(
            recording, exams, contexts, protocol, written=now, version=versions().get("fetalstream", "not installed")
        )
    finally:
        recording.close()
    path = session / REPORT if out is None else out
    write_whole(path, page.encode())
    return path


def growth_context(days: float) -> Growth:
    """Where an age stands among the WHO's heads; see `tui.report.plots.Growth`."""
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
