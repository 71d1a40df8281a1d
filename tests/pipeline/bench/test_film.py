import itertools

import numpy as np

from fetalstream.pipeline.bench.film import InMemory, draw, write
from fetalstream.streamer.readers.files import VideoFile


def test_every_frame_differs_from_the_one_before():
    pictures = draw(40, 320, 240)
    assert [picture.shape for picture in pictures] == [(240, 320)] * 40
    assert all((one != next_one).any() for one, next_one in itertools.pairwise(pictures))
    frames = list(InMemory(pictures, 30.0, count=100, offset=3))
    assert [frame.index for frame in frames] == list(range(100))
    assert all((one.pixels != other.pixels).any() for one, other in itertools.pairwise(frames))


def test_a_film_holds_the_frames(tmp_path):
    pictures = draw(10, 320, 240)
    write(tmp_path / "film.mp4", pictures)
    frames = list(VideoFile(tmp_path / "film.mp4"))
    assert len(frames) == 10
    assert np.abs(frames[4].pixels.astype(int) - pictures[4]).mean() < 4  # compressed


def test_frames_end_with_the_time():
    times_ns = itertools.count(0, 100_000_000)
    source = InMemory(draw(3, 64, 64), 30.0, seconds=1.0, clock_ns=lambda: next(times_ns))
    assert len(list(source)) == 9  # the first look at the clock is the beginning
