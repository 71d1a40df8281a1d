"""A small app that holds widgets or one screen, with what it shows as text."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from fetalstream.tui.widgets import layout
from fetalstream.tui.widgets.single import PANELS


class Stage(App[None]):
    """An app whose widgets have the dashboard's styles.

    Attributes:
        answers: of the screens that were shown by ``show``, in order.
    """

    CSS = layout.css(PANELS)

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self._widgets = widgets
        self.answers: list[object] = []

    def compose(self) -> ComposeResult:
        yield from self._widgets

    def show(self, screen: Screen[object]) -> None:
        self.push_screen(screen, self.answers.append)

    def text(self) -> str:
        """All characters on the screen, a row a line."""
        return "\n".join(strip.text for strip in self.screen._compositor.render_strips(self.size))
