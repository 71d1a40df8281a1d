"""The dashboard's screen: it draws a ``Scene``, each part at its own pace."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Footer

from fetalstream.tui.state.freshness import offers_new_exam
from fetalstream.tui.state.protocol_progress import items, next_step
from fetalstream.tui.state.text import plain
from fetalstream.tui.widgets import bars, palette
from fetalstream.tui.widgets.event_log import event_row
from fetalstream.tui.widgets.layout import layout_for
from fetalstream.tui.widgets.overview import Overview
from fetalstream.tui.widgets.panel import NUMBERS_S, Layout
from fetalstream.tui.widgets.scene import Scene
from fetalstream.tui.widgets.single import Single
from fetalstream.tui.widgets.text_block import TextBlock

TILES_EVERY_S = 0.5
BEHIND_AFTER_S = 1.0
EVENT_FOR_S = 10.0


class Dashboard(Screen[None]):
    """The screen: header, streams, one stream in full or all as tiles, status, health, notice and keys."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn_ns: dict[str, int] = {}
        self._layout: Layout = "narrow"
        self._header, self._streams = TextBlock(id="header"), TextBlock(id="streams")
        self._streams.display = False
        self._single, self._overview = Single(), Overview()
        self._status, self._health, self._notice = (
            TextBlock(id="status"),
            TextBlock(id="health"),
            TextBlock(id="notice"),
        )

    def compose(self) -> ComposeResult:
        yield from (self._header, self._streams, self._single, self._overview)
        yield from (self._status, self._health, self._notice)
        yield Footer(compact=True, show_command_palette=False)

    def on_resize(self, event: Resize) -> None:
        """Choose the layout that fits."""
        self._layout = layout_for(*event.size)
        self.set_class(self._layout in ("wide", "tall"), "wide")
        self.set_class(self._layout == "tall", "tall")
        self.all_due()

    def all_due(self) -> None:
        """Let the next drawing draw every part, as after a key."""
        self._drawn_ns.clear()

    def toggle_overview(self, on: bool) -> None:
        """Show all streams as tiles, or one in full."""
        self.set_class(on, "overview")
        self.all_due()

    def draw(self, scene: Scene, *, picture: bool = True) -> None:
        """Draw the parts that are due, pictures only if ``picture``; nothing before the screen is made."""
        if not self.is_mounted:
            return
        behind_s = (scene.now_ns - self._drawn_ns.get("video", scene.now_ns)) / 1e9
        self._drawn_ns["video"] = scene.now_ns

        def due(part: str, every_s: float) -> bool:
            return self._due(part, every_s, scene.now_ns)

        if due("edges", NUMBERS_S):
            self._draw_edges(scene, behind_s)
        if self.has_class("overview"):
            if picture:
                self._draw_tiles(scene)
        elif scene.view is not None:
            self._single.draw(scene, scene.view, self._layout, due, picture=picture)

    def _due(self, part: str, every_s: float, now_ns: int) -> bool:
        last = self._drawn_ns.get(part)
        if last is not None and now_ns - last < every_s * 1e9:
            return False
        self._drawn_ns[part] = now_ns
        return True

    def _draw_tiles(self, scene: Scene) -> None:
        self._overview.fit(scene.shown)
        everything = self._due("tiles", TILES_EVERY_S, scene.now_ns)
        self._overview.draw(scene.shown, scene.selected, scene.shown_ns, everything=everything, paused_s=scene.paused_s)

    def _draw_edges(self, scene: Scene, behind_s: float) -> None:
        # The edges tell of now, also while the screen is held: a source that is lost meanwhile must be seen.
        width, live, now_ns = self.size.width, scene.live, scene.now_ns
        view = scene.live_view
        played = None if scene.played is None else scene.played.words
        self._header.show(
            bars.header(live, view, now_ns, width, paused_s=scene.paused_s, played=played, recording=scene.recording)
        )
        self._streams.display = len(live.streams) > 1
        self._streams.show(bars.streams(live, scene.selected, now_ns, width))
        self._health.show(bars.health(view, now_ns, width, behind_s=behind_s))
        self._notice.show(Text(plain(live.notice, width).center(width), no_wrap=True, end=""))
        self._status.show(_status(scene, behind_s, width, wide=self._layout != "narrow"))


def _status(scene: Scene, behind_s: float, width: int, *, wide: bool) -> Text:
    """Return the status row: the answer to the last key, else a warning, else the newest event, else the next step."""
    view = scene.live_view
    row = Text(" ", no_wrap=True, end="")
    if behind_s > BEHIND_AFTER_S:
        row.append(f"screen {behind_s:.1f} s behind  ", style=f"bold {palette.WARN}")
    if scene.said is not None:
        words, tone = scene.said
        return row.append(plain(words, width - row.cell_len - 1), style=palette.TONES[tone])
    if scene.recording.trouble is not None:
        words = plain(f"NOT RECORDING: {scene.recording.trouble}", width - row.cell_len - 1)
        return row.append(words, style=f"bold {palette.BAD}")
    if view is not None and offers_new_exam(view, scene.now_ns):
        return row.append("No picture for a minute. Another patient? n starts a new exam", style=palette.WARN)
    if view is None or view.reading is None:
        return row
    newest = view.events[-1] if view.events and not wide else None
    if newest is not None and view.since_published_s(newest.published_ns, scene.now_ns) < EVENT_FOR_S:
        return row.append_text(event_row(newest, width - row.cell_len - 1))
    words = next_step(items(scene.protocol, view, scene.now_ns))
    return row.append(plain(words, width - row.cell_len - 1), style=palette.MUTED)
