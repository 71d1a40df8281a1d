import numpy as np
import pytest

from fetalstream.pipeline.training.real_pictures import RealPicture
from fetalstream.pipeline.training.stills import REAL_SIDE, phantom_stills, real_still, square


def test_evaluation_seeds_are_refused():
    with pytest.raises(ValueError, match="evaluation only"):
        next(phantom_stills(range(7, 8), 2))


def test_stills_are_half_planes_with_truth():
    stills = list(phantom_stills(range(1_000_000, 1_000_001), 8))
    assert sum(still.label == "other" for still in stills) == 4
    for still in stills:
        assert still.picture.shape == (192, 192)
        assert (still.head_px is not None) == (still.label == "brain")


def test_a_padded_square_is_centred_with_the_smaller_half_at_the_top():
    picture, scale = square(np.full((191, 384), 255, np.uint8))
    assert scale == pytest.approx(0.5)
    lit = np.flatnonzero(picture[:, 96] > 127)
    assert (lit[0], 191 - lit[-1]) == (48, 48)


def test_a_real_picture_keeps_its_labels_and_its_head_shrinks_with_it():
    pixels = np.full((432, 576), 90, np.uint8)
    mask = np.zeros_like(pixels)
    mask[200:300, 250:350] = 255
    picture = RealPicture(pixels, "hc18", "a.png", "001", "brain", "trans-thalamic", None, 400.0, mask)
    still = real_still(picture)
    assert still.picture.shape == still.head_mask.shape == (REAL_SIDE, REAL_SIDE)
    assert (still.label, still.subplane, still.real) == ("brain", "trans-thalamic", True)
    assert still.head_px == pytest.approx(400 * REAL_SIDE / 576)
    rows = np.flatnonzero(still.head_mask.any(axis=1))
    assert rows[0] == pytest.approx((72 + 200) / 2, abs=1)
    bare = real_still(RealPicture(pixels, "fugc", "b.png", "b", "cervix"))
    assert (bare.head_px, bare.head_mask) == (None, None)
