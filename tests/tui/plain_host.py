"""The dashboard's host without a screen: questions are noted and answered by the test, work waits until it is run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from fetalstream.tui.state import scan_protocol
from fetalstream.tui.state.freshness import Tone
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.state.session import Session


@dataclass
class Question:
    """One question to the operator: a line, a choice, or (neither ``value`` nor ``choices``) yes or no."""

    title: str
    answer: Callable[[Any], None]
    question: str = ""
    value: str = ""
    choices: tuple[str, ...] = ()


@dataclass
class PlainHost:
    """``lines``: all that was said, the last still shown; ``questions``: asked and not answered yet."""

    session: Session = field(default_factory=Session)
    selected: str | None = None
    protocol: scan_protocol.Protocol | None = None
    recording: RecordingStatus = field(default_factory=RecordingStatus)
    lines: list[tuple[str, Tone]] = field(default_factory=list)
    shown: bool = False
    redrawn: int = 0
    questions: list[Question] = field(default_factory=list)
    work: list[tuple[str, Coroutine[Any, Any, None]]] = field(default_factory=list)

    @property
    def said(self) -> tuple[str, Tone] | None:
        return self.lines[-1] if self.shown and self.lines else None

    def say(self, words: str, tone: Tone) -> None:
        self.lines.append((words, tone))
        self.shown = True

    def unsay(self) -> None:
        self.shown = False

    def redraw(self) -> None:
        self.redrawn += 1

    def ask_line(self, title: str, question: str, answered: Callable[[str | None], None], value: str = "") -> None:
        self.questions.append(Question(title, answered, question=question, value=value))

    def choose(
        self, title: str, choices: Sequence[str], answered: Callable[[int | None], None], chosen: int = 0
    ) -> None:
        self.questions.append(Question(title, answered, value=choices[chosen], choices=tuple(choices)))

    def confirm_new_exam(self, stream: str, answered: Callable[[bool | None], None]) -> None:
        self.questions.append(Question(f"new exam on {stream}", answered))

    def start(self, work: Coroutine[Any, Any, None], group: str, *, exclusive: bool = False) -> None:
        self.work.append((group, work))

    # For tests -------------------------------------------------------------------------------------------------

    def answer(self, with_: Any) -> Question:
        """Answer the newest question."""
        question = self.questions.pop()
        question.answer(with_)
        return question

    async def run(self) -> list[str]:
        """Do all work that was started, in order; its groups."""
        groups: list[str] = []
        while self.work:
            group, work = self.work.pop(0)
            groups.append(group)
            await work
        return groups
