"""A picture with one row of words beneath it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from fetalstream.tui.widgets.preview import Preview
from fetalstream.tui.widgets.text_block import TextBlock


class Captioned(Vertical):
    """A ``preview`` and its ``caption``."""

    def __init__(self) -> None:
        super().__init__()
        self.preview = Preview()
        self.caption = TextBlock()

    def compose(self) -> ComposeResult:
        """Make the picture, which takes the height that there is, and the caption."""
        yield self.preview
        yield self.caption
