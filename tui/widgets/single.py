"""One stream in full: the list of its panels, and their places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from fetalstream.tui.state.session import StreamView
from fetalstream.tui.widgets.checklist import Checklist
from fetalstream.tui.widgets.event_log import EventLog
from fetalstream.tui.widgets.gestation import AgeBeneath, AgeBeside
from fetalstream.tui.widgets.layout import EDGE_ROWS, FRAME_ROWS
from fetalstream.tui.widgets.panel import VIDEO_S, Layout, Panel, Space
from fetalstream.tui.widgets.picture import PicturePanel
from fetalstream.tui.widgets.planes import Planes
from fetalstream.tui.widgets.scene import Scene
from fetalstream.tui.widgets.stills import Stills
from fetalstream.tui.widgets.timeline import Timeline
from fetalstream.tui.widgets.trend import AgeTrend

PANELS: Final[tuple[type[Panel], ...]] = (
    PicturePanel,
    Stills,
    AgeBeneath,
    Timeline,
    AgeTrend,
    EventLog,
    Planes,
    AgeBeside,
    Checklist,
)
"""Every panel; those of one place follow each other in this order."""


class _Bare(Widget):
    """Places its children and paints nothing: the screen beneath has painted the background already.

    Every layer is composed anew for every picture of the video, however little of it is to be seen.
    """

    def render_lines(self, crop: Region) -> list[Strip]:  # noqa: ARG002 - Textual's
        return []


class _Row(_Bare, Horizontal):
    """Its children beside each other."""


class _Column(_Bare, Vertical):
    """Its children beneath each other."""


class Single(_Bare, Container):
    """Draws the chosen stream; each panel is drawn at its own pace, and draws only what changed.

    Args:
        panels: the panels to make.
    """

    def __init__(self, panels: Sequence[type[Panel]] = PANELS) -> None:
        super().__init__()
        self._panels = [make() for make in panels]

    def compose(self) -> ComposeResult:
        left, beneath, right = (
            [panel.widget for panel in self._panels if panel.place == place] for place in ("left", "beneath", "right")
        )
        yield _Column(*left, _Row(*beneath, id="beneath"), id="left")
        yield _Column(*right, id="right")

    def draw(
        self, scene: Scene, view: StreamView, layout: Layout, due: Callable[[str, float], bool], *, picture: bool
    ) -> None:
        """Draw the panels of the layout that are due; the picture also if it is not, whenever it may be drawn.

        Args:
            scene: what is known now.
            view: the chosen stream.
            layout: the one that fits the screen.
            due: whether a part, by its name, was drawn so many seconds ago; then it counts as drawn now.
            picture: the terminal can take a picture now.
        """
        for panel in self._panels:
            if panel.shown_in(layout) and (due(panel.name, panel.every_s) or (picture and panel.every_s == VIDEO_S)):
                columns, rows = panel.widget.content_size
                panel.draw(scene, view, Space(layout, columns, rows, self._spare_rows(panel)))

    def _spare_rows(self, panel: Panel) -> int:
        others = sum(each.least_rows for each in self._panels if each.place == panel.place and each is not panel)
        return self.app.size.height - EDGE_ROWS - others - FRAME_ROWS
