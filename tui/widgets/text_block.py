"""A widget for a block of finished text, which redraws only the rows that changed."""

from __future__ import annotations

from rich.segment import Segment
from rich.text import Text
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget


class TextBlock(Widget):
    """Shows text that was built elsewhere; nothing in it is ever read as markup, and no row wraps."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str = "") -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes, markup=False)
        self._shown = Text()
        self._rows: list[Text] = []

    @property
    def text(self) -> Text:
        """The text that is shown now."""
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
        """Draw the rows of ``text`` that differ from what is shown; return whether any did."""
        if text == self._shown:
            return False
        before, self._shown, self._rows = self._rows, text, list(text.split(allow_blank=True))
        if len(before) != len(self._rows):
            # A new layout of the screen costs more than the drawing itself: only another number of rows needs one.
            self.refresh(layout=True)
        else:
            changed = (y for y, (old, new) in enumerate(zip(before, self._rows, strict=True)) if old != new)
            self.refresh(*(Region(0, y, self.columns, 1) for y in changed))
        return True

    def render_line(self, y: int) -> Strip:
        """Return row ``y``, counted from 0; rows beyond the text are empty."""
        if y >= len(self._rows):
            return Strip.blank(self.columns, self.rich_style)
        return Strip(Segment.apply_style(self._rows[y].render(self.app.console), self.rich_style))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """Return as many rows as the text has."""
        return max(1, len(self._rows))
