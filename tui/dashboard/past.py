"""The time that the screen shows: now, held, scrubbed, or that of a recording, while messages are taken in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fetalstream.pipeline.wire import Message
from fetalstream.tui.dashboard.host import Host
from fetalstream.tui.feed.protocol import Player
from fetalstream.tui.state.moment_search import moments_with
from fetalstream.tui.state.scrollback import Scrollback
from fetalstream.tui.state.session import Session
from fetalstream.tui.state.text import stopwatch

SCRUB_S: Final = 5.0
SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)

Rebuild = Callable[[list[tuple[Message, bytes | None]]], None]


@dataclass(frozen=True, slots=True)
class Held:
    """A past moment that the screen is held at: the session as it was at ``at_ns``."""

    session: Session
    at_ns: int


class Past:
    """Holds and moves the time that the screen shows.

    Args:
        host: the app.
        clock_ns: the monotonic clock that ages are counted by.
        player: the recording, if one is played; it is itself paused and moved, nothing is held here.
        rebuild: makes the session again from the messages of a recording up to a moment.

    Attributes:
        held: the moment that the screen is held at; None if it shows what comes.
        scrollback: moments of the last minutes.
    """

    def __init__(self, host: Host, clock_ns: Callable[[], int], player: Player | None, rebuild: Rebuild) -> None:
        self.held: Held | None = None
        self.scrollback = Scrollback()
        self._host, self._clock_ns, self._player, self._rebuild = host, clock_ns, player, rebuild

    def keep(self, now_ns: int) -> None:
        """Remember the session as it is now, to be scrubbed back to."""
        self.scrollback.add(self._host.session, now_ns)

    def shown(self, now_ns: int) -> tuple[Session, int]:
        """Return the session that the screen shows, and its time."""
        return (self._host.session, now_ns) if self.held is None else (self.held.session, self.held.at_ns)

    def toggle_hold(self) -> None:
        """Hold the drawing, or let it go on; a recording is paused or played."""
        if self._player is not None:
            self._player.set_speed(0.0 if self._player.speed else 1.0)
        elif self.held is not None:
            self.held = None
        else:
            self.held = Held(self._host.session, self._clock_ns())
        self._host.redraw()

    def to_now(self) -> None:
        """Show what comes again; of a recording, its end."""
        if self._player is not None:
            self._seek(self._player, self._player.duration)
        self.held = None
        self._host.unsay()

    def scrub(self, steps: int) -> None:
        """Move by ``steps`` of 5 s, back if negative: picture, bars and age together."""
        if self._player is not None:
            self._seek(self._player, self._player.seconds + steps * SCRUB_S)
            return
        from_ns = self._clock_ns() if self.held is None else self.held.at_ns
        self._hold_at(from_ns + round(steps * SCRUB_S * 1e9))

    def change_speed(self, step: int) -> None:
        """Play a recording ``step`` places faster or slower; nothing if no recording is played."""
        if self._player is not None:
            speed = faster(self._player.speed, step)
            self._player.set_speed(speed)
            self._host.say(f"Played at {speed:g}×", "quiet")

    def find(self) -> None:
        """Ask for words, and go to one of the moments whose plane, mark or event holds them."""
        view = self._host.session.streams.get(self._host.selected or "")
        if view is None:
            return

        def answered(words: str | None) -> None:
            moments = moments_with(view, words) if words else []

            def go_to(place: int | None) -> None:
                if place is not None:
                    self.show_moment(moments[place].published_ns)

            if moments:
                self._host.choose("moments", [moment.words for moment in moments], go_to)
            elif words:
                self._host.say("Nothing of that in this exam", "warn")

        self._host.ask_line("find", "A plane, a word of a note, an event", answered)

    def show_moment(self, published_ns: int) -> None:
        """Show the chosen stream as it was at a time of the publisher's clock."""
        view = self._host.session.streams.get(self._host.selected or "")
        if view is None:
            return
        now_ns = self._clock_ns()
        ago_s = view.since_published_s(published_ns, now_ns)
        if self._player is not None:
            self._seek(self._player, self._player.seconds - ago_s)
        else:
            self._hold_at(now_ns - round(ago_s * 1e9))
            self._host.say(f"As it was {stopwatch(ago_s)} ago, as far as it is kept; end leads back", "quiet")

    def _hold_at(self, at_ns: int) -> None:
        past = self.scrollback.at(at_ns) if at_ns < self._clock_ns() else None
        self.held = None if past is None else Held(*past)
        self._host.redraw()

    def _seek(self, player: Player, seconds: float) -> None:
        self._rebuild(player.seek(seconds))


def faster(speed: float, step: int) -> float:
    """Return the speed ``step`` places from the one of ``SPEEDS`` next to ``speed``, within their ends."""
    nearest = min(range(len(SPEEDS)), key=lambda place: abs(SPEEDS[place] - speed))
    return SPEEDS[min(len(SPEEDS) - 1, max(0, nearest + step))]
