"""The dashboard's sense of time: the screen held, scrubbed and sought, while messages are taken in all the while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from textual.app import App
from textual.filter import LineFilter

from fetalstream.tui.feed.protocol import Feed, Player
from fetalstream.tui.pictures.kept_pictures import KeptPictures, on_disk
from fetalstream.tui.state.freshness import Tone
from fetalstream.tui.state.moment_search import Moment, found
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.state.scan_protocol import Protocol
from fetalstream.tui.state.scrollback import Scrollback
from fetalstream.tui.state.session import Session, StreamView
from fetalstream.tui.state.text import stopwatch
from fetalstream.tui.widgets.dashboard import Dashboard
from fetalstream.tui.widgets.prompts import AskLine, Choose
from fetalstream.tui.widgets.themes import DARK, Recoloured, Styled

SCRUB_S: Final = 5.0
SAID_FOR_S: Final = 8.0
SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Held:
    """A moment that the screen stands at."""

    session: Session
    at_ns: int


class PastApp(App[None]):
    """What is shown, and of when."""

    def __init__(self, feed: Feed, clock_ns: Callable[[], int], *, read_only: bool, protocol: Protocol | None) -> None:
        super().__init__()
        self.session = Session()
        self.selected: str | None = None
        self.protocol = protocol
        self.held: Held | None = None
        self.tape = RecordingStatus()
        self._feed = feed
        self._player = feed if isinstance(feed, Player) else None
        self._clock_ns = clock_ns
        self._read_only = read_only or self._player is not None
        self._history = Scrollback()
        self._dashboard = Dashboard()
        self._colours = DARK
        self._recoloured: Recoloured | None = None
        self._styled = Styled()  # one for ever: what a line becomes is remembered by the filter that did it
        self._said: tuple[str, Tone, int] | None = None
        self.pictures = KeptPictures(self._kept_picture, lambda bringing: self.run_worker(bringing, group="pictures"))

    @property
    def colours(self) -> str:
        """The theme, by its name in ``THEMES``."""
        return self._colours

    @colours.setter
    def colours(self, name: str) -> None:
        self._colours = name
        self._recoloured = None if name == DARK else Recoloured(name)
        self._dashboard.all_due()
        self.refresh_css()
        for screen in self.screen_stack:
            screen.refresh(layout=True)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and the theme's."""
        filters = super().get_line_filters()
        ours = [] if self._recoloured is None else [self._recoloured]
        return [*ours, *([self._styled, *filters] if filters else [])]

    def say(self, words: str, tone: Tone) -> None:
        """Puts one line into the status row for a few seconds."""
        self._said = (words, tone, self._clock_ns())
        self._dashboard.all_due()

    @property
    def said(self) -> tuple[str, Tone] | None:
        """What was said last, for as long as it is to be seen."""
        recent = self._said is not None and self._clock_ns() - self._said[2] < SAID_FOR_S * 1e9
        return self._said[:2] if recent and self._said is not None else None

    async def _kept_picture(self, keyframe: str) -> bytes | None:
        return await self._feed.picture(keyframe) or await asyncio.to_thread(on_disk, self.tape.folder, keyframe)

    @property
    def view(self) -> StreamView | None:
        """The chosen stream, as it is on the screen."""
        shown = self.held.session if self.held is not None else self.session
        return shown.streams.get(self.selected or "")

    # The past --------------------------------------------------------------------------------------------------

    def action_hold(self) -> None:
        """Holds the drawing, or lets it go on; messages are taken in all the while."""
        if self._player is not None:
            self._player.set_speed(0.0 if self._player.speed else 1.0)
        elif self.held is not None:
            self.held = None
        else:
            self.held = Held(self.session, self._clock_ns())
        self._dashboard.all_due()

    def action_live(self) -> None:
        """Back to now."""
        if self._player is not None:
            self._go_to(self._player.duration)
        self.held = self._said = None
        self._dashboard.all_due()

    def action_scrub(self, steps: int) -> None:
        """Back or forth in time: picture, bars and age together, while live goes on."""
        now_ns = self._clock_ns()
        if self._player is not None:
            self._go_to(self._player.seconds + steps * SCRUB_S)
            return
        at_ns = (self.held.at_ns if self.held is not None else now_ns) + round(steps * SCRUB_S * 1e9)
        self._hold_at(at_ns)

    def _hold_at(self, at_ns: int) -> None:
        past = self._history.at(at_ns) if at_ns < self._clock_ns() else None
        self.held = None if past is None else Held(*past)
        self._dashboard.all_due()

    def _go_to(self, seconds: float) -> None:
        """A recording only: everything as it was then."""

    def action_speed(self, step: int) -> None:
        """How fast a recording is played."""
        if self._player is not None:
            at = min(
                range(len(SPEEDS)), key=lambda place: abs(SPEEDS[place] - (self._player.speed if self._player else 1))
            )
            speed = SPEEDS[min(len(SPEEDS) - 1, max(0, at + step))]
            self._player.set_speed(speed)
            self.say(f"Played at {speed:g}×", "quiet")

    def action_find(self) -> None:
        """Moments whose plane, mark or event holds the words."""
        view = self.session.streams.get(self.selected or "")
        if view is None:
            return

        def answered(words: str | None) -> None:
            moments = [] if not words else found(view, words)
            if moments:
                self.push_screen(
                    Choose("moments", [moment.words for moment in moments]), lambda at: self._show(moments, at)
                )
            elif words:
                self.say("Nothing of that in this exam", "warn")

        self.push_screen(AskLine("find", "A plane, a word of a note, an event"), answered)

    def _show(self, moments: list[Moment], place: int | None) -> None:
        if place is not None:
            self._show_moment(moments[place].published_ns)

    def _show_moment(self, published_ns: int) -> None:
        view = self.session.streams.get(self.selected or "")
        if view is None:
            return
        ago_s = view.since_published_s(published_ns, self._clock_ns())
        if self._player is not None:
            self._go_to(self._player.seconds - ago_s)
        else:
            self._hold_at(self._clock_ns() - round(ago_s * 1e9))
            self.say(f"As it was {stopwatch(ago_s)} ago, as far as it is kept; end leads back", "quiet")
