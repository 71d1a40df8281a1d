"""What two frames of a stream have in common."""

import pytest

from fetalstream.pipeline.readout.segment import Segment

FIRST = Segment("exam-1", 3, 2, 1)


def test_segments_are_compared_by_value():
    assert Segment("exam-1", 3, 2, 1) == FIRST
    assert len({FIRST, Segment("exam-1", 3, 2, 1), Segment("exam-1", 3, 2, 2)}) == 2


@pytest.mark.parametrize(
    ("other", "same_picture", "same_ages"),
    [
        (Segment("exam-2", 3, 2, 1), False, False),
        (Segment("exam-1", 4, 2, 1), False, True),
        (Segment("exam-1", 3, 3, 1), False, True),
        (Segment("exam-1", 3, 2, 2), True, False),
    ],
    ids=["exam", "epoch", "masking", "scale"],
)
def test_each_field_ends_what_it_should(other, same_picture, same_ages):
    assert other != FIRST
    assert (other.picture == FIRST.picture) == same_picture
    assert (other.ages == FIRST.ages) == same_ages


def test_a_segment_cannot_be_changed():
    with pytest.raises(AttributeError):
        FIRST.epoch = 4
