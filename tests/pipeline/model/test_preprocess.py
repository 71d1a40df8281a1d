import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fetalstream.pipeline.model.preprocess import Preprocess, input_spacing_mm

CPU = torch.device("cpu")
MEAN, STD = (0.5, 0.4, 0.3), (0.3, 0.2, 0.1)


def bytes_of(tensor: torch.Tensor) -> np.ndarray:
    """(S, S, 3) on the scale 0 to 255, before normalisation."""
    mean, std = torch.tensor(MEAN).reshape(3, 1, 1), torch.tensor(STD).reshape(3, 1, 1)
    return ((tensor * std + mean) * 255).permute(1, 2, 0).numpy()


def by_pil(pixels: np.ndarray, size: int) -> np.ndarray:
    picture = Image.fromarray(pixels).convert("RGB")
    side = max(picture.size)
    square = Image.new("RGB", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return np.asarray(square.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float32)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    colour=st.booleans(),
    size=st.sampled_from([16, 33, 64]),
    seed=st.integers(0, 100),
)
def test_like_pil_within_two_of_255(height, width, colour, size, seed):
    shape = (height, width, 3) if colour else (height, width)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    ours = bytes_of(Preprocess(size, MEAN, STD, CPU, torch.float32)(pixels))
    assert np.abs(ours - by_pil(pixels, size)).max() <= 2.01


def test_the_smaller_half_of_the_border_is_left_and_top():
    white = np.full((4, 7), 255, dtype=np.uint8)
    out = bytes_of(Preprocess(7, MEAN, STD, CPU, torch.float32)(white))[:, 0, 0]
    assert out.round().tolist() == [0, 255, 255, 255, 255, 0, 0]


def test_read_only_and_strided_frames_are_taken_as_they_are():
    pixels = np.arange(40 * 60, dtype=np.uint8).reshape(40, 60)
    pixels.flags.writeable = False
    preprocess = Preprocess(32, MEAN, STD, CPU, torch.float32)
    window = pixels[5:35, 10:50]
    assert torch.equal(preprocess(window), preprocess(window.copy()))


def test_gray_and_its_three_channels_agree():
    gray = np.random.default_rng(0).integers(0, 256, (50, 70), dtype=np.uint8)
    preprocess = Preprocess(32, MEAN, STD, CPU, torch.float32)
    three = np.repeat(gray[..., None], 3, axis=2)
    assert np.abs(bytes_of(preprocess(gray)) - bytes_of(preprocess(three))).max() <= 1.01


def test_the_type_asked_for():
    out = Preprocess(32, MEAN, STD, CPU, torch.bfloat16)(np.zeros((8, 8), dtype=np.uint8))
    assert (out.shape, out.dtype) == ((3, 32, 32), torch.bfloat16)


@pytest.mark.parametrize(("shape", "wanted"), [((480, 640), 640 / 224 * 0.2), ((640, 480), 640 / 224 * 0.2)])
def test_the_spacing_of_the_input(shape, wanted):
    assert input_spacing_mm(*shape, 0.2, 224) == pytest.approx(wanted)
