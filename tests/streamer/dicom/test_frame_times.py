"""Times of frames, from whatever elements say them."""

import sys

import pytest

from fetalstream.streamer.dicom.frame_times import EvenTimes
from fetalstream.streamer.dicom.header import MAX_FRAMES


def test_evenly_spaced_times_take_no_memory():
    times = EvenTimes(0.04, MAX_FRAMES)
    assert len(times) == MAX_FRAMES
    assert times[MAX_FRAMES - 1] == pytest.approx(0.04 * (MAX_FRAMES - 1))
    assert sys.getsizeof(times) < 200
