"""A block of finished text; it redraws only when the text changed."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class Panel(Static):
    """Shows text that was built elsewhere; nothing in it is ever read as markup."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str = "") -> None:  # noqa: A002 - Textual's own name
        super().__init__("", id=id, classes=classes, markup=False)
        self._shown = Text()

    @property
    def text(self) -> Text:
        """What is shown now."""
        return self._shown

    @property
    def columns(self) -> int:
        """Cells across that the text may fill; 0 before the first layout."""
        return self.content_size.width

    @property
    def rows(self) -> int:
        """Cells down that the text may fill; 0 before the first layout."""
        return self.content_size.height

    def show(self, text: Text) -> bool:
        """Draws ``text`` where it differs from what is there; whether it did."""
        if text == self._shown:
            return False
        # A new layout of the screen costs more than the drawing itself: only another number of rows needs one.
        same_rows = text.plain.count("\n") == self._shown.plain.count("\n") and bool(self._shown)
        self._shown = text
        self.update(text, layout=not same_rows)
        return True
