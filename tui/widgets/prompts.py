"""Small questions over the dashboard: a line of text, or a choice from a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from fetalstream.tui.state.text import plain
from fetalstream.tui.widgets import palette

MAX_WORDS = 200


def _hint(*pairs: tuple[str, str]) -> Text:
    text = Text("\n")
    for key, meaning in pairs:
        text.append(key, style=palette.ACCENT).append(f" {meaning}    ", style=palette.MUTED)
    return text


class AskLine(ModalScreen[str | None]):
    """Asks for one line of text; the answer is None if the operator leaves.

    Args:
        title: fixed words.
        question: one line above.
        value: the text to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave")]

    def __init__(self, title: str, question: str, value: str = "") -> None:
        super().__init__()
        self._title, self._question, self._value = title, question, value

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog asking") as box:
            box.border_title = self._title
            yield Static(Text(self._question, style=palette.TEXT), markup=False)
            yield Input(self._value, max_length=MAX_WORDS, compact=True)
            yield Static(_hint(("enter", "done"), ("esc", "leave")), markup=False)

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        self.dismiss(plain(event.value, MAX_WORDS))


class Choose(ModalScreen[int | None]):
    """Asks for one line of a list; the answer is its index, None if the operator leaves.

    Args:
        title: fixed words.
        choices: lines; nothing in them is read as markup.
        chosen: the index that is highlighted first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "Leave")]

    def __init__(self, title: str, choices: Sequence[str], chosen: int = 0) -> None:
        super().__init__()
        self._title, self._choices, self._chosen = title, choices, chosen

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog choosing") as box:
            box.border_title = self._title
            yield OptionList(*(Option(Text(plain(line, 70))) for line in self._choices), markup=False, compact=True)
            yield Static(_hint(("enter", "choose"), ("esc", "leave")), markup=False)

    def on_mount(self) -> None:
        """Highlight the first choice."""
        self.query_one(OptionList).highlighted = self._chosen if self._choices else None

    @on(OptionList.OptionSelected)
    def _done(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)
