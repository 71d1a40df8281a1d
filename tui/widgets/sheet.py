"""All views of the protocol at once, each with its best frame: the examination at a glance."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import ModalScreen

from fetalstream.tui.pictures.kept_pictures import KeptPictures
from fetalstream.tui.state.protocol_progress import ChecklistItem, completeness, next_step
from fetalstream.tui.state.session import StreamView
from fetalstream.tui.state.text import plain
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.text_block import TextBlock
from fetalstream.tui.widgets.thumbnails import Thumbnails, judged

ChecklistLookup = Callable[[], "tuple[StreamView, list[ChecklistItem], int] | None"]
REDRAWN_EVERY_S = 0.5


class Sheet(ModalScreen[int | None]):
    """Shows the contact sheet; the answer is the checklist's index of the view to review, or None.

    Args:
        look: returns the chosen stream, its checklist and the time, as of now.
        pictures: of best frames.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,v,q", "dismiss(None)", "Close"),
        Binding("left,h", "step(-1)", "Left", show=False),
        Binding("right,l", "step(1)", "Right", show=False),
        Binding("up,k", "row(-1)", "Up", show=False),
        Binding("down,j", "row(1)", "Down", show=False),
        Binding("enter,b", "open", "Closer"),
    ]

    def __init__(self, look: ChecklistLookup, pictures: KeptPictures) -> None:
        super().__init__()
        self._look, self._pictures = look, pictures
        self._at = 0
        self._tiles = Thumbnails()
        self._words = TextBlock(id="sheet-words")

    def compose(self) -> ComposeResult:
        with Container(classes="dialog sheet") as box:
            box.border_title = "views"
            yield self._tiles
            yield self._words

    def on_mount(self) -> None:
        """Draw a few times a second: better frames go on coming."""
        self.set_interval(REDRAWN_EVERY_S, self.draw)
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw what is known now."""
        found = self._look()
        if found is None or not self.is_mounted:
            return
        view, checked, now_ns = found
        self._at = min(self._at, max(0, len(judged(checked)) - 1))
        self._tiles.show(checked, self._pictures, view, now_ns, self._at)
        self._words.show(_words(checked, self._words.columns))

    def action_step(self, by: int) -> None:
        """Highlight the view ``by`` places further, from the last to the first."""
        found = self._look()
        count = 0 if found is None else len(judged(found[1]))
        if count:
            self._at = (self._at + by) % count
            self.draw()

    def action_row(self, by: int) -> None:
        """Highlight the view above or below, if there is one."""
        found = self._look()
        below = self._at + by * self._tiles.across
        if found is not None and 0 <= below < len(judged(found[1])):
            self._at = below
            self.draw()

    def action_open(self) -> None:
        """Answer with the highlighted view."""
        found = self._look()
        shown = [] if found is None else judged(found[1])
        if found is not None and self._at < len(shown):
            self.dismiss(found[1].index(shown[self._at]))


def _words(checked: list[ChecklistItem], width: int) -> Text:
    keys = Text.assemble((" enter", f"bold {palette.ACCENT}"), (" closer ", palette.TEXT))
    keys.append(" esc", style=f"bold {palette.ACCENT}").append(" close", style=palette.TEXT)
    silent = len(checked) - len(judged(checked))
    progress = completeness(checked) + (f", {silent} not assessable by the model" if silent else "")
    progress += "" if silent else f" · {next_step(checked)}"
    left = Text(plain(progress, max(4, width - keys.cell_len - 2)), style=palette.MUTED)
    return palette.spread(left, keys, width)
