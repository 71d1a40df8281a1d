"""The panel of stills: the checklist in pictures, as a strip beneath the live picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.containers import Container

from fetalstream.tui.state.session import StreamView
from fetalstream.tui.widgets.panel import PAST_S, Layout, Panel, Place, Space
from fetalstream.tui.widgets.scene import Scene
from fetalstream.tui.widgets.thumbnails import Thumbnails


class Stills(Panel):
    """A still of the best frame of each view, in a row."""

    name, title = "stills", "views"
    place: ClassVar[Place] = "left"
    every_s = PAST_S
    styles: ClassVar[Mapping[Layout, str]] = {"tall": "height: 9;"}

    def make_widget(self) -> Container:
        """Return a box round the stills, which has the border."""
        self._stills = Thumbnails(in_a_row=True)
        return Container(self._stills)

    def draw(self, scene: Scene, view: StreamView, space: Space) -> None:  # noqa: ARG002 - the stills know their size
        """Show the stills that there are; pictures that are not here yet are fetched."""
        if scene.pictures is not None:
            self._stills.show(scene.checklist(view), scene.pictures, view, scene.shown_ns)
