"""The overview of all streams: the chosen one is drawn at full rate, the others twice a second."""

from __future__ import annotations

import math

from rich.text import Text
from textual.containers import Container

from fetalstream.tui.state.freshness import badge, freshness
from fetalstream.tui.state.session import Session, StreamView
from fetalstream.tui.state.text import label_words, plain, probability, weeks_days
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.bars import stamp
from fetalstream.tui.widgets.captioned import Captioned
from fetalstream.tui.widgets.picture import banner

MAX_TILES = 9


def tile_caption(number: int, view: StreamView, now_ns: int, *, replay: bool) -> Text:
    """Return the stream's key, name and state; its plane and age only while they are fresh."""
    text = Text.assemble((f" {number} ", palette.ACCENT), (plain(view.stream, 14) + " ", palette.TEXT), no_wrap=True)
    text.append_text(stamp(badge(view, now_ns, replay=replay)))
    reading = view.reading
    if reading is None or freshness(view.reading_age_s(now_ns), replay=replay) != "fresh":
        return text
    if reading.plane is not None:
        score = reading.planes.get(reading.plane)
        text.append(f"  {label_words(reading.plane)}", style=f"bold {palette.ACCENT}")
        text.append(f" {probability(score.smoothed)}" if score else "", style=palette.TEXT)
    if reading.gestation is not None:
        text.append(f"  {weeks_days(reading.gestation.days)}", style=palette.GOOD)
    return text


class Tile(Captioned):
    """One stream's picture and one row about it."""


class Overview(Container):
    """A grid of tiles; a tile is made when the first message of its stream comes, and is kept."""

    def __init__(self) -> None:
        super().__init__()
        self._tiles: list[Tile] = []
        self._drawn: set[Tile] = set()

    def fit(self, session: Session) -> None:
        """Make the tiles that are missing."""
        wanted = min(MAX_TILES, len(session.streams))
        if wanted > len(self._tiles):
            new = [Tile() for _ in range(wanted - len(self._tiles))]
            self._tiles += new
            self.mount_all(new)
            self.styles.grid_size_columns = math.ceil(math.sqrt(wanted))

    def draw(
        self, session: Session, chosen: str | None, now_ns: int, *, everything: bool, paused_s: float | None
    ) -> None:
        """Draw the chosen tile; all tiles if ``everything``."""
        pairs = zip(self._tiles, session.streams.values(), strict=False)
        for number, (tile, view) in enumerate(pairs, start=1):
            tile.set_class(view.stream == chosen, "chosen")
            if not tile.is_mounted or not (everything or view.stream == chosen or tile not in self._drawn):
                continue
            self._drawn.add(tile)
            fresh = freshness(view.preview_age_s(now_ns), replay=session.replay)
            over = banner(view, now_ns, replay=session.replay, paused_s=paused_s)
            tile.preview.show(view.preview, fresh, over)
            tile.caption.show(tile_caption(number, view, now_ns, replay=session.replay))
