"""The state of the recording, from the recorder's reports. Pure: no clock and no files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

ReportState = Literal["recording", "not_recording", "died", "note"]


class RecorderReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something about the recording that people should see; the recorder's process writes each as a line of JSON.

    Attributes:
        state: "recording" into ``folder`` from now on; "not_recording", and "died" (from the recorder's supervisor),
            until the next "recording"; "note" changes nothing.
        folder: the session's, only with "recording".
        text: the reason, or the note itself; one line.
    """

    state: ReportState
    folder: str | None = None
    text: str = ""

    @property
    def words(self) -> str:
        """The report as people read it."""
        if self.state == "recording":
            return f"Recording into {self.folder}"
        return f"NOT RECORDING: {self.text}" if self.state == "not_recording" else self.text

    def line(self) -> str:
        """Return the report as a line of JSON; see `read_report`."""
        return msgspec.json.encode(self).decode()


def read_report(line: str) -> RecorderReport:
    """Return the report that a line of a process's log holds; any other line (of a traceback, say) is a note."""
    try:
        return msgspec.json.decode(line, type=RecorderReport)
    except msgspec.DecodeError:
        return RecorderReport(state="note", text=line)


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """The state of the recording.

    ``folder`` is the session's, None before anything was written; ``trouble`` says why nothing is written now, or is
    None.
    """

    folder: Path | None = None
    trouble: str | None = None

    @property
    def runs(self) -> bool:
        """True while messages are being written."""
        return self.folder is not None and self.trouble is None

    def after(self, report: RecorderReport) -> RecordingStatus:
        """Return the status once a report has come."""
        if report.state == "recording" and report.folder is not None:
            return RecordingStatus(Path(report.folder))
        if report.state in ("not_recording", "died"):
            return RecordingStatus(self.folder, report.text)
        return self
