import numpy as np
import pytest
import torch

from fetalstream.pipeline.training.augment import Sample
from fetalstream.pipeline.training.concepts import KERNEL_WIDTH, LARGEST_HEAD_PX, Concepts, size_grid
from fetalstream.pipeline.training.image_tower import LEAD_PER_PLANE_DISTANCE, loss_of

DIM = 64


def row(*logits):
    """A feature vector (1, DIM) whose products with the planes are these."""
    return torch.nn.functional.pad(torch.tensor([logits]), (0, DIM - len(logits)))


def sample(in_plane, body="brain"):
    label = "brain" if in_plane > 0.5 else "other"
    return Sample(np.zeros((4, 4), np.float32), label, None, None, in_plane, body)


def test_planes_and_subplanes_have_an_axis_each():
    concepts = Concepts(["brain", "femur", "other"], ["trans-thalamic", "trans-cerebellum"], DIM)
    vectors = torch.cat((concepts.plane_vectors(), concepts.subplane_vectors()))
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(5))
    sizes = concepts.size_vectors(size_grid())
    torch.testing.assert_close(sizes.norm(dim=1), torch.ones(len(sizes)))
    assert float((sizes @ vectors.T).abs().max()) == 0


def test_how_alike_two_sizes_are_depends_on_their_ratio_as_the_kernel_says():
    concepts = Concepts(["brain", "other"], ["trans-thalamic"], DIM)
    for size in (50.0, 170.0, 600.0):
        for ratio in (1.01, 1.05, 1.1, 1.3):
            one, other = concepts.size_vectors(torch.tensor([size, size * ratio]))
            kernel = np.exp(-0.5 * (np.log(ratio) / KERNEL_WIDTH) ** 2)
            assert float(one @ other) == pytest.approx(kernel, abs=0.01)  # the spectrum ends at three deviations


def test_the_ends_of_the_curve_do_not_meet_and_sizes_beyond_them_are_clipped():
    concepts = Concepts(["brain", "other"], ["trans-thalamic"], DIM)
    first, *_, last = concepts.size_vectors(size_grid())
    assert abs(float(first @ last)) < 0.01
    torch.testing.assert_close(concepts.size_vectors(torch.tensor([2 * LARGEST_HEAD_PX]))[0], last)


def test_too_few_axes_are_refused():
    with pytest.raises(ValueError, match="need"):
        Concepts(["brain", "other"], ["trans-thalamic"], 16)


@pytest.mark.parametrize("in_plane", [1.0, 0.7, 0.2])
def test_the_loss_is_least_where_the_log_odds_follow_the_distance(in_plane):
    concepts = Concepts(["brain", "femur", "other"], ["trans-thalamic"], DIM)
    leads = torch.linspace(-8, 8, 65)
    # Only the brain's logit and that of "other" move, so the femur adds nothing to the log odds.
    losses = [
        loss_of(row(lead / 2, -50.0, -lead / 2), concepts, [sample(in_plane)], 1.0).item() for lead in leads.tolist()
    ]
    least = leads[int(np.argmin(losses))].item()
    assert least == pytest.approx(LEAD_PER_PLANE_DISTANCE * (in_plane - 0.5), abs=0.26)


def test_a_clear_miss_may_be_as_sure_as_it_likes():
    concepts = Concepts(["brain", "other"], ["trans-thalamic"], DIM)
    miss = sample(0.0, body=None)
    assert loss_of(row(-9.0, 9.0), concepts, [miss], 1.0).item() == 0.0
    assert loss_of(row(1.0, -1.0), concepts, [miss], 1.0).item() > 1.0
