"""LayerCAM on a network that is built so that the answer is known: each place sees its own part of the picture."""

import pytest
import torch
from torch import nn

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.explain.convolution_maps import DEEPEST_MAPS, MIN_MAP_SIDE, ConvolutionMap, _layer_cam

SIDE = 64
NO_NOISE = torch.zeros(3)


class Trunk(nn.Module):
    """Stages of 4, 8 and 16 pixels a place, of which the last one's map is too coarse to be drawn."""

    def __init__(self):
        super().__init__()
        self.stages = nn.Sequential(*[nn.AvgPool2d(size) for size in (4, 2, 2)])
        self.feature_info = [
            {"module": f"stages.{number}", "reduction": reduction} for number, reduction in enumerate((4, 8, 16))
        ]

    def forward(self, pixels):
        return self.stages(pixels)


class Tower(nn.Module):
    """The mean of each channel as features."""

    def __init__(self, trunk):
        super().__init__()
        self.trunk = trunk

    def forward(self, pixels):
        return self.trunk(pixels).mean(dim=(2, 3))


@pytest.fixture
def tower():
    return Tower(Trunk())


def spot(row, column, size=8):
    """Black but for a bright square in the first channel, in units of its size."""
    picture = torch.zeros(1, 3, SIDE, SIDE)
    picture[:, 0, row * size : (row + 1) * size, column * size : (column + 1) * size] = 1.0
    return picture


def first_channel(features):
    return features[:, 0]


def test_the_map_points_at_what_raises_the_score(tower):
    found = ConvolutionMap(tower, SIDE, NO_NOISE)(spot(2, 5), first_channel)
    assert found.shape == (16, 16)  # the finer one of the two maps
    place = divmod(int(found.argmax()), 16)
    assert place in {(row, column) for row in (4, 5) for column in (10, 11)}
    assert 0.5 < found.max() <= 1
    assert found.min() >= 0


def test_what_lowers_the_score_is_not_drawn(tower):
    found = ConvolutionMap(tower, SIDE, NO_NOISE)(spot(2, 5), lambda features: -features[:, 0])
    assert found.max() < 1e-3


def test_maps_that_are_too_coarse_are_left_out(tower):
    drawn = ConvolutionMap(tower, SIDE, NO_NOISE)
    assert len(drawn._stages) == DEEPEST_MAPS
    assert SIDE // 8 >= MIN_MAP_SIDE > SIDE // 16
    assert drawn._stages == [tower.trunk.stages[0], tower.trunk.stages[1]]


def test_noise_is_the_same_every_time_and_scaled_by_channel(tower):
    noisy = ConvolutionMap(tower, SIDE, torch.tensor([0.1, 0.0, 0.2]))
    again = ConvolutionMap(tower, SIDE, torch.tensor([0.1, 0.0, 0.2]))
    assert torch.equal(noisy._noise, again._noise)
    deviations = noisy._noise.std(dim=(0, 2, 3))
    torch.testing.assert_close(deviations, torch.tensor([0.1, 0.0, 0.2]), atol=0.01, rtol=0)
    torch.testing.assert_close(noisy(spot(1, 1), first_channel), again(spot(1, 1), first_channel))


def test_no_hook_stays_behind(tower):
    drawn = ConvolutionMap(tower, SIDE, NO_NOISE)
    drawn(spot(0, 0), first_channel)
    with pytest.raises(RuntimeError, match="score failed"):
        drawn(spot(0, 0), failing)
    assert not any(stage._forward_hooks for stage in drawn._stages)


def failing(_features):
    raise RuntimeError("score failed")


@pytest.mark.parametrize("trunk", [nn.Identity(), None])
def test_a_network_that_says_nothing_of_its_maps_is_refused(trunk):
    tower = nn.Identity() if trunk is None else Tower(trunk)
    with pytest.raises(ModelError, match="feature maps"):
        ConvolutionMap(tower, SIDE, NO_NOISE)


def test_a_layers_map_is_the_positive_part_averaged_over_copies():
    activation = torch.tensor([[[[1.0, 2.0]], [[4.0, 0.0]]], [[[3.0, 2.0]], [[0.0, 0.0]]]])  # (2 copies, 2, 1, 2)
    gradient = torch.tensor([[[[1.0, -1.0]], [[0.5, 1.0]]], [[[1.0, 1.0]], [[0.0, 1.0]]]])
    # Copy one: 1·1 + 4·0.5 = 3 and 0; copy two: 3 and 2. Means 3 and 1.
    torch.testing.assert_close(_layer_cam(activation, gradient), torch.tensor([[1.0, 1 / 3]]))


def test_a_map_without_anything_positive_is_zero_and_finite():
    zero = _layer_cam(torch.ones(1, 1, 2, 2), -torch.ones(1, 1, 2, 2))
    assert torch.equal(zero, torch.zeros(2, 2))
