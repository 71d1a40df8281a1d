"""The interface of the app to its parts (``Past``, ``Jobs``, ``Operator``, ``Connection``).

The parts know no Textual: the app fulfils this interface with its screens, and a test with a few lists.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from fetalstream.tui.state import scan_protocol
from fetalstream.tui.state.freshness import Tone
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.state.session import Session


class Host(Protocol):
    """The state that all parts share, and the ways to show something, to ask the operator and to start work.

    Attributes:
        session: all that is known of the engine now.
        selected: the name of the chosen stream; None before there is one.
        protocol: the views to collect; None for the model's own planes.
        recording: whether the session is being recorded, and where.
    """

    session: Session
    selected: str | None
    protocol: scan_protocol.Protocol | None
    recording: RecordingStatus

    @property
    def said(self) -> tuple[str, Tone] | None:
        """The line of ``say``, as long as it is shown."""
        ...

    def say(self, words: str, tone: Tone) -> None:
        """Show one line in the status row for a few seconds."""
        ...

    def unsay(self) -> None:
        """Take the line of ``say`` away."""
        ...

    def redraw(self) -> None:
        """Draw every part of the screen at the next tick."""
        ...

    def ask_line(self, title: str, question: str, answered: Callable[[str | None], None], value: str = "") -> None:
        """Ask for a line of text, ``value`` to begin with; ``answered`` gets None if the operator leaves."""
        ...

    def choose(
        self, title: str, choices: Sequence[str], answered: Callable[[int | None], None], chosen: int = 0
    ) -> None:
        """Ask for one of ``choices``; ``answered`` gets its index, or None if the operator leaves."""
        ...

    def confirm_new_exam(self, stream: str, answered: Callable[[bool | None], None]) -> None:
        """Ask whether a new examination is to begin on ``stream``."""
        ...

    def start(self, work: Coroutine[Any, Any, None], group: str, *, exclusive: bool = False) -> None:
        """Run ``work`` beside the drawing until the app ends; ``exclusive`` cancels what still runs in its group."""
        ...
