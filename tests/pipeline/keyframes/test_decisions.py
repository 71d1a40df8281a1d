import numpy as np
import pytest

from fetalstream.pipeline.keyframes.decisions import Decisions
from fetalstream.pipeline.keyframes.keyframe_store import KeyframeStore
from fetalstream.pipeline.keyframes.stored_keyframe import StoredKeyframe
from tests.scripted_engine import frame_info


def stored(score, plane="brain"):
    return StoredKeyframe(np.zeros((2, 2), np.uint8), plane, None, score, {}, frame_info(0), None)


@pytest.fixture
def keyframe_store():
    keyframe_store = KeyframeStore()
    keyframe_store.offer(stored(0.8))
    keyframe_store.flush()
    return keyframe_store


def test_after_a_refusal_lesser_frames_are_wanted_again_until_it_is_taken_back(keyframe_store):
    decisions = Decisions()
    (best,) = keyframe_store
    decisions.announced(best.keyframe)
    assert not keyframe_store.wants("brain", 0.5, frame_info(0))
    decisions.decide(keyframe_store, best.keyframe, "reject", None, None)
    assert keyframe_store.wants("brain", 0.5, frame_info(0))
    keyframe_store.offer(stored(0.5))
    keyframe_store.flush()
    decisions.undo(keyframe_store)
    assert [each.score for each in keyframe_store] == [0.8]


def test_a_better_frame_that_came_meanwhile_stays(keyframe_store):
    decisions = Decisions()
    (best,) = keyframe_store
    decisions.announced(best.keyframe)
    decisions.decide(keyframe_store, best.keyframe, "reject", None, None)
    keyframe_store.offer(stored(0.9))
    keyframe_store.flush()
    decisions.undo(keyframe_store)
    assert [each.score for each in keyframe_store] == [0.9]


def test_what_can_be_decided_on_is_bounded(keyframe_store):
    decisions = Decisions()
    for number in range(2_001):
        decisions.announced(str(number))
    with pytest.raises(ValueError, match="no best frame"):
        decisions.decide(keyframe_store, "0", "accept", None, None)
    assert decisions.decide(keyframe_store, "2000", "accept", None, None)["verdict"] == "accept"
