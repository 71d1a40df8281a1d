"""The checklist in pictures: a small still of each view's best frame with score and age, or why there is none."""

from __future__ import annotations

import math

from rich.text import Text
from textual.containers import Container

from fetalstream.tui.pictures.kept_pictures import KeptPictures
from fetalstream.tui.state.protocol_progress import ChecklistItem
from fetalstream.tui.state.session import StreamView
from fetalstream.tui.state.text import plain, probability, span
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.captioned import Captioned
from fetalstream.tui.widgets.preview import Banner

MOST_TILES = 24
_MARKS = {"done": ("●", palette.GOOD), "weak": ("◐", palette.WARN), "missing": ("○", palette.FAINT)}
_TILE_ASPECT = 2.4  # a scan of 4:3, cells twice as high as wide, and a row of words beneath


def columns_for(count: int, width: int, height: int) -> int:
    """Return the number of columns in which ``count`` tiles are as large as ``width`` x ``height`` cells allow."""
    if count < 1 or width < 1 or height < 1:
        return 1

    def shown(columns: int) -> float:
        across, down = width / columns, height / math.ceil(count / columns)
        return min(across, down * _TILE_ASPECT)

    return max(range(1, count + 1), key=lambda columns: (shown(columns), -columns))


def caption(item: ChecklistItem, view: StreamView, now_ns: int, width: int) -> Text:
    """Return ``● femur  0.64 12s``: whether the view is collected, its name, score and how long ago."""
    best = item.best
    mark, colour = _MARKS.get(item.state, ("·", palette.FAINT))
    if best is not None and best.accepted:
        mark = "✔"
    right = ""
    if best is not None:
        right = f" {probability(best.score)} {span(view.since_published_s(best.published_ns, now_ns))}"
    name = plain(item.view.name, max(4, width - len(right) - 3))
    left = Text.assemble((f"{mark} ", colour), (name, palette.TEXT if best is not None else palette.MUTED))
    return palette.spread(left, Text(right, style=palette.MUTED), width)


class Thumbnail(Captioned):
    """The still of one view, with its caption."""

    def show(self, item: ChecklistItem, pictures: KeptPictures, view: StreamView, now_ns: int) -> None:
        """Show the view's best frame, or why there is none."""
        picture = None if item.best is None else pictures.get(item.best.keyframe)
        words = item.advice if item.best is None else "" if picture is None else "not kept"
        over = Banner(words, palette.BACKGROUND, ink=palette.FAINT) if words and not picture else None
        self.preview.show(picture or None, "fresh" if picture else "waiting", over)
        if self.caption.columns:  # else names would be cut to nothing until the next drawing
            self.caption.show(caption(item, view, now_ns, self.caption.columns))


class Thumbnails(Container):
    """A tile for each view that the model can judge; a tile is made once and used again.

    Args:
        in_a_row: all beside one another, as a strip; else as large as they fit.
    """

    def __init__(self, *, in_a_row: bool = False) -> None:
        super().__init__()
        self._in_a_row = in_a_row
        self._tiles: list[Thumbnail] = []
        self.across = 1

    def show(
        self, checked: list[ChecklistItem], pictures: KeptPictures, view: StreamView, now_ns: int, at: int = -1
    ) -> None:
        """Draw all the tiles; ``at`` is the index of the highlighted one."""
        shown = judged(checked)
        self._fit(len(shown))
        for place, tile in enumerate(self._tiles):
            tile.display = place < len(shown)
            tile.set_class(place == at, "chosen")
            if tile.display and tile.is_mounted:
                tile.show(shown[place], pictures, view, now_ns)

    def _fit(self, count: int) -> None:
        if count > len(self._tiles):
            new = [Thumbnail() for _ in range(count - len(self._tiles))]
            self._tiles += new
            self.mount_all(new)
        width, height = self.size
        across = max(1, count) if self._in_a_row else columns_for(count, width, height)
        if across != self.across or self.styles.grid_size_columns != across:
            self.across = across
            self.styles.grid_size_columns = across


def judged(checked: list[ChecklistItem]) -> list[ChecklistItem]:
    """Return the views that have a tile."""
    return [item for item in checked if item.state != "not assessable"][:MOST_TILES]
