"""Everything that one drawing of the dashboard needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from fetalstream.tui.pictures.kept_pictures import KeptPictures
from fetalstream.tui.state.freshness import Freshness, Tone, freshness
from fetalstream.tui.state.protocol_progress import ChecklistItem, items
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.state.scan_protocol import Protocol
from fetalstream.tui.state.session import Session, StreamView
from fetalstream.tui.state.text import stopwatch


@dataclass(frozen=True, slots=True)
class Played:
    """The position in a recording and its length, seconds, and the speed at which it is played, 0 if it is held."""

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
    """The state of the dashboard at one tick.

    Attributes:
        live: the session as it is.
        now_ns: the reader's clock.
        shown: the session that is drawn: ``live``, or the one of the moment that the screen is held at.
        shown_ns: the time of ``shown``.
        paused_s: how long ago ``shown_ns`` was; None if the screen is not held.
        selected: the name of the chosen stream.
        said: the answer to the last key.
        protocol: the views to collect; None for the model's own planes.
        played: the position in a recording, if one is played.
        recording: whether the session is being recorded.
        pictures: of best frames.
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
        """The chosen stream as it is."""
        return self.live.streams.get(self.selected or "")

    @property
    def view(self) -> StreamView | None:
        """The chosen stream as it is drawn."""
        return self.shown.streams.get(self.selected or "")

    def fresh(self, view: StreamView) -> Freshness:
        """Return how far the newest reading of a drawn stream can be trusted."""
        return freshness(view.reading_age_s(self.shown_ns), replay=self.shown.replay)

    def checklist(self, view: StreamView) -> list[ChecklistItem]:
        """Return the protocol's views and what a drawn stream has for each."""
        return items(self.protocol, view, self.shown_ns)
