import numpy as np
import pytest
import torch
from PIL import Image

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.pictures import read_picture
from fetalstream.pipeline.model.preprocess import Preprocess

SIDE = 32


def saved(path, pixels):
    Image.fromarray(pixels).save(path)
    return path


def noise(shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(40, 60), (61, 40), (50, 50), (20, 30, 3)])
def test_the_models_own_preprocessing_is_within_two_grey_levels(tmp_path, shape):
    pixels = noise(shape)
    read = read_picture(saved(tmp_path / "picture.png", pixels), SIDE)
    own = Preprocess(SIDE, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), torch.device("cpu"), torch.float32)(pixels) * 255
    assert (read.height, read.width) == shape[:2]
    assert read.pixels.shape == (SIDE, SIDE, 3)
    assert np.abs(read.pixels.astype(float) - own.permute(1, 2, 0).numpy()).max() <= 2.0


def test_the_smaller_half_of_the_border_is_at_the_top(tmp_path):
    white = np.full((61, 64), 255, np.uint8)
    rows = read_picture(saved(tmp_path / "white.png", white), 64).pixels[:, 32, 0]
    assert rows.tolist() == [0] + [255] * 61 + [0] * 2


def test_the_smaller_half_of_the_border_is_at_the_left(tmp_path):
    white = np.full((64, 61), 255, np.uint8)
    columns = read_picture(saved(tmp_path / "white.png", white), 64).pixels[32, :, 0]
    assert columns.tolist() == [0] + [255] * 61 + [0] * 2


def test_gray_and_transparent_pictures_become_rgb(tmp_path):
    gray = read_picture(saved(tmp_path / "gray.png", noise((32, 32))), SIDE).pixels
    assert (gray[..., 0] == gray[..., 1]).all()
    clear = read_picture(saved(tmp_path / "clear.png", noise((32, 32, 4))), SIDE).pixels
    assert clear.shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize("content", [None, b"", b"not a picture", b"\x89PNG\r\n\x1a\n broken"])
def test_a_picture_that_cannot_be_read_is_one_line_with_its_path(tmp_path, content):
    path = tmp_path / "picture.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"picture\.png: missing, or not an image") as caught:
        read_picture(path, SIDE)
    assert "\n" not in str(caught.value)
