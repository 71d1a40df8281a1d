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
from typing import Any

import msgspec
from textual.screen import Screen
from textual.theme import Theme

from fetalstream.pipeline.wire import Event, Keyframe
from fetalstream.tui.dashboard.app_actions import OperatedApp
from fetalstream.tui.dashboard.pace import Pace
from fetalstream.tui.feed.protocol import Feed, RequestFailed
from fetalstream.tui.pictures.kitty import Kitty
from fetalstream.tui.pictures.kitty_query import cell_px
from fetalstream.tui.state.scan_protocol import Protocol
from fetalstream.tui.state.session import Session, opened, reduce
from fetalstream.tui.widgets import layout, palette
from fetalstream.tui.widgets.dashboard import Played, Scene

VIDEO_HZ = 15.0
RECONNECT_EVERY_S = 1.0
COARSER_FROM_S = 2 / VIDEO_HZ  # between two pictures: a terminal so slow gets a quarter of the pixels

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


class FetalstreamApp(OperatedApp):
    """The dashboard over any ``Feed``.

    Args:
        feed: is closed with the app.
        clock_ns: the monotonic clock that ages are counted by.
        read_only: nothing can be changed from here.
        protocol: views to collect; None for the model's own planes.
        in_pixels: the terminal draws pictures by Kitty's protocol.
    """

    TITLE = "fetalstream"
    CSS = layout.CSS

    def __init__(
        self, feed: Feed, *, clock_ns: Callable[[], int] = time.monotonic_ns,
        read_only: bool = False, protocol: Protocol | None = None, in_pixels: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(feed, clock_ns, read_only=read_only, protocol=protocol)
        self.kitty: Kitty | None = None
        # Pictures are told apart by colours of the 256.
        if in_pixels and self.console.color_system in ("256", "truecolor"):
            from fetalstream.tui.dashboard.app_terminal import KittyDriver  # not everywhere

            self.kitty, self.driver_class = Kitty(self._write, cell_px), KittyDriver
        self._known_run: str | None = None
        self._sized_run: str | None = None
        self._pace = Pace()
        self._state: Mapping[str, Any] = {}
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
        if isinstance(amiss := state.get("amiss"), str):
            self.say(amiss, "warn")
        await self._recall()
        await self._tell_protocol()

    def _opened(self, state: Mapping[str, Any]) -> None:
        self._state = state
        self.session = opened(self.session, state)
        self._known_run = self.session.run
        self._dashboard.all_due()

    async def _recall(self) -> None:
        """Fetches the best frames that were chosen before this dashboard was there."""
        try:
            result = await self._feed.request("keyframes")
        except RequestFailed:
            return  # the checklist then fills with what comes
        self._fold(result.get("keyframes", []), "keyframe")
        # Those that were replaced since, and what the operator said of them.
        for stream in self.session.names:
            for kind in ("keyframe", "event"):
                with contextlib.suppress(RequestFailed):
                    result = await self._feed.request("since", {"kind": kind, "stream": stream, "seq": -1})
                    self._fold(result.get("messages", []), kind)

    async def _tell_protocol(self) -> None:
        """What is collected goes on record; without a word where it cannot, for nothing depends on it."""
        if self.protocol is not None and not self._read_only:
            with contextlib.suppress(RequestFailed):
                await self._feed.request("protocol", {"protocol": self.protocol.name})

    def _fold(self, headers: Iterable[Any], kind: str) -> None:
        for header in headers:
            try:
                message = msgspec.convert({**header, "kind": kind}, Keyframe if kind == "keyframe" else Event)
            except (msgspec.ValidationError, TypeError):
                continue
            self.session = reduce(self.session, message, self._clock_ns())

    def _go_to(self, seconds: float) -> None:
        if self._player is None:
            return
        passed = self._player.seek(seconds)
        now_ns = self._clock_ns()
        last_ns = max((message.published_ns for message, _ in passed), default=0)
        session = opened(Session(), self._state)
        for message, blob in passed:
            session = reduce(session, message, now_ns - (last_ns - message.published_ns), blob)
        self.session = session
        self._dashboard.all_due()

    def _unsized(self) -> bool:
        """Whether a stream whose frames come was not there yet when the engine told of it."""
        return any(
            view.reading is not None and view.facts is not None and view.facts.width is None
            for view in self.session.streams.values()
        )

    async def _measure(self) -> None:
        with contextlib.suppress(RequestFailed):  # the header does without
            self._opened(await self._feed.request("state"))

    async def _reopen(self) -> None:
        try:
            self._opened(await self._feed.request("state"))
        except RequestFailed as error:
            self.say(str(error), "warn")
        else:
            await self._tell_protocol()

    # The clock -------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Takes in what came; draws it unless the terminal is still busy with the last drawing."""
        now_ns = self._clock_ns()
        # Before the state is known (when the examination began, for one) what comes waits in the feed.
        for message, blob in self._feed.drain() if self._known_run is not None else ():
            self.session = reduce(self.session, message, now_ns, blob)
        if self._player is None and self._unsized() and self._sized_run != self.session.run:
            # This dashboard was there before the first frame; now that one has come, its size is known.
            self._sized_run = self.session.run
            self.run_worker(self._measure(), group="measure", exclusive=True)
        if self.session.run and self._known_run not in (None, self.session.run):
            # The engine came back as another run: its streams and model may differ.
            self._known_run = self.session.run
            self.run_worker(self._reopen(), group="reopen", exclusive=True)
        self._history.add(self.session, now_ns)
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
        held = self.held
        shown, shown_ns = (self.session, now_ns) if held is None else (held.session, held.at_ns)
        paused_s = None if held is None else (now_ns - shown_ns) / 1e9
        player = self._player
        played = None if player is None else Played(player.seconds, player.duration, player.speed)
        return Scene(
            live=self.session,
            now_ns=now_ns,
            shown=shown,
            shown_ns=shown_ns,
            paused_s=paused_s,
            selected=self.selected,
            said=self.said,
            protocol=self.protocol,
            played=played,
            tape=self.tape,
            pictures=self.pictures,
        )
