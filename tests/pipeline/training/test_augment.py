import numpy as np
import pytest

from fetalstream.pipeline.training.augment import augment, framed_head, plain, speckle_fan
from fetalstream.pipeline.training.stills import STILL_SIDE, TrainingStill

SIDE = 64


def still(**changes):
    """A bright disc of 40 pixels' radius in the middle."""
    y, x = np.mgrid[:STILL_SIDE, :STILL_SIDE] - STILL_SIDE // 2
    disc = ((x**2 + y**2 < 40**2) * 200).astype(np.uint8)
    labels = {"label": "brain", "subplane": "trans-thalamic", "head_px": 251.3, "real": False, "in_plane": 0.8,
              "body": "brain"}  # fmt: skip
    return TrainingStill(disc, **{**labels, **changes})


def variants(count=30, side=SIDE, **changes):
    return [augment(still(**changes), side, np.random.default_rng(seed)) for seed in range(count)]


def test_a_variant_is_a_picture_of_the_side_asked_for_on_the_scale_0_to_1():
    for sample in variants():
        assert sample.picture.shape == (SIDE, SIDE)
        assert sample.picture.dtype == np.float32
        assert 0 <= sample.picture.min() <= sample.picture.max() <= 1


def test_the_same_generator_gives_the_same_variant_and_another_another():
    one, again, other = (augment(still(), SIDE, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.picture, again.picture)
    assert one.head_px == again.head_px != other.head_px


def test_labels_are_kept():
    for sample in variants(5):
        assert (sample.label, sample.subplane, sample.in_plane, sample.body) == (
            "brain", "trans-thalamic", 0.8, "brain",
        )  # fmt: skip


def test_a_still_without_a_head_has_none_afterwards():
    assert {sample.head_px for sample in variants(5, head_px=None, label="other")} == {None}


def test_head_size_follows_the_zoom_that_is_seen():
    sizes, widths = [], []
    for sample in variants(60):
        lit = (sample.picture > 0.5 * sample.picture.max()).any(axis=0).sum()
        if 0 < lit < SIDE - 8 and not (sample.picture == 0).all(axis=0)[SIDE // 2]:
            sizes.append(sample.head_px)
            widths.append(lit)
    assert len(sizes) > 20
    assert np.corrcoef(sizes, widths)[0, 1] > 0.7


@pytest.mark.parametrize("side", [32, 64, 128])
def test_head_size_is_in_pixels_of_the_picture_asked_for(side):
    sizes = [sample.head_px / side for sample in variants(10, side)]
    assert sizes == pytest.approx([sample.head_px / SIDE for sample in variants(10)])


def test_some_variants_are_covered_by_black_boxes_or_cut_at_the_edge():
    white = [augment(still(), SIDE, np.random.default_rng(seed)).picture for seed in range(80)]
    cut = sum(bool((picture[:, 0] == 0).all() or (picture[:, -1] == 0).all()) for picture in white)
    assert cut >= 10


def test_only_real_pictures_are_turned_upside_down():
    """The phantom's probe is at the top: a marker there must stay in the upper half."""
    marked = np.zeros((STILL_SIDE, STILL_SIDE), np.uint8)
    marked[:60, 76:116] = 255

    def upper_share(real):
        marker = still(real=real)
        marker = TrainingStill(marked, marker.label, None, None, real)
        pictures = [augment(marker, SIDE, np.random.default_rng(seed)).picture for seed in range(40)]
        return np.mean([picture[: SIDE // 2].sum() > picture[SIDE // 2 :].sum() for picture in pictures])

    assert upper_share(False) == 1.0
    assert 0.6 < upper_share(True) < 1.0


def test_a_plain_sample_is_the_still_resized():
    sample = plain(still(), 96)
    assert sample.picture.shape == (96, 96)
    assert sample.head_px == pytest.approx(251.3 / 2)
    assert sample.picture[48, 48] == pytest.approx(200 / 255)
    assert sample.picture[0, 0] == 0
    assert plain(still(head_px=None), 96).head_px is None


def head():
    """A bright ring of 40 pixels' radius in the middle, with its mask."""
    y, x = np.mgrid[:STILL_SIDE, :STILL_SIDE] - STILL_SIDE // 2
    far = np.hypot(x, y)
    ring = ((np.abs(far - 40) < 3) * 220).astype(np.uint8)
    mask = ((far < 43) * 255).astype(np.uint8)
    return TrainingStill(ring, "brain", None, 2 * np.pi * 40, True, head_mask=mask)


def test_a_framed_head_is_shown_from_a_third_to_more_than_its_size():
    samples = [framed_head(head(), SIDE, np.random.default_rng(seed)) for seed in range(200)]
    shares = np.array([sample.head_px / (2 * np.pi * 40 * SIDE / STILL_SIDE) for sample in samples])
    assert 0.33 <= shares.min() < 0.4
    assert 1.1 < shares.max() <= 1.22
    for sample in samples:
        assert sample.picture.shape == (SIDE, SIDE)
        assert np.isfinite(sample.picture).all()
        assert 0 <= sample.picture.min() <= sample.picture.max() <= 1
        assert (sample.label, sample.in_plane) == ("brain", None)


def test_speckle_has_the_level_asked_for_and_no_two_are_alike():
    fans = [speckle_fan(96, 0.2, np.random.default_rng(seed)) for seed in range(10)]
    assert len({fan.tobytes() for fan in fans}) == 10
    lit = np.concatenate([fan[fan > 0] for fan in fans])
    assert lit.mean() == pytest.approx(0.2, abs=0.1)
    assert all(np.isfinite(fan).all() and fan.min() >= 0 and fan.max() <= 1 for fan in fans)
