import numpy as np
import pytest

from fetalstream.pipeline.training import no_plane as module
from fetalstream.pipeline.training.no_plane import clutter, no_plane
from fetalstream.pipeline.training.stills import REAL_SIDE, TrainingStill

SIDE = 64


def real(label="brain"):
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:REAL_SIDE, :REAL_SIDE] - REAL_SIDE // 2
    ring = (np.abs(np.hypot(x, 1.3 * y) - 90) < 5) * 180 + rng.integers(0, 60, (REAL_SIDE, REAL_SIDE))
    return TrainingStill(ring.astype(np.uint8), label, None, None, real=True)


@pytest.mark.parametrize("maker", module._MAKERS)
def test_what_is_made_is_a_picture_on_the_scale_0_to_1_and_never_the_same(maker):
    made = [maker(real(), [real("heart"), real()], SIDE, np.random.default_rng(seed)) for seed in range(6)]
    for picture in made:
        assert picture.shape == (SIDE, SIDE)
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
        assert -1e-6 <= picture.min() <= picture.max() <= 1 + 1e-6
    assert len({picture.tobytes() for picture in made}) == 6


def test_it_shows_no_plane_whatever_it_was_made_of():
    samples = [no_plane([real("abdomen"), real("heart")], SIDE, np.random.default_rng(seed)) for seed in range(40)]
    assert {(each.label, each.subplane, each.head_px, each.in_plane, each.body) for each in samples} == {
        ("other", None, None, None, None)
    }
    assert all(np.isfinite(each.picture).all() for each in samples)


def test_a_piece_of_a_heart_is_smaller_than_the_heart():
    marked = np.zeros((REAL_SIDE, REAL_SIDE), np.uint8)
    marked[::2] = 255  # lines two pixels apart tell the magnification
    lines = [
        module._piece(TrainingStill(marked, label, None, None, True), [], 288, np.random.default_rng(seed))[:, 5]
        for label in ("heart", "brain")
        for seed in range(8)
    ]
    crossings = [int((np.diff(line > 0.5) != 0).sum()) for line in lines]
    assert max(crossings[:8]) < max(crossings[8:])


def test_clutter_shows_no_plane_and_is_never_the_same():
    samples = [clutter(SIDE, np.random.default_rng(seed)) for seed in range(12)]
    assert {(sample.label, sample.subplane, sample.head_px, sample.in_plane) for sample in samples} == {
        ("other", None, None, None)
    }
    assert len({sample.picture.tobytes() for sample in samples}) == 12
    assert all(sample.picture.std() > 0 for sample in samples)
