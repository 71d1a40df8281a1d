import inspect
from pathlib import Path

import numpy as np
import pytest

from fetalstream.pipeline.training import __main__ as command
from fetalstream.pipeline.training.augment import augment, clutter
from fetalstream.pipeline.training.stills import (
    TrainingStill,
    hc18_rows,
    hc18_still,
    is_validation_exam,
    phantom_stills,
    square,
)
from fetalstream.streamer.phantom.tour import FIRST_TRAINING_SEED

SPLIT = Path(command.__file__).with_name("validation_exams.txt")


def test_evaluation_seeds_are_refused():
    with pytest.raises(ValueError, match="evaluation only"):
        next(phantom_stills(range(7, 8), 2))


def test_the_training_command_draws_from_training_seeds_alone():
    assert command._VALIDATION_SEEDS.start >= FIRST_TRAINING_SEED
    assert "range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + scans)" in inspect.getsource(command._phantom)


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


def test_the_committed_validation_exams_are_the_ones_that_the_split_gives(test_data: Path):
    committed = SPLIT.read_text().split()
    assert committed == sorted({row.exam for row in hc18_rows(test_data / "hc18", validation=True)})
    assert not {row.exam for row in hc18_rows(test_data / "hc18", validation=False)} & set(committed)
    assert all(is_validation_exam(exam) for exam in committed)


def test_head_size_follows_the_zoom(test_data: Path):
    still = hc18_still(hc18_rows(test_data / "hc18", validation=False)[0])
    sizes = [augment(still, 128, np.random.default_rng(seed)).head_px for seed in range(20)]
    assert still.head_px is not None
    plain = still.head_px * 128 / 192
    assert all(size is not None and 0.7 * plain < size < 1.26 * plain for size in sizes)
    assert len(set(sizes)) == 20


def test_samples_stay_in_range():
    still = TrainingStill(np.full((192, 192), 200, np.uint8), "other", None, None, real=False)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        for sample in (augment(still, 64, rng), clutter(64, rng)):
            assert sample.picture.shape == (64, 64)
            assert sample.picture.dtype == np.float32
            assert 0 <= sample.picture.min() <= sample.picture.max() <= 1
