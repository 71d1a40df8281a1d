import torch

from fetalstream.pipeline.bench.machine import about, flops_an_image, matmul_flops
from fetalstream.pipeline.model import openclip
from tests.pipeline.tiny import ARCHITECTURE


def test_the_operations_of_a_vision_transformer_are_all_counted():
    clip = openclip.build(ARCHITECTURE, seed=0)
    # 4 patches and the class token, width 32: projections, attention and a fourfold MLP of one layer, patches, output.
    tokens, width = 5, 32
    layer = 2 * tokens * width * (3 * width + width + 8 * width) + 4 * tokens * tokens * width
    ends = 2 * 4 * (3 * 16 * 16) * width + 2 * width * 16
    assert flops_an_image(openclip.image_tower(clip), 32) == layer + ends
    assert torch.backends.mha.get_fastpath_enabled()


def test_what_is_measured_on_is_named():
    said = about()
    assert said["cores"] >= 1
    assert said["cpu"]


def test_a_rate_is_a_rate():
    assert matmul_flops(torch.device("cpu"), torch.float32, repeats=1) > 1e9
