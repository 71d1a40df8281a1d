"""The help screen, and the question before a new exam."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from fetalstream.tui.state.text import plain
from fetalstream.tui.widgets import palette

_KEYS = (
    ("1 … 9, tab, o", "choose a stream; all streams at once"),
    ("p", "hold the screen; the engine goes on"),
    ("← →, end", "back and forth in time (shift: further); end: now"),
    ("m, f", "mark with a note; find a moment again"),
    ("s", "keep this frame as a snapshot"),
    ("v, b", "views in pictures; best frames: accept, reject, undo"),
    ("y", "protocol: the views to collect"),
    ("/, e, r", "ask in words; scale (mm per pixel); scan region"),
    ("n", "new exam: another patient"),
    ("+ -", "speed of a recording"),
    ("ctrl+p, t, q", "all commands; theme; quit"),
)
_MEANINGS = (
    ("bar and tick", "smoothed probability, and this frame's alone"),
    ("20w3d", "weeks and days since the last period; the 90% interval"),
    ("", "is the measurement's: fetuses of one age differ as well"),
    ("best, ago", "best frame of the plane in this exam, when it came"),
    ("STALE", "older than 1 s: gray; older than 3 s: not shown"),
    ("UNCALIBRATED", "probabilities were not fitted to any scan"),
)


def _table(rows: tuple[tuple[str, str], ...]) -> Text:
    text = Text(no_wrap=True, end="")
    for name, meaning in rows:
        text.append(f"{name:>13}", style=palette.ACCENT).append(f"  {meaning}\n", style=palette.TEXT)
    return text


class Help(ModalScreen[None]):
    """Explains every key, and every word that is not plain."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "dismiss(None)", "Close")]

    def compose(self) -> ComposeResult:
        text = Text.assemble(_table(_KEYS), _table(_MEANINGS), ("\n        esc closes", palette.MUTED))
        with Vertical(classes="dialog") as box:
            box.border_title = "help"
            yield Static(text, markup=False)


class ConfirmNewExam(ModalScreen[bool]):
    """Asks before a new exam begins, because the measurements so far end with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "New exam"),
        Binding("escape,n,q", "dismiss(False)", "Go on as before"),
    ]

    def __init__(self, stream: str) -> None:
        super().__init__()
        self._stream = stream

    def compose(self) -> ComposeResult:
        text = Text.assemble(
            (f"Start a new exam on {plain(self._stream, 24)}?\n\n", f"bold {palette.TEXT}"),
            (
                "Age, checklist and best frames start again.\nThose of this exam stay in the recording.\n\n",
                palette.MUTED,
            ),
            ("enter", palette.ACCENT),
            (" new exam    ", palette.TEXT),
            ("esc", palette.ACCENT),
            (" go on as before", palette.TEXT),
        )
        with Vertical(classes="dialog") as box:
            box.border_title = "new exam"
            yield Static(text, markup=False)
