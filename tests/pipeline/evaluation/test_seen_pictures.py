from pathlib import Path

import cv2
import numpy as np
import pytest

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation import seen_pictures
from fetalstream.pipeline.evaluation.seen_pictures import SeenPictures, difference_hash, seen_by


def scene(seed):
    """Smooth blobs, unlike those of any other seed."""
    noise = np.random.default_rng(seed).standard_normal((270, 400)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 25)
    return cv2.normalize(soft, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


@pytest.fixture
def seen():
    return SeenPictures(difference_hash(scene(seed)) for seed in range(5))


def test_a_copy_of_another_size_and_format_is_the_same_picture(seen, tmp_path):
    larger = cv2.resize(scene(3), (800, 540), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(tmp_path / "renamed.png"), larger)
    cv2.imwrite(str(tmp_path / "compressed.jpg"), larger, [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert seen.holds(tmp_path / "renamed.png")
    assert seen.holds(tmp_path / "compressed.jpg")


def test_another_picture_is_not(seen, tmp_path):
    cv2.imwrite(str(tmp_path / "001_HC.png"), scene(77))
    assert not seen.holds(tmp_path / "001_HC.png")
    assert not SeenPictures([]).holds(tmp_path / "001_HC.png")


def test_a_picture_that_cannot_be_read_is_named(seen, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ConfigError, match="broken"):
        seen.holds(tmp_path / "broken.png")


def test_weights_without_a_list_are_not_believed_to_have_seen_nothing():
    with pytest.raises(ConfigError, match=r"other\.seen\.txt is missing"):
        seen_by("other.safetensors")


def test_the_bundled_list_holds_the_heads_of_training_and_no_validation_exam(test_data: Path):
    from fetalstream.pipeline.training.folds import NEVER
    from fetalstream.pipeline.training.real_pictures import hc18

    seen = seen_by("mini.safetensors")
    assert len(seen) == 590
    folder = test_data / "hc18" / "images"
    for picture in hc18(test_data / "hc18"):
        assert seen.holds(folder / picture.name) == (picture.fold != NEVER), picture.name


def test_full_size_originals_are_told_by_their_half_size_copies(test_data: Path):
    for path in sorted((test_data / "hc18_full_size").rglob("*_HC.png")):
        half = cv2.imread(str(test_data / "hc18" / "images" / path.name), cv2.IMREAD_GRAYSCALE)
        full = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        differing = np.unpackbits(difference_hash(half) ^ difference_hash(full)).sum()
        assert differing <= seen_pictures._SAME_BITS // 4
