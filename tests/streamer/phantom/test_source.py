import itertools

import cv2
import numpy as np
import pytest

from fetalstream.streamer.phantom.screen import PICTURE
from fetalstream.streamer.phantom.source import PLANES, SUBPLANES, PhantomSource

EVALUATION = (7, 8, 9, 10, 11)


def _runs(labels: list[str | None]) -> list[str | None]:
    return [label for label, _ in itertools.groupby(labels)]


def test_the_same_seed_draws_the_same_scan():
    first, second = PhantomSource(7), PhantomSource(7)
    for index in (0, 200, 1700):
        np.testing.assert_array_equal(first.frame(index).pixels, second.frame(index).pixels)
        assert first.truth(index) == second.truth(index)


def test_other_seeds_draw_other_scans():
    assert PhantomSource(7).truth(0).gestation_days != PhantomSource(8).truth(0).gestation_days


def test_frames_count_on_and_end_where_asked():
    frames = list(PhantomSource(3, seconds=0.2))
    assert [frame.index for frame in frames] == list(range(6))
    assert frames[3].pts_seconds == pytest.approx(0.1)
    assert frames[0].pixels.shape == (480, 640)
    assert frames[0].spacing_from == "phantom"


@pytest.mark.parametrize("seed", EVALUATION)
def test_a_minute_visits_six_planes_and_is_mostly_no_plane(seed: int):
    source = PhantomSource(seed)
    labels = [source.truth(index).label for index in range(1800)]
    visits = [label for label in _runs([label for label in labels if label]) if label != "other"]
    assert len(visits) >= 6
    assert "brain" in visits
    assert sum(label not in PLANES for label in labels) >= 900


def test_all_planes_and_subplanes_come_by():
    truths = [PhantomSource(7).truth(index) for index in range(0, 30 * 240, 15)]
    assert {truth.plane for truth in truths} >= set(PLANES)
    assert {truth.subplane for truth in truths} >= set(SUBPLANES)


def test_some_pictures_are_frozen():
    source = PhantomSource(8)
    views = [source._tour.view_at(index) for index in range(1800)]
    still = sum(a.seconds == b.seconds for a, b in itertools.pairwise(views))
    assert still >= 15
    frozen = next(i for i, (a, b) in enumerate(itertools.pairwise(views)) if a.seconds == b.seconds)
    np.testing.assert_array_equal(source.frame(frozen).pixels, source.frame(frozen + 1).pixels)


def test_depth_changes_raise_the_epoch():
    source = PhantomSource(9)
    seen: dict[int, set[float]] = {}
    for index in range(0, 1800, 10):
        frame = source.frame(index) if index % 300 == 0 else None
        truth = source.truth(index)
        seen.setdefault(truth.leg, set()).add(truth.spacing_mm)
        assert frame is None or frame.epoch == truth.leg
    assert all(len(spacings) == 1 for spacings in seen.values())
    assert len({next(iter(spacings)) for spacings in seen.values()}) > 5


def test_nothing_is_drawn_outside_the_sector():
    source = PhantomSource(10)
    for index in (0, 500, 1000):
        inside = np.zeros((480, 640), np.uint8)
        cv2.fillPoly(inside, [np.rint(source.truth(index).sector).astype(np.int32)], (255,))
        inside = cv2.dilate(inside, np.ones((5, 5), np.uint8))  # the outline is a polygon, the sector has arcs
        assert source.frame(index).pixels[inside == 0].max(initial=0) == 0


def test_an_operators_spacing_goes_before_the_true_one():
    frame = PhantomSource(7, spacing_mm=0.5).frame(0)
    assert (frame.spacing_mm, frame.spacing_from) == (0.5, "operator")


def test_the_screen_surrounds_the_picture_with_a_name():
    bare, dressed = PhantomSource(7).frame(30), PhantomSource(7, screen=True).frame(30)
    left, top, width, height = PICTURE
    np.testing.assert_array_equal(dressed.pixels[top : top + height, left : left + width], bare.pixels)
    assert dressed.pixels[8:30, 8:200].max() > 150
    assert dressed.spacing_mm == bare.spacing_mm


def test_the_ruler_has_a_tick_every_centimetre():
    frame = PhantomSource(7, screen=True).frame(30)
    ticks = np.flatnonzero(frame.pixels[:, 72] == 220)
    assert frame.spacing_mm is not None
    assert np.diff(ticks).mean() == pytest.approx(10 / frame.spacing_mm, rel=0.01)


def test_a_closed_source_ends():
    source = PhantomSource(7)
    frames = iter(source)
    next(frames)
    source.close()
    assert list(frames) == []
