"""The screen: it draws what it is given, each part at its own pace, and asks nobody for anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.text import Text
from textual.app import ComposeResult
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Footer

from fetalstream.tui.pictures.kept_pictures import KeptPictures
from fetalstream.tui.state.freshness import Tone, offers_new_exam
from fetalstream.tui.state.protocol_progress import items, next_step
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.state.scan_protocol import Protocol
from fetalstream.tui.state.session import Session, StreamView
from fetalstream.tui.state.text import plain, stopwatch
from fetalstream.tui.widgets import bars, layout, palette
from fetalstream.tui.widgets.overview import Overview
from fetalstream.tui.widgets.panel import Panel
from fetalstream.tui.widgets.single import Single

NUMBERS_EVERY_S = 0.2
TILES_EVERY_S = 0.5
PAST_EVERY_S = 1.0
BEHIND_AFTER_S = 1.0
EVENT_FOR_S = 10.0


@dataclass(frozen=True, slots=True)
class Played:
    """Where in a recording the screen is, seconds, and how fast it is played."""

    seconds: float
    duration: float
    speed: float

    @property
    def words(self) -> str:
        """``1:05 / 10:00 ×2``."""
        pace = "held" if self.speed == 0 else f"×{self.speed:g}"
        return f"{stopwatch(self.seconds)} / {stopwatch(self.duration)} {pace}"


@dataclass(frozen=True, slots=True)
class Scene:
    """All that one drawing needs.

    ``live`` is the session as it is; ``shown`` and ``shown_ns`` are the same and now, or, while the screen is held,
    what was known then (``paused_s`` ago). ``said`` is the answer to the last key; ``recording``: whether it is
    recorded; ``pictures``: of kept frames.
    """

    live: Session
    now_ns: int
    shown: Session
    shown_ns: int
    paused_s: float | None
    selected: str | None
    said: tuple[str, Tone] | None
    protocol: Protocol | None = None
    played: Played | None = None
    recording: RecordingStatus = field(default_factory=RecordingStatus)
    pictures: KeptPictures | None = None

    @property
    def live_view(self) -> StreamView | None:
        return self.live.streams.get(self.selected or "")

    @property
    def view(self) -> StreamView | None:
        return self.shown.streams.get(self.selected or "")


class Dashboard(Screen[None]):
    """Header, streams, one stream in full or all as tiles, last word, health, notice and keys."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn_ns: dict[str, int] = {}
        self._header, self._streams = Panel(id="header"), Panel(id="streams")
        self._streams.display = False
        self._single, self._overview = Single(), Overview()
        self._status, self._health, self._notice = Panel(id="status"), Panel(id="health"), Panel(id="notice")

    def compose(self) -> ComposeResult:
        yield from (self._header, self._streams, self._single, self._overview)
        yield from (self._status, self._health, self._notice)
        yield Footer(compact=True, show_command_palette=False)

    def on_resize(self, event: Resize) -> None:
        """Chooses the layout that fits."""
        wide = event.size.width >= layout.WIDE_COLUMNS
        self.set_class(wide and event.size.height >= layout.WIDE_ROWS, "wide")
        self.set_class(wide and event.size.height >= layout.TALL_ROWS, "tall")
        self.all_due()

    def all_due(self) -> None:
        """The next drawing draws every part, as after a key."""
        self._drawn_ns.clear()

    def toggle_overview(self, on: bool) -> None:
        """All streams as tiles, or one in full."""
        self.set_class(on, "overview")
        self.all_due()

    def draw(self, scene: Scene, *, picture: bool = True) -> None:
        """Draws the parts whose time has come, the ``picture`` only if it may; nothing before the screen is made."""
        if not self.is_mounted:
            return
        behind_s = (scene.now_ns - self._drawn_ns.get("video", scene.now_ns)) / 1e9
        self._drawn_ns["video"] = scene.now_ns
        if self._due("edges", NUMBERS_EVERY_S, scene.now_ns):
            self._draw_edges(scene, behind_s)
        if self.has_class("overview"):
            if picture:
                self._draw_tiles(scene)
        elif scene.view is not None:
            self._draw_single(scene, scene.view, picture=picture)

    def _due(self, part: str, every_s: float, now_ns: int) -> bool:
        last = self._drawn_ns.get(part)
        if last is not None and now_ns - last < every_s * 1e9:
            return False
        self._drawn_ns[part] = now_ns
        return True

    def _draw_single(self, scene: Scene, view: StreamView, *, picture: bool) -> None:
        single, replay, wide = self._single, scene.shown.replay, self.has_class("wide")
        if picture or not self._drawn_ns.get("numbers"):
            single.draw_picture(view, scene.shown_ns, replay=replay, paused_s=scene.paused_s)
        if self._due("numbers", NUMBERS_EVERY_S, scene.now_ns):
            checked = items(scene.protocol, view, scene.shown_ns)
            single.draw_numbers(view, checked, scene.shown_ns, replay=replay, wide=wide)
        if self._due("past", PAST_EVERY_S, scene.now_ns):
            single.draw_past(view, wide=wide)
            if scene.pictures is not None and self.has_class("tall"):
                checked = items(scene.protocol, view, scene.shown_ns)
                single.draw_kept(checked, scene.pictures, view, scene.shown_ns)

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
        self._status.show(_status(scene, behind_s, width, wide=self.has_class("wide")))


def _status(scene: Scene, behind_s: float, width: int, *, wide: bool) -> Text:
    """The answer to the last key, else what should be done, else (where there is no log) the newest event."""
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
        return row.append_text(bars.event_row(newest, width - row.cell_len - 1))
    words = next_step(items(scene.protocol, view, scene.now_ns))
    return row.append(plain(words, width - row.cell_len - 1), style=palette.MUTED)
