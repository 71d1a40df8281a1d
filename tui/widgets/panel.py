"""Panels of the screen that shows one stream. A new one is a subclass of ``Panel`` or ``TextPanel`` in a file of its
own, and one line in ``single.PANELS``."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.text import Text
from textual.widget import Widget

from fetalstream.tui.state.session import StreamView
from fetalstream.tui.widgets.scene import Scene
from fetalstream.tui.widgets.text_block import TextBlock

Layout = Literal["narrow", "wide", "tall"]
"""``narrow`` fits 80 x 24 cells; ``wide`` has borders; ``tall`` is wide, with room for more beneath the picture."""

Place = Literal["left", "beneath", "right"]
"""The left column, the row at its foot (in the wide layouts only), or the right column."""

NUMBERS_S = 0.2
PAST_S = 1.0
VIDEO_S = math.inf
"""Never by the clock, but with every picture that the terminal can take."""


@dataclass(frozen=True, slots=True)
class Space:
    """The cells that a panel is drawn in.

    Attributes:
        layout: of the whole screen.
        columns: across, that the panel has.
        rows: down, that the panel has.
        spare_rows: down, that the panel may grow to before others of its place have less than their ``least_rows``.
    """

    layout: Layout
    columns: int
    rows: int
    spare_rows: int


class Panel(ABC):
    """One part of the screen, made once; ``draw`` shows what is known now.

    Attributes:
        widget: what the panel draws on.
        name: the widget's id, for CSS.
        title: fixed words in the border, which only the wide layouts have; a title is read as markup.
        subtitle: fixed words in the lower border.
        place: where the panel stands; panels of one place follow each other in the order of ``single.PANELS``.
        every_s: how often the panel is drawn, seconds.
        styles: the panel's size and padding as CSS, for each layout that shows it; "tall" is as "wide" if not given.
        rules: further CSS, for classes that the panel sets on its widget.
        least_rows: rows that the panel needs in the wide layouts, its border included.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    subtitle: ClassVar[str] = ""
    place: ClassVar[Place]
    every_s: ClassVar[float] = NUMBERS_S
    styles: ClassVar[Mapping[Layout, str]]
    rules: ClassVar[str] = ""
    least_rows: ClassVar[int] = 0

    def __init__(self) -> None:
        self.widget = self.make_widget()
        self.widget.id = self.name
        self.widget.add_class("framed")
        self.widget.border_title, self.widget.border_subtitle = self.title, self.subtitle

    @abstractmethod
    def make_widget(self) -> Widget:
        """Return the widget that the panel draws on, made once."""

    @abstractmethod
    def draw(self, scene: Scene, view: StreamView, space: Space) -> None:
        """Draw the chosen stream, ``view``, as of ``scene.shown_ns``."""

    @classmethod
    def shown_in(cls, layout: Layout) -> bool:
        """Return whether a layout has the panel."""
        return layout in cls.styles or (layout == "tall" and "wide" in cls.styles)


class TextPanel(Panel):
    """A panel of text: a subclass says what it shows, and only rows that changed are drawn."""

    def make_widget(self) -> TextBlock:
        """Return a block of text."""
        self._block = TextBlock()
        return self._block

    def draw(self, scene: Scene, view: StreamView, space: Space) -> None:
        """Show what ``text`` returns."""
        self._block.show(self.text(scene, view, space))

    @abstractmethod
    def text(self, scene: Scene, view: StreamView, space: Space) -> Text:
        """Return what the panel shows, built to the cells that there are."""
