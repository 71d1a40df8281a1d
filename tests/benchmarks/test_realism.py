import math

import numpy as np
import pytest
import torch

from benchmarks.realism import MIDDLE, SIDE, SPREAD, _mirrored, plainly_read_px, read_px, tensor, zoomed
from fetalstream.pipeline.training.augment import plain
from fetalstream.pipeline.training.stills import STILL_SIDE, TrainingStill


def disc(radius=40):
    y, x = np.mgrid[:STILL_SIDE, :STILL_SIDE] - STILL_SIDE / 2
    picture = ((x**2 + y**2 < radius**2) * 200).astype(np.uint8)
    return TrainingStill(picture, "brain", None, 2 * math.pi * radius, real=True)


class Ruler(torch.nn.Module):
    """Measures the disc by its area, as the network of the benchmark would say it."""

    def forward(self, batch):
        bright = (batch[:, 0] * 0.27 + 0.45) > 0.3
        around_px = 2 * (math.pi * bright.sum(dim=(1, 2))).float().sqrt()
        return ((around_px.log() - MIDDLE) / SPREAD)[:, None]


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.5])
def test_a_zoom_scales_the_picture_and_the_head(factor):
    still = zoomed(disc(), factor)
    assert still.head_px == pytest.approx(disc().head_px * factor)
    assert (still.picture > 100).sum() == pytest.approx((disc().picture > 100).sum() * factor**2, rel=0.03)
    assert still.picture.shape == (STILL_SIDE, STILL_SIDE)


def test_a_reading_is_in_pixels_of_the_still():
    (px,) = plainly_read_px(Ruler(), [disc()])
    assert px == pytest.approx(disc().head_px, rel=0.02)


def test_more_stills_than_a_batch_are_read_in_order():
    stills = [disc(radius) for radius in range(20, 60)]
    found = plainly_read_px(Ruler(), stills)
    assert found == pytest.approx([still.head_px for still in stills], rel=0.05)


@pytest.mark.parametrize("radius", [20, 40, 70])
def test_a_reading_at_the_usual_size_is_in_pixels_of_the_still_as_it_was(radius):
    (px,) = read_px(Ruler(), [disc(radius)], usual_px=250.0)
    assert px == pytest.approx(disc(radius).head_px, rel=0.02)


def test_each_still_is_read_in_four_mirrored_views():
    corner = np.zeros((STILL_SIDE, STILL_SIDE), np.uint8)
    corner[:10, :20] = 255
    views = _mirrored(TrainingStill(corner, "brain", None, None, real=True))
    assert {tuple(np.argwhere(view.picture)[0]) for view in views} == {
        (0, 0), (0, STILL_SIDE - 20), (STILL_SIDE - 10, 0), (STILL_SIDE - 10, STILL_SIDE - 20),
    }  # fmt: skip


def test_the_networks_input_is_gray_in_three_channels():
    made = tensor([plain(disc(), SIDE)])
    assert made.shape == (1, 3, SIDE, SIDE)
    assert torch.equal(made[:, 0], made[:, 2])
    assert float(made[0, 0, 0, 0]) == pytest.approx(-0.45 / 0.27)
