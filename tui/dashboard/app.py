"""The dashboard: it polls a feed, folds what came into a ``Session``, and draws by one clock.

The app itself is thin: keys, screens and the clock. Its parts do the rest: ``Connection`` (messages into the session),
``Past`` (the time that is shown), ``Operator`` (commands to the engine), ``Jobs`` (commands on the recording) and
``Screens`` (what lies over the dashboard). Nothing from the feed travels as a Textual message, and no picture waits in
a queue: each tick drains the feed, and draws the newest of everything if the terminal has taken the last drawing.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from queue import Queue
from typing import Any, ClassVar, Final

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen

from fetalstream.tui.dashboard.app_screens import Screens
from fetalstream.tui.dashboard.commands import COMMANDS
from fetalstream.tui.dashboard.connection import Connection
from fetalstream.tui.dashboard.hangup import HangupWatch
from fetalstream.tui.dashboard.jobs import Jobs
from fetalstream.tui.dashboard.operator import Operator
from fetalstream.tui.dashboard.pace import Pace
from fetalstream.tui.dashboard.past import Past
from fetalstream.tui.feed.protocol import Feed, Player
from fetalstream.tui.pictures.kept_pictures import KeptPictures, on_disk
from fetalstream.tui.pictures.kitty import Kitty
from fetalstream.tui.pictures.kitty_query import cell_px
from fetalstream.tui.state.freshness import Tone
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.state.scan_protocol import Protocol
from fetalstream.tui.state.session import Session
from fetalstream.tui.widgets import layout
from fetalstream.tui.widgets.dashboard import Dashboard
from fetalstream.tui.widgets.prompts import AskLine, Choose
from fetalstream.tui.widgets.scene import Played, Scene
from fetalstream.tui.widgets.screens import ConfirmNewExam
from fetalstream.tui.widgets.single import PANELS
from fetalstream.tui.widgets.themes import TEXTUAL_THEME, THEMES, Colours

VIDEO_HZ = 15.0
COARSER_FROM_S = 2 / VIDEO_HZ  # between two pictures: a terminal so slow gets a quarter of the pixels
SAID_FOR_S: Final = 8.0


class FetalstreamApp(App[None]):
    """The dashboard over any ``Feed``.

    Args:
        feed: is closed with the app.
        clock_ns: the monotonic clock that ages are counted by.
        read_only: nothing can be changed from here.
        protocol: views to collect; None for the model's own planes.
        in_pixels: the terminal draws pictures by Kitty's protocol.
    """

    TITLE = "fetalstream"
    CSS = layout.css(PANELS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            each.keys, f"command({place})", each.label,
            show=bool(each.sign), key_display=each.sign or None, priority=each.first,
        )
        for place, each in enumerate(COMMANDS) if each.keys
    ]  # fmt: skip

    def __init__(
        self, feed: Feed, *, clock_ns: Callable[[], int] = time.monotonic_ns,
        read_only: bool = False, protocol: Protocol | None = None, in_pixels: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.session = Session()
        self.selected: str | None = None
        self.protocol = protocol
        self.recording = RecordingStatus()
        self.kitty: Kitty | None = None
        # Pictures are told apart by colours of the 256.
        if in_pixels and self.console.color_system in ("256", "truecolor"):
            from fetalstream.tui.dashboard.app_terminal import KittyDriver  # not everywhere

            self.kitty, self.driver_class = Kitty(self._write, cell_px), KittyDriver
        self._feed, self._clock_ns = feed, clock_ns
        self._player = feed if isinstance(feed, Player) else None
        read_only = read_only or self._player is not None
        self._dashboard = Dashboard()
        self._colours = Colours()
        self._said: tuple[str, Tone, int] | None = None
        self._pace = Pace()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_sigterm: Any = None
        self._terminal: HangupWatch | None = None
        self.pictures = KeptPictures(self._kept_picture, lambda fetch: self.run_worker(fetch, group="pictures"))
        self._connection = Connection(self, feed, clock_ns, read_only=read_only)
        self.past = Past(self, clock_ns, self._player, self._connection.rebuild)
        self.operator = Operator(self, feed, self.past, read_only=read_only)
        self.jobs = Jobs(self, feed, self.past.show_moment, read_only=read_only)
        self.screens = Screens(self, self, self._dashboard, self.operator, self.pictures, clock_ns)

    # Life ------------------------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        """Return the dashboard itself."""
        return self._dashboard

    def on_mount(self) -> None:
        """Start the one clock and the connection."""
        self.register_theme(TEXTUAL_THEME)
        self.theme = TEXTUAL_THEME.name
        self._terminal = HangupWatch(sys.__stdin__.fileno()) if sys.__stdin__ is not None else None
        self.set_interval(1 / VIDEO_HZ, self.tick)
        self.run_worker(self._connection.connect(), group="connect", exclusive=True)
        self._loop = asyncio.get_running_loop()
        # A terminal left in raw mode by a terminated process is unusable: end as if q had been pressed. Not by the
        # loop's own handlers, which leave the default action behind: there is still to be tidied up after the app.
        with contextlib.suppress(ValueError):  # only the main thread may
            self._on_sigterm = signal.signal(signal.SIGTERM, lambda *_: self.leave())

    async def on_unmount(self) -> None:
        """Close the feed, however the app ends."""
        if self._on_sigterm is not None:
            signal.signal(signal.SIGTERM, self._on_sigterm)
        await self._feed.close()

    def leave(self) -> None:
        """End the dashboard, from any thread or signal handler; nothing if it does not run."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is over already
                self._loop.call_soon_threadsafe(self.exit)

    # The clock -------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Take in what came, and draw it unless the terminal is still busy with the last drawing."""
        if self._terminal is not None and self._terminal.gone():
            self.leave()
            return
        now_ns = self._clock_ns()
        self._connection.take(now_ns)
        self.past.keep(now_ns)
        if self.selected not in self.session.streams:
            self.selected = next(iter(self.session.streams), None)
        busy = self._terminal_busy()
        picture = self._pace.may_draw(now_ns / 1e9, busy=busy)
        if self.kitty is not None:
            self.kitty.detail = 1.0 if self._pace.every_s < COARSER_FROM_S else 0.5
        if not busy:
            self._dashboard.draw(self._scene(now_ns), picture=picture)

    def _terminal_busy(self) -> bool:
        # Textual offers no public word on what it has not written yet. Over a slow link its queue would hold
        # seconds of old pictures; a frame that is skipped instead costs nothing.
        writer = getattr(self._driver, "_writer_thread", None)
        queue: Queue[str] | None = getattr(writer, "_queue", None)
        return queue is not None and not queue.empty()

    def _write(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)

    def _scene(self, now_ns: int) -> Scene:
        shown, shown_ns = self.past.shown(now_ns)
        player = self._player
        return Scene(
            live=self.session,
            now_ns=now_ns,
            shown=shown,
            shown_ns=shown_ns,
            paused_s=None if self.past.held is None else (now_ns - shown_ns) / 1e9,
            selected=self.selected,
            said=self.said,
            protocol=self.protocol,
            played=None if player is None else Played(player.seconds, player.duration, player.speed),
            recording=self.recording,
            pictures=self.pictures,
        )

    async def _kept_picture(self, keyframe: str) -> bytes | None:
        return await self._feed.picture(keyframe) or await asyncio.to_thread(on_disk, self.recording.folder, keyframe)

    # Commands --------------------------------------------------------------------------------------------------

    def action_command(self, place: int) -> None:
        """Carry a command of the table out."""
        COMMANDS[place].run(self)

    def action_help_quit(self) -> None:
        """Answer ctrl+c, which ends nothing here: an examination must not be left by a slip."""
        self.say("q leaves the dashboard", "quiet")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let keys that come before all widgets rest while a question or the help lies over the dashboard."""
        first = action == "command" and isinstance(place := parameters[0], int) and COMMANDS[place].first
        return not (first and len(self.screen_stack) > 1)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual's
        """Return the commands of the table for the palette (ctrl+p)."""
        for place, each in enumerate(COMMANDS):
            if each.title:
                yield SystemCommand(each.title, each.about, lambda place=place: self.action_command(place))

    # What the parts need (``Host``) ----------------------------------------------------------------------------

    def say(self, words: str, tone: Tone) -> None:
        """Show one line in the status row for a few seconds."""
        self._said = (words, tone, self._clock_ns())
        self.redraw()

    def unsay(self) -> None:
        """Take the line of ``say`` away."""
        self._said = None
        self.redraw()

    @property
    def said(self) -> tuple[str, Tone] | None:
        """The line of ``say``, as long as it is shown."""
        recent = self._said is not None and self._clock_ns() - self._said[2] < SAID_FOR_S * 1e9
        return self._said[:2] if recent and self._said is not None else None

    def redraw(self) -> None:
        """Draw every part of the screen at the next tick."""
        self._dashboard.all_due()

    def ask_line(self, title: str, question: str, answered: Callable[[str | None], None], value: str = "") -> None:
        """Ask for a line of text."""
        self.push_screen(AskLine(title, question, value), answered)

    def choose(
        self, title: str, choices: Sequence[str], answered: Callable[[int | None], None], chosen: int = 0
    ) -> None:
        """Ask for one of ``choices``."""
        self.push_screen(Choose(title, choices, chosen), answered)

    def confirm_new_exam(self, stream: str, answered: Callable[[bool | None], None]) -> None:
        """Ask whether a new examination is to begin."""
        self.push_screen(ConfirmNewExam(stream), answered)

    def start(self, work: Coroutine[Any, Any, None], group: str, *, exclusive: bool = False) -> None:
        """Run ``work`` beside the drawing."""
        self.run_worker(work, group=group, exclusive=exclusive)

    # Colours ---------------------------------------------------------------------------------------------------

    @property
    def colours(self) -> str:
        """The theme, by its name in ``THEMES``."""
        return self._colours.name

    @colours.setter
    def colours(self, name: str) -> None:
        self._colours.choose(name)
        self.redraw()
        self.refresh_css()
        for screen in self.screen_stack:
            screen.refresh(layout=True)

    def choose_theme(self) -> None:
        """Ask for other colours."""
        names = list(THEMES)

        def answered(place: int | None) -> None:
            if place is not None:
                self.colours = names[place]

        self.choose("theme", names, answered, names.index(self.colours))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return Textual's own filters, and the theme's."""
        return self._colours.filters(super().get_line_filters())
