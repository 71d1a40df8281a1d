import numpy as np
import pytest
import torch

from fetalstream.pipeline.readout.gestation import GRID_DAYS
from fetalstream.pipeline.training.augment import Sample
from fetalstream.pipeline.training.concepts import Concepts, TextConcepts, size_grid
from fetalstream.pipeline.training.image_tower import LEAD_PER_PLANE_DISTANCE, loss_of
from fetalstream.streamer.growth import who_hc_mm

DIM = 6


class Banks:
    """Sentences about age that say the logarithm of the head's size in pixels, as an angle."""

    plane_labels = ("brain", "femur")
    planes = np.eye(DIM, dtype=np.float32)[:2]
    subplane_labels = ("trans-thalamic",)
    subplanes = np.eye(DIM, dtype=np.float32)[2:3]
    other = np.eye(DIM, dtype=np.float32)[3]

    def gestation(self, spacing_mm):
        angle = np.log([who_hc_mm(day / 7) / spacing_mm for day in GRID_DAYS]) / 6
        rows = np.zeros((len(GRID_DAYS), DIM), np.float32)
        rows[:, 4], rows[:, 5] = np.cos(angle), np.sin(angle)
        return rows


def sample(in_plane, body="brain"):
    label = "brain" if in_plane > 0.5 else "other"
    return Sample(np.zeros((4, 4), np.float32), label, None, None, in_plane, body)


def test_a_head_size_means_what_the_sentences_of_that_size_say():
    said = TextConcepts(Banks())
    sizes = torch.tensor([120.0, 240.0])
    vectors = said.size_vectors(sizes).numpy()
    np.testing.assert_allclose(np.arctan2(vectors[:, 5], vectors[:, 4]) * 6, np.log(sizes.numpy()), atol=0.02)
    assert said.planes == ["brain", "femur", "other"]
    assert torch.isfinite(said.size_vectors(size_grid())).all()
    assert list(said.parameters()) == []


def test_without_sentences_about_other_nothing_can_be_learnt():
    banks = Banks()
    banks.other = None
    with pytest.raises(ValueError, match="other"):
        TextConcepts(banks)


@pytest.mark.parametrize("in_plane", [1.0, 0.7, 0.2])
def test_the_loss_is_least_where_the_log_odds_follow_the_distance(in_plane):
    concepts = Concepts(["brain", "femur", "other"], ["trans-thalamic"], 3)
    with torch.no_grad():
        concepts.plane_table.copy_(torch.eye(3))
    leads = torch.linspace(-8, 8, 65)
    # Only the brain's logit and that of "other" move, so the femur adds nothing to the log odds.
    losses = [
        loss_of(torch.tensor([[lead / 2, -50.0, -lead / 2]]), concepts, [sample(in_plane)], 1.0).item()
        for lead in leads.tolist()
    ]
    least = leads[int(np.argmin(losses))].item()
    assert least == pytest.approx(LEAD_PER_PLANE_DISTANCE * (in_plane - 0.5), abs=0.26)


def test_a_clear_miss_may_be_as_sure_as_it_likes():
    concepts = Concepts(["brain", "other"], ["trans-thalamic"], 2)
    with torch.no_grad():
        concepts.plane_table.copy_(torch.eye(2))
    miss = sample(0.0, body=None)
    assert loss_of(torch.tensor([[-9.0, 9.0]]), concepts, [miss], 1.0).item() == 0.0
    assert loss_of(torch.tensor([[1.0, -1.0]]), concepts, [miss], 1.0).item() > 1.0
