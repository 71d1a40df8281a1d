"""The dashboard: it polls a feed, folds what came into a ``Session``, and draws by one clock.

Nothing from the feed travels as a Textual message, and no picture waits in a queue: each tick drains the feed, and
draws the newest of everything if the terminal has taken the last drawing.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from queue import Queue
from typing import Any, ClassVar

import msgspec
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.theme import Theme

from pipeline.wire import Keyframe
from tui.condition import Tone
from tui.feed_protocol import Feed, RequestFailed
from tui.session import Session, opened, reduce
from tui.widgets import layout, palette
from tui.widgets.dashboard import Dashboard, Scene
from tui.widgets.screens import ConfirmNewExam, Help

VIDEO_HZ = 15.0
RECONNECT_EVERY_S = 1.0
SAID_FOR_S = 8.0

_THEME = Theme(
    name="fetalstream",
    primary=palette.ACCENT,
    background=palette.BACKGROUND,
    surface=palette.BACKGROUND,
    panel=palette.TRACK,
    foreground=palette.TEXT,
    warning=palette.WARN,
    error=palette.BAD,
    dark=True,
)


class FetalstreamApp(App[None]):
    """The dashboard over any ``Feed``; ``clock_ns`` is the monotonic clock that ages are counted by."""

    TITLE = "fetalstream"
    CSS = layout.CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "hold", "Pause"),
        Binding("m", "mark", "Mark"),
        Binding("s", "snapshot", "Snapshot"),
        Binding("n", "new_exam", "New exam"),
        Binding("o", "overview", "All streams"),
        Binding("tab", "next_stream(1)", "Next stream", show=False, priority=True),
        Binding("shift+tab", "next_stream(-1)", "Previous stream", show=False, priority=True),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
        *(Binding(str(n), f"stream({n})", f"Stream {n}", show=False) for n in range(1, 10)),
    ]

    def __init__(self, feed: Feed, *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        super().__init__()
        self.session = Session()
        self.selected: str | None = None
        self._feed = feed
        self._clock_ns = clock_ns
        self._dashboard = Dashboard()
        self._held: tuple[Session, int] | None = None
        self._said: tuple[str, Tone, int] | None = None
        self._known_run: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_sigterm: Any = None

    # Life ------------------------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        """The dashboard itself."""
        return self._dashboard

    def on_mount(self) -> None:
        """Starts the one clock and the connection."""
        self.register_theme(_THEME)
        self.theme = _THEME.name
        self.set_interval(1 / VIDEO_HZ, self.tick)
        self.run_worker(self._connect(), group="connect", exclusive=True)
        self._loop = asyncio.get_running_loop()
        # A terminal left in raw mode by a terminated process is unusable: end as if q had been pressed. Not by the
        # loop's own handlers, which leave the default action behind: there is still to be tidied up after the app.
        with contextlib.suppress(ValueError):  # only the main thread may
            self._on_sigterm = signal.signal(signal.SIGTERM, lambda *_: self.leave())

    async def on_unmount(self) -> None:
        """Lets go of the feed, however the app ends."""
        if self._on_sigterm is not None:
            signal.signal(signal.SIGTERM, self._on_sigterm)
        await self._feed.close()

    def leave(self) -> None:
        """Ends the dashboard; from any thread or signal handler, and nothing where it does not run."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is over already
                self._loop.call_soon_threadsafe(self.exit)

    async def _connect(self) -> None:
        while True:
            try:
                state = await self._feed.start()
            except RequestFailed as error:
                self.say(f"Waiting for the engine: {error}", "warn")
                await asyncio.sleep(RECONNECT_EVERY_S)
            else:
                break
        self._said = None
        self._opened(state)
        await self._recall()

    def _opened(self, state: Mapping[str, Any]) -> None:
        self.session = opened(self.session, state)
        self._known_run = self.session.run
        self._dashboard.all_due()

    async def _recall(self) -> None:
        """Fetches the best frames that were chosen before this dashboard was there."""
        try:
            result = await self._feed.request("keyframes")
        except RequestFailed:
            return  # the checklist then fills with what comes
        for header in result.get("keyframes", []):
            try:
                keyframe = msgspec.convert({**header, "kind": "keyframe"}, Keyframe)
            except (msgspec.ValidationError, TypeError):
                continue
            self.session = reduce(self.session, keyframe, self._clock_ns())

    async def _reopen(self) -> None:
        try:
            self._opened(await self._feed.request("state"))
        except RequestFailed as error:
            self.say(str(error), "warn")

    # The clock -------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Takes in what came; draws it unless the terminal is still busy with the last drawing."""
        now_ns = self._clock_ns()
        for message, blob in self._feed.drain():
            self.session = reduce(self.session, message, now_ns, blob)
        if self.session.run and self._known_run not in (None, self.session.run):
            # The engine came back as another run: its streams and model may differ.
            self._known_run = self.session.run
            self.run_worker(self._reopen(), group="reopen", exclusive=True)
        if self.selected not in self.session.streams:
            self.selected = next(iter(self.session.streams), None)
        if not self._terminal_busy():
            self._dashboard.draw(self._scene(now_ns))

    def _terminal_busy(self) -> bool:
        # Textual offers no public word on what it has not written yet. Over a slow link its queue would hold
        # seconds of old pictures; a frame that is skipped instead costs nothing.
        writer = getattr(self._driver, "_writer_thread", None)
        queue: Queue[str] | None = getattr(writer, "_queue", None)
        return queue is not None and not queue.empty()

    def _scene(self, now_ns: int) -> Scene:
        shown, shown_ns = self._held or (self.session, now_ns)
        paused_s = None if self._held is None else (now_ns - shown_ns) / 1e9
        said = None
        if self._said is not None and now_ns - self._said[2] < SAID_FOR_S * 1e9:
            said = self._said[:2]
        return Scene(self.session, now_ns, shown, shown_ns, paused_s, self.selected, said)

    def say(self, words: str, tone: Tone) -> None:
        """Puts one line into the status row for a few seconds."""
        self._said = (words, tone, self._clock_ns())
        self._dashboard.all_due()

    # Keys ------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Keys that act on the dashboard rest while a question or the help lies over it."""
        return not (action == "next_stream" and len(self.screen_stack) > 1)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual's
        """The palette (ctrl+p) offers the keys' own actions."""
        yield SystemCommand("Pause or resume the screen", "The engine goes on", self.action_hold)
        yield SystemCommand("Mark", "Set a mark in the recording", self.action_mark)
        yield SystemCommand("Snapshot", "Keep this frame", self.action_snapshot)
        yield SystemCommand("New exam", "Another patient", self.action_new_exam)
        yield SystemCommand("All streams", "Every stream as a tile", self.action_overview)
        yield SystemCommand("Help", "Keys and words", self.action_help)
        yield SystemCommand("Quit", "Leave the dashboard", self.exit)

    def action_hold(self) -> None:
        """Holds the drawing, or lets it go on; messages are taken in all the while."""
        self._held = (self.session, self._clock_ns()) if self._held is None else None
        self._dashboard.all_due()

    def action_mark(self) -> None:
        """Sets a mark on the chosen stream."""
        self._command("mark", "Mark set on {}")

    def action_snapshot(self) -> None:
        """Keeps the chosen stream's newest frame."""
        self._command("snapshot", "Snapshot taken on {}")

    def action_new_exam(self) -> None:
        """Asks once, then begins a new exam on the chosen stream."""
        stream = self.selected
        if stream is None:
            self.say("No stream yet", "warn")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._ask("new_exam", stream, f"New exam on {stream}"), group="commands")

        self.push_screen(ConfirmNewExam(stream), answered)

    def action_overview(self) -> None:
        """All streams as tiles, or back to one."""
        self._dashboard.toggle_overview(not self._dashboard.has_class("overview"))

    def action_stream(self, number: int) -> None:
        """Chooses a stream by its place in the row, in full."""
        if number <= len(self.session.names):
            self._choose(self.session.names[number - 1])
            self._dashboard.toggle_overview(False)

    def action_next_stream(self, step: int) -> None:
        """Chooses the next stream, round and round."""
        names = self.session.names
        if self.selected in names:
            self._choose(names[(names.index(self.selected) + step) % len(names)])

    def _choose(self, stream: str) -> None:
        self.selected = stream
        self._dashboard.all_due()

    def action_help(self) -> None:
        """Keys and words."""
        self.push_screen(Help())

    def _command(self, command: str, done: str) -> None:
        stream = self.selected
        if stream is None:
            self.say("No stream yet", "warn")
            return
        self.run_worker(self._ask(command, stream, done.format(stream)), group="commands")

    async def _ask(self, command: str, stream: str, done: str) -> None:
        try:
            await self._feed.request(command, {"stream": stream})
        except RequestFailed as error:
            self.say(str(error), "bad")
        else:
            self.say(done, "good")
