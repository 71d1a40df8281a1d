"""Realistic frames for measurements are drawn beforehand from the phantom, each different from the one before."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from fetalstream.streamer.frame import Frame, Pixels
from fetalstream.streamer.in_process_source import InProcessSource
from fetalstream.streamer.phantom.source import PhantomSource

SEED: Final = 7
RATE_HZ: Final = 30
SPACING_MM: Final = 0.3
"""Spacing that is declared for the frames; no measurement depends on its being true."""


def draw(count: int, width: int, height: int) -> list[Pixels]:
    """Draw frames of the phantom, gray uint8 (height, width), without its freezes: each differs from the last.

    A repeated picture would get its reading without the model, and so measure nothing.
    """
    drawn: list[Pixels] = []
    before: Pixels | None = None
    for frame in PhantomSource(SEED):
        if before is None or not np.array_equal(before, frame.pixels):
            resized = cv2.resize(frame.pixels, (width, height), interpolation=cv2.INTER_LINEAR)
            drawn.append(np.asarray(resized, np.uint8))
        before = frame.pixels
        if len(drawn) == count:
            break
    return drawn


def write(path: Path, pictures: list[Pixels]) -> None:
    """Write the pictures as an H.264 film of 30 frames a second."""
    height, width = pictures[0].shape
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE_HZ, options={"crf": "16", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in pictures:
            film = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
            out.mux(stream.encode(film))
        out.mux(stream.encode())


class InMemory(InProcessSource):
    """A source of pictures in memory that plays them forwards and backwards again and again.

    Args:
        pictures: at least two pictures.
        rate_hz: frame rate of the media time.
        seconds: how long frames are given out, by ``clock_ns``; None for no limit.
        count: largest number of frames; None for no limit.
        offset: index of the first picture, so that parallel streams show different ones.
        clock_ns: the monotonic clock.
    """

    kind = "phantom"
    frames_expected = None
    identity = "0" * 64

    def __init__(
        self, pictures: list[Pixels], rate_hz: float, *, seconds: float | None = None, count: int | None = None,
        offset: int = 0, clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        super().__init__()
        self.rate_hz: float | None = rate_hz
        self._pictures = pictures
        self._period_s = 1 / rate_hz
        self._seconds = seconds
        self._count = count
        self._offset = offset
        self._clock_ns = clock_ns

    def __iter__(self) -> Iterator[Frame]:
        back_and_forth = [*self._pictures, *self._pictures[-2:0:-1]]
        end_ns = None if self._seconds is None else self._clock_ns() + round(self._seconds * 1e9)
        for index in itertools.count() if self._count is None else range(self._count):
            now_ns = self._clock_ns()
            if end_ns is not None and now_ns >= end_ns:
                return
            pixels = back_and_forth[(index + self._offset) % len(back_and_forth)]
            yield Frame(pixels, index, index * self._period_s, now_ns, 0, SPACING_MM, "operator")
