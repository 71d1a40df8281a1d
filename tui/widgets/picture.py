"""The panel of the live picture, with a banner that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.containers import Container

from fetalstream.tui.state.freshness import badge, freshness
from fetalstream.tui.state.session import StreamView
from fetalstream.tui.state.text import stopwatch
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.panel import VIDEO_S, Layout, Panel, Place, Space
from fetalstream.tui.widgets.preview import Banner, Preview
from fetalstream.tui.widgets.scene import Scene


class PicturePanel(Panel):
    """The chosen stream's picture; the border warns if the reading is stale or lost."""

    name, title = "picture", "picture"
    place: ClassVar[Place] = "left"
    every_s = VIDEO_S
    styles: ClassVar[Mapping[Layout, str]] = {"narrow": "height: 1fr;", "wide": "height: 1fr; padding: 0;"}
    rules = f"""
.wide Single #picture.stale {{ border: heavy {palette.WARN}; }}
.wide Single #picture.lost {{ border: heavy {palette.BAD}; }}
"""

    def make_widget(self) -> Container:
        """Return a box round the preview, which has the border."""
        self._preview = Preview()
        return Container(self._preview)

    def draw(self, scene: Scene, view: StreamView, space: Space) -> None:  # noqa: ARG002 - the preview knows its size
        """Show the newest picture, as far as it is fresh."""
        now_ns, replay, fresh = scene.shown_ns, scene.shown.replay, scene.fresh(view)
        self.widget.set_class(fresh == "gray", "stale")
        self.widget.set_class(fresh == "blank" and view.ended is None, "lost")
        over = banner(view, now_ns, replay=replay, paused_s=scene.paused_s)
        self._preview.show(view.preview, freshness(view.preview_age_s(now_ns), replay=replay), over)


def banner(view: StreamView, now_ns: int, *, replay: bool, paused_s: float | None) -> Banner | None:
    """Return the words over a stream's picture; None if the picture needs none."""
    if paused_s is not None:
        return Banner(f"PAUSED {stopwatch(paused_s)}, the engine goes on", palette.WARN, at_top=True)
    mark = badge(view, now_ns, replay=replay)
    if view.ended is not None:
        return Banner("ENDED", palette.MUTED)
    if mark.tone in ("warn", "bad"):
        return Banner(mark.words, palette.TONES[mark.tone])
    age = view.preview_age_s(now_ns)
    if age is None:
        return Banner("waiting for a picture", palette.MUTED)
    if freshness(age, replay=replay) != "fresh":
        return Banner(f"PICTURE {age:.0f} s OLD", palette.WARN)
    return None
