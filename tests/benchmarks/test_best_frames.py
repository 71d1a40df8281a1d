import numpy as np
import pytest

from benchmarks.best_frames import EQUAL, WITHOUT, changed, readings, regrets
from fetalstream.pipeline.keyframes import keyframe_store, stored_keyframe
from fetalstream.pipeline.stream import keyframe_selector
from tests.pipeline.doubles import FACTS
from tests.pipeline.training.test_fit import PLANES, scan


def constants():
    return dict(stored_keyframe.WEIGHTS), keyframe_selector.HINDSIGHT_SECONDS, keyframe_store.MIN_GAIN


def test_constants_are_other_ones_inside_and_as_they_were_afterwards():
    before = constants()
    with changed(EQUAL, 0.0, 0.05):
        assert constants() == (EQUAL, 0.0, 0.05)
    assert constants() == before


def test_constants_are_put_back_after_an_error_too():
    before = constants()
    with pytest.raises(ZeroDivisionError), changed(EQUAL, 0.0, 0.05):
        raise ZeroDivisionError
    assert constants() == before


def test_each_variant_leaves_one_part_out():
    assert len(WITHOUT) == len(stored_keyframe.WEIGHTS)
    for name, weights in WITHOUT.items():
        part = name.removeprefix("without ")
        assert weights[part] == 0.0
        assert {key for key, value in weights.items() if value != stored_keyframe.WEIGHTS[key]} <= {part}


@pytest.fixture(scope="module")
def read():
    assert FACTS.planes == PLANES
    return readings(scan(0), FACTS)


def test_every_frame_has_its_reading(read):
    assert [reading.frame.index for _, reading in read] == list(range(300))
    for prepared, reading in read:
        assert sum(score.raw for score in reading.planes.values()) == pytest.approx(1.0)
        assert sum(score.smoothed for score in reading.planes.values()) == pytest.approx(1.0)
        assert prepared.action == "analyse"
        assert not reading.reused
    assert read[100][1].plane == "brain"
    assert read[150][1].plane is None


def test_repeated_frames_are_reused():
    frozen = scan(0)
    frozen.analysed[100:] = False
    read = readings(frozen, FACTS)
    assert [prepared.action for prepared, _ in read[98:102]] == ["analyse", "analyse", "reuse", "reuse"]


def test_a_scan_that_is_hit_everywhere_has_no_regrets(read):
    found = regrets(scan(0), read, FACTS)
    assert found == pytest.approx([0.0, 0.0, 0.0])


def test_a_plane_whose_best_frame_was_never_kept_is_regretted_whole(read):
    named_nothing = [(prepared, reading) for prepared, reading in read if reading.frame.index < 30]
    found = regrets(scan(0), named_nothing, FACTS)
    assert np.array(found).tolist() == [1.0, 1.0, 1.0]
