"""Times of frames, from whatever elements say them."""

import sys

import pytest
from pydicom.dataset import Dataset

from fetalstream.streamer.dicom.frame_times import EvenTimes, times_of
from fetalstream.streamer.dicom.header import MAX_FRAMES


def test_evenly_spaced_times_take_no_memory():
    times = EvenTimes(0.04, MAX_FRAMES)
    assert len(times) == MAX_FRAMES
    assert times[MAX_FRAMES - 1] == pytest.approx(0.04 * (MAX_FRAMES - 1))
    assert sys.getsizeof(times) < 200


def elements(**values):
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, value)
    return made


VECTOR, FRAME_TIME = 0x0018_1065, 0x0018_1063


@pytest.mark.parametrize(
    ("values", "wanted", "told"),
    [
        # Two frames of the same time, beside a rate that says otherwise.
        ({"FrameTimeVector": [0, 20, 0, 400, 20, 20], "CineRate": 50}, [0, 0.02, 0.02, 0.42, 0.44, 0.46], None),
        ({"FrameTimeVector": [100, 100, 400, 100, 100]}, [0, 0.1, 0.5, 0.6, 0.7, 0.8], "times of 5 of 6 frames"),
        (
            {"FrameTimeVector": [0, 10, 10, 10, 10], "FrameTime": 40, "FrameIncrementPointer": VECTOR},
            [0, 0.01, 0.02, 0.03, 0.04, 0.05],
            "times of 5 of 6 frames",
        ),
        ({"FrameTimeVector": [0, 10, 10, 10, 10], "FrameTime": 40}, [0, 0.04, 0.08, 0.12, 0.16, 0.2], None),
        # The pointer decides between two that contradict each other.
        (
            {"FrameTimeVector": [0, 10, 10, 10, 10, 10], "FrameTime": 40, "FrameIncrementPointer": FRAME_TIME},
            [0, 0.04, 0.08, 0.12, 0.16, 0.2],
            None,
        ),
        ({"FrameTimeVector": [0, 10, 20, 10, 10, 10, 99, 99]}, [0, 0.01, 0.03, 0.04, 0.05, 0.06], None),
        ({"FrameTimeVector": [0, 0, 0, 0, 0, 0]}, [0, 0.04, 0.08, 0.12, 0.16, 0.2], "are assumed"),
    ],
)
def test_a_vector_of_times_is_followed_as_far_as_it_goes(values, wanted, told):
    times, period, warning = times_of(elements(**values), 6)
    assert list(times) == pytest.approx(wanted)
    assert period == pytest.approx(wanted[-1] / 5)
    assert (warning is None) == (told is None)
    assert told is None or told in warning


def test_a_vector_over_64_kb_comes_as_text_of_an_unknown_kind():
    made = Dataset()
    made.add_new(VECTOR, "UN", b"0\\" + b"\\".join([b"20.50000"] * 8999) + b" ")
    times, period, warning = times_of(made, 9000)
    assert times[:3] == pytest.approx([0, 0.0205, 0.041])
    assert times[-1] == pytest.approx(0.0205 * 8999)
    assert period == pytest.approx(0.0205)
    assert warning is None
