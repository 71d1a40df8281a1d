"""Interlaced video: noticed by the comb that it leaves on moving edges, and taken out by FFmpeg's ``bwdif``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from av.error import BlockingIOError as NothingYet
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from fetalstream.streamer.frame import Pixels

_TEETH_LEVELS: Final = 12  # a row that differs so much from both its neighbours, on the same side
_TEETH_SHARE: Final = 0.004
_LIKE_NEXT_BUT_ONE: Final = 0.5  # a tooth's next row but one is its neighbour in its own field, and much like it
_MORE_THAN_ACROSS: Final = 4
_EVERY: Final = 15  # frames from one look to the next: half a second
_LOOKS: Final = 3


class CombMeter:
    """Reports interlaced video once several looks in a row have found combed edges."""

    def __init__(self) -> None:
        self._count = 0
        self._found = 0

    def update(self, pixels: Pixels) -> bool:
        """Take in the next frame's pixels; return whether the video is interlaced, as far as is known by now."""
        self._count += 1
        if self._count % _EVERY == 1:
            self._found = self._found + 1 if is_combed(pixels) else 0
        return self._found >= _LOOKS


def is_combed(pixels: Pixels) -> bool:
    """Tell whether the rows of a picture come from two moments in turn.

    Then edges have teeth one row high, much like the row after next, and far more of them than in the other direction:
    noise and speckle have teeth too, but equally many in both.
    """
    gray = pixels if pixels.ndim == 2 else pixels[:, :, 1]
    if min(gray.shape) < 8:
        return False
    levels = gray.astype(np.int16)
    share = _teeth(levels)
    return share > _TEETH_SHARE and share > _MORE_THAN_ACROSS * _teeth(levels.T)


def _teeth(levels: npt.NDArray[np.int16]) -> float:
    """Share of values that stand out from both neighbouring rows, and hardly from the rows beyond them."""
    row = levels[2:-2]
    up, down = row - levels[1:-3], row - levels[3:-1]
    heights = np.abs(up) + np.abs(down)
    teeth = (np.minimum(np.abs(up), np.abs(down)) > _TEETH_LEVELS) & (np.sign(up) == np.sign(down))
    own_field = np.abs(row - levels[4:]) + np.abs(row - levels[:-4])
    return float((teeth & (own_field < _LIKE_NEXT_BUT_ONE * heights)).mean())


class Deinterlacer:
    """Makes one whole picture of each interlaced one; progressive ones pass through nearly unchanged.

    Args:
        stream: the stream of the pictures.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._graph: Graph | None = None
        self._layout: tuple[int, int, str] | None = None

    def update(self, picture: VideoFrame) -> Iterator[VideoFrame]:
        """Take in the next picture; return those that are ready: one behind, because the next field is needed too.

        A picture of another size or format begins anew.
        """
        layout = (picture.width, picture.height, picture.format.name)
        if self._graph is None or layout != self._layout:
            self._graph, self._layout = self._built(picture), layout
        self._graph.vpush(picture)
        while True:
            try:
                yield self._graph.vpull()
            except (NothingYet, EOFError):
                return

    def _built(self, picture: VideoFrame) -> Graph:
        graph = Graph()
        source = graph.add_buffer(
            width=picture.width,
            height=picture.height,
            format=picture.format,
            time_base=picture.time_base or self._stream.time_base,
        )
        # One picture for each frame, not for each field; the order of the fields as the stream says it.
        filters = [source, graph.add("bwdif", "mode=send_frame:parity=auto:deint=all"), graph.add("buffersink")]
        for before, after in itertools.pairwise(filters):
            before.link_to(after)
        graph.configure()
        return graph
