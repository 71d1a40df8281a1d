from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.streamer.phantom import head
from fetalstream.streamer.phantom.canvas import Pose
from fetalstream.streamer.phantom.view import SUBPLANES
from tests.streamer.phantom import bodies

BRAINS = {name: partial(head.brain, subplane=name) for name in SUBPLANES}
HEADS = {**BRAINS, "lips_nose": head.lips_nose, "profile": head.profile}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("holds", bodies.HOLDS, ids=lambda each: each.__name__)
def test_a_head(name, holds):
    holds(HEADS[name])


@pytest.mark.parametrize("subplane", SUBPLANES)
@pytest.mark.parametrize("days", [120, 160, 200])
def test_a_skull_is_as_long_and_as_wide_as_its_diameters(subplane, days):
    who = bodies.fetus(days=days)
    px_per_mm = 1.6
    skull = bodies.drawn(BRAINS[subplane], who, pose=Pose(160.0, 120.0, 0.0, 1, px_per_mm)).bone > 0
    rows, columns = np.flatnonzero(skull.any(axis=1)), np.flatnonzero(skull.any(axis=0))
    assert np.ptp(columns) / px_per_mm == pytest.approx(who.ofd_mm, rel=0.07)
    assert np.ptp(rows) / px_per_mm == pytest.approx(who.bpd_mm, rel=0.07)


def test_off_the_plane_the_head_is_cut_smaller():
    for subplane in SUBPLANES:
        areas = [bodies.area(BRAINS[subplane], z=z, share=0.0) for z in (0.0, 0.6, 1.2)]
        assert areas == sorted(areas, reverse=True)


def test_subplanes_differ_by_their_landmarks_alone():
    on_plane = [bodies.levels(BRAINS[name]) for name in SUBPLANES]
    off = [bodies.levels(BRAINS[name], share=0.0) for name in SUBPLANES]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(on_plane[one] - on_plane[other]).mean() > 0.5
        np.testing.assert_array_equal(off[one], off[other])


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([*HEADS]), st.fixed_dictionaries(bodies.any_fetus_and_pose(st)))
def test_no_fetus_and_no_pose_breaks_the_drawing(name, how):
    bodies.is_whole(bodies.drawn(HEADS[name], **how))
