import numpy as np
import pytest

from fetalstream.pipeline.evaluation.phantom_scores import phantom_scores_of
from fetalstream.streamer.phantom.source import PhantomSource
from tests.pipeline.doubles import Done, EncoderDouble

SEED = 1_900_000
BEGINS_IN_THE_DARK = 1_940_001


@pytest.fixture(scope="module")
def made():
    return phantom_scores_of(SEED, 1.0, EncoderDouble())


@pytest.fixture(scope="module")
def dark():
    return phantom_scores_of(BEGINS_IN_THE_DARK, 4.0, EncoderDouble())


def test_a_scan_has_a_row_a_frame_with_its_truth(made):
    source = PhantomSource(SEED, seconds=1.0)
    assert len(made) == source.frames_expected == 30
    truths = [source.truth(index) for index in range(30)]
    assert made.true_plane.tolist() == [truth.plane or "" for truth in truths]
    assert made.true_label.tolist() == [truth.label or "" for truth in truths]
    np.testing.assert_allclose(made.in_plane, [truth.in_plane for truth in truths])
    assert set(made.gestation_days.tolist()) == {truths[0].gestation_days}
    assert (np.diff(made.pts_seconds) > 0).all()


def test_all_columns_are_equally_long(made):
    names = made.__dataclass_fields__
    assert {len(getattr(made, name)) for name in names} == {30}
    assert made.embedding.shape == (30, 175)
    assert made.planes.shape == (30, 3)
    assert made.subplanes.shape == (30, 2)


def test_quality_is_kept_for_every_frame(made):
    for name in ("contrast", "sharpness", "steadiness"):
        values = getattr(made, name).astype(float)
        assert ((values >= 0) & (values <= 1)).all(), name


def test_a_scan_may_begin_in_the_dark(dark):
    first = int(dark.analysed.argmax())
    assert first > 30
    np.testing.assert_array_equal(dark.embedding[:first], np.tile(dark.embedding[first], (first, 1)))


def test_a_frame_that_is_not_analysed_has_the_scores_of_the_frame_before(dark):
    repeats = np.flatnonzero(~dark.analysed)
    assert len(repeats)
    for row in repeats[repeats > 0].tolist():
        np.testing.assert_array_equal(dark.planes[row], dark.planes[row - 1])


def test_only_analysed_frames_go_through_the_model():
    encoder = EncoderDouble()
    made = phantom_scores_of(SEED, 0.5, encoder)
    assert sum(encoder.batches) == made.analysed.sum()
    assert max(encoder.batches) <= 8


def test_scores_of_a_scan_are_kept(tmp_path):
    encoder = EncoderDouble()
    made = phantom_scores_of(SEED, 0.5, encoder, tmp_path)
    asked = len(encoder.batches)
    again = phantom_scores_of(SEED, 0.5, encoder, tmp_path)
    assert len(encoder.batches) == asked
    for name in made.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(again, name), getattr(made, name))
    assert [path.name for path in tmp_path.iterdir()] == [f"{SEED}.npz"]


def test_a_kept_file_of_another_length_is_made_anew(tmp_path):
    encoder = EncoderDouble()
    assert len(phantom_scores_of(SEED, 0.5, encoder, tmp_path)) == 15
    assert len(phantom_scores_of(SEED, 0.2, encoder, tmp_path)) == 6
    assert len(phantom_scores_of(SEED, 0.2, encoder, tmp_path)) == 6


def test_a_kept_file_without_all_columns_is_made_anew(tmp_path):
    made = phantom_scores_of(SEED, 0.2, EncoderDouble(), tmp_path)
    np.savez(tmp_path / f"{SEED}.npz", pts_seconds=made.pts_seconds)
    encoder = EncoderDouble()
    assert len(phantom_scores_of(SEED, 0.2, encoder, tmp_path)) == 6
    assert encoder.batches


def test_an_output_that_is_not_finite_is_an_error_and_leaves_no_file(tmp_path):
    class Broken(EncoderDouble):
        def submit(self, items):
            return Done([None for _ in items])

    with pytest.raises(ValueError, match="is not finite"):
        phantom_scores_of(SEED, 0.2, Broken(), tmp_path)
    assert list(tmp_path.iterdir()) == []
