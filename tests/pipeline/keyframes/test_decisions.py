import numpy as np
import pytest

from fetalstream.pipeline.keyframes.decisions import Decisions
from fetalstream.pipeline.keyframes.keyframes import Shelved
from fetalstream.pipeline.keyframes.shelf import KeyframeShelf
from tests.scripted_engine import frame_info


def shelved(score, plane="brain"):
    return Shelved(np.zeros((2, 2), np.uint8), plane, None, score, {}, frame_info(0), None)


@pytest.fixture
def shelf():
    shelf = KeyframeShelf()
    shelf.offer(shelved(0.8))
    shelf.flush()
    return shelf


def test_after_a_refusal_lesser_frames_are_wanted_again_until_it_is_taken_back(shelf):
    decisions = Decisions()
    (best,) = shelf
    decisions.announced(best.keyframe)
    assert not shelf.wants("brain", 0.5, frame_info(0))
    decisions.decide(shelf, best.keyframe, "reject", None, None)
    assert shelf.wants("brain", 0.5, frame_info(0))
    shelf.offer(shelved(0.5))
    shelf.flush()
    decisions.undo(shelf)
    assert [each.score for each in shelf] == [0.8]


def test_a_better_frame_that_came_meanwhile_stays(shelf):
    decisions = Decisions()
    (best,) = shelf
    decisions.announced(best.keyframe)
    decisions.decide(shelf, best.keyframe, "reject", None, None)
    shelf.offer(shelved(0.9))
    shelf.flush()
    decisions.undo(shelf)
    assert [each.score for each in shelf] == [0.9]


def test_what_can_be_decided_on_is_bounded(shelf):
    decisions = Decisions()
    for number in range(2_001):
        decisions.announced(str(number))
    with pytest.raises(ValueError, match="no best frame"):
        decisions.decide(shelf, "0", "accept", None, None)
    assert decisions.decide(shelf, "2000", "accept", None, None)["verdict"] == "accept"
