import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.pipeline.inference.device_resize import DeviceResize
from tests.pipeline.model.test_preprocess import CPU, MEAN, STD, by_pil, bytes_of


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    colour=st.booleans(),
    size=st.sampled_from([16, 33, 64]),
    seed=st.integers(0, 100),
)
def test_like_pil_within_two_of_255(height, width, colour, size, seed):
    shape = (2, height, width, 3) if colour else (2, height, width)
    pictures = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    ours = DeviceResize(size, MEAN, STD, CPU)(torch.from_numpy(pictures))
    for one, picture in zip(ours, pictures, strict=True):
        assert np.abs(bytes_of(one) - by_pil(picture, size)).max() <= 2.01
