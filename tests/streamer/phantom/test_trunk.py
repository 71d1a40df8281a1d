import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.streamer.phantom import trunk
from tests.streamer.phantom import bodies

PARTS = {
    "abdomen": trunk.abdomen, "femur": trunk.femur, "kidney": trunk.kidney, "spine": trunk.spine,
    "heart": partial(trunk.heart, beat=0.7), "cervix": trunk.cervix,
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("holds", bodies.HOLDS, ids=lambda each: each.__name__)
def test_a_part(name, holds):
    if name == "cervix" and holds is bodies.grows_with_age:
        young, old = (bodies.area(PARTS[name], who=bodies.fetus(days=days)) for days in (115, 200))
        assert old == pytest.approx(young, rel=0.25), "it is the mother's"
        return
    holds(PARTS[name])


def test_parts_are_told_apart():
    pictures = [bodies.levels(part) for part in PARTS.values()]
    for one in range(len(pictures)):
        for other in range(one):
            assert np.abs(pictures[one] - pictures[other]).mean() > 2


def test_a_heart_beats_in_a_cycle():
    beats = [bodies.levels(partial(trunk.heart, beat=beat)) for beat in (0.0, math.pi / 2, 2 * math.pi)]
    assert (beats[0] != beats[1]).any()
    np.testing.assert_array_equal(beats[0], beats[2])


def test_bones_cast_a_shadow_and_organs_do_not():
    assert bodies.drawn(trunk.femur).bone.max() > 0
    assert bodies.drawn(trunk.spine).bone.max() > 0
    assert (bodies.drawn(trunk.abdomen).bone > 0).mean() < (bodies.drawn(trunk.abdomen).level != 60).mean() / 4


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([*PARTS]), st.fixed_dictionaries(bodies.any_fetus_and_pose(st)))
def test_no_fetus_and_no_pose_breaks_the_drawing(name, how):
    bodies.is_whole(bodies.drawn(PARTS[name], **how))
