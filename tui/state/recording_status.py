"""Whether the session is being recorded, as the recorder itself tells it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

INTO: Final = "Recording into "
NOT_RECORDING: Final = "NOT RECORDING: "
DIED: Final = "The recorder died"


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """``folder``: the session's, None before anything was written; ``trouble``: why nothing is written now, or None."""

    folder: Path | None = None
    trouble: str | None = None

    @property
    def runs(self) -> bool:
        """Whether what comes is being recorded."""
        return self.folder is not None and self.trouble is None


def heard(tape: RecordingStatus, line: str) -> RecordingStatus:
    """The tape after a line of the recorder's, or of its supervisor's."""
    if line.startswith(INTO):
        return RecordingStatus(Path(line.removeprefix(INTO)))
    if line.startswith(NOT_RECORDING):
        return RecordingStatus(tape.folder, line.removeprefix(NOT_RECORDING))
    return RecordingStatus(tape.folder, line) if line.startswith(DIED) else tape
