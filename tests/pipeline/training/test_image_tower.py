import math

import numpy as np
import pytest
import torch
from torch import nn

from fetalstream.pipeline.training import image_tower
from fetalstream.pipeline.training.augment import Sample
from fetalstream.pipeline.training.concepts import Concepts, size_grid
from fetalstream.pipeline.training.image_tower import Plan, Shares, Sources, loss_of, tensor_of
from fetalstream.pipeline.training.stills import STILL_SIDE, TrainingStill

MEAN, STD = np.array([0.5, 0.4, 0.3], np.float32), np.array([0.2, 0.1, 0.5], np.float32)
DIM = 64
PLANES, SUBPLANES = ["brain", "femur", "other"], ["trans-thalamic", "trans-cerebellum"]


def still(level, label="brain", **changes):
    labels = {"subplane": None, "head_px": None, "real": False} | changes
    return TrainingStill(np.full((STILL_SIDE, STILL_SIDE), level, np.uint8), label, **labels)


def sample(label="brain", **changes):
    labels = {"subplane": None, "head_px": None} | changes
    return Sample(np.zeros((4, 4), np.float32), label, **labels)


@pytest.fixture
def concepts():
    return Concepts(PLANES, SUBPLANES, DIM)


def real(level, label="brain", **changes):
    return still(level, label, real=True, **changes)


def head(level=80):
    mask = np.zeros((STILL_SIDE, STILL_SIDE), np.uint8)
    mask[60:130, 60:130] = 255
    return real(level, head_px=220.0, head_mask=mask)


def test_a_batch_holds_its_share_of_each_kind():
    sources = Sources(
        [real(100, "femur"), head(), real(70, "other")], [still(90, "spine", in_plane=1.0), still(60, "other")],
        Shares(planes=5, heads=3, others=2, made=4, phantom_planes=6, phantom_others=1, clutter=2),
    )  # fmt: skip
    batch = sources.batch(16, np.random.default_rng(0))
    labels = [each.label for each in batch]
    assert labels == ["femur"] * 5 + ["other"] * 2 + ["spine"] * 6 + ["other"] + ["brain"] * 3 + ["other"] * 6
    assert {each.picture.shape for each in batch} == {(16, 16)}
    assert all((each.head_px is not None) == (each.label == "brain") for each in batch)


def test_rare_kinds_are_drawn_more_often_than_they_occur():
    stills = [real(100, "femur")] * 90 + [real(60, "cervix")] * 10
    shares = Shares(planes=400, heads=0, others=0, made=0, phantom_planes=0, phantom_others=0, clutter=0)
    labels = [each.label for each in Sources(stills, [], shares).batch(16, np.random.default_rng(1))]
    assert labels.count("cervix") == pytest.approx(400 * 10**0.5 / (10**0.5 + 90**0.5), abs=40)


def test_kinds_without_stills_are_left_out():
    batch = Sources([], [still(100)], Shares(phantom_planes=2, clutter=1)).batch(16, np.random.default_rng(0))
    assert [each.label for each in batch] == ["brain", "brain", "other"]


def test_samples_become_the_models_input():
    picture = np.full((4, 4), 0.9, np.float32)
    made = tensor_of([Sample(picture, "brain", None, None), sample()], MEAN, STD)
    assert made.shape == (2, 3, 4, 4)
    assert made.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(made[0, :, 1, 1], (0.9 - MEAN) / STD, rtol=1e-6)
    np.testing.assert_allclose(made[1, :, 0, 0], -MEAN / STD, rtol=1e-6)


def features_of(concepts, *labels):
    """Features that lie on the concepts of these planes."""
    with torch.no_grad():
        return concepts.plane_vectors()[[PLANES.index(label) for label in labels]]


def test_the_loss_is_lower_for_the_right_plane(concepts):
    samples = [sample("brain"), sample("other")]
    right = loss_of(features_of(concepts, "brain", "other"), concepts, samples, 20.0)
    wrong = loss_of(features_of(concepts, "femur", "brain"), concepts, samples, 20.0)
    assert right < wrong


def test_the_loss_is_lower_for_the_right_subplane_and_head_size(concepts):
    head_px = float(size_grid()[80])
    with torch.no_grad():
        plane = concepts.plane_vectors()[0]
        subplanes, size = concepts.subplane_vectors(), concepts.size_vectors(torch.tensor([head_px]))[0]
        far = concepts.size_vectors(size_grid()[:1])[0]
    plain = loss_of(plane[None], concepts, [sample()], 20.0)
    for label, right, wrong in (
        ({"subplane": SUBPLANES[1]}, subplanes[1], subplanes[0]),
        ({"head_px": head_px}, size, far),
    ):
        losses = [
            loss_of(nn.functional.normalize(plane + 2 * towards, dim=0)[None], concepts, [sample(**label)], 20.0)
            for towards in (right, wrong)
        ]
        assert losses[0] < losses[1]
        assert torch.isfinite(plain)


def test_a_missed_plane_is_named_only_if_its_landmarks_are_there(concepts):
    """Above 0.3 in plane the picture must also look most like the plane that it nearly shows."""

    def penalty(in_plane):
        """By how much the loss is larger with the brain's features than with the femur's, for a missed femur."""
        missed = [sample("other", in_plane=in_plane, body="femur")]
        brain, femur = (features_of(concepts, label) for label in ("brain", "femur"))
        return float((loss_of(brain, concepts, missed, 20.0) - loss_of(femur, concepts, missed, 20.0)).detach())

    assert penalty(0.45) > 5 + penalty(0.2)


def test_a_batch_of_unmeasured_or_of_measured_pictures_alone_has_a_finite_loss(concepts):
    unmeasured = loss_of(features_of(concepts, "brain"), concepts, [sample()], 20.0)
    measured = loss_of(features_of(concepts, "brain"), concepts, [sample(in_plane=0.9, body="brain")], 20.0)
    assert math.isfinite(float(unmeasured.detach()))
    assert math.isfinite(float(measured.detach()))


class Tower(nn.Module):
    """The mean of each channel, through one layer."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, DIM))

    def forward(self, pixels):
        return self.layer(pixels.mean(dim=(2, 3)))


SHARES = Shares(planes=0, heads=0, others=0, made=0, phantom_planes=8, phantom_others=8, clutter=0)


def two_levels():
    return Sources([], [still(220, "femur"), still(5, "other")], SHARES)


def test_training_lowers_the_loss_and_reports_its_progress(concepts, capsys):
    torch.manual_seed(1)
    tower = Tower()
    image_tower.train(tower, concepts, two_levels(), 16, MEAN, STD, Plan(100, peak_rate=0.02, seed=0))
    lines = capsys.readouterr().err.splitlines()
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in lines]
    assert [line.split(" step ")[1].split(",")[0] for line in lines] == ["50/100", "100/100"]
    assert losses[1] < losses[0]
    found = image_tower.score(tower, concepts, [still(220, "femur"), still(5, "other")], 16, MEAN, STD)
    assert found["planes"] == 1.0


def test_a_run_that_was_cut_off_ends_as_an_undisturbed_one(concepts, tmp_path, capsys):
    class CutOff(Exception):
        pass

    class Short(Sources):
        def batch(self, side, rng):
            self.drawn = getattr(self, "drawn", 0) + 1
            if self.drawn > 25:
                raise CutOff
            return super().batch(side, rng)

    def trained(sources, checkpoint):
        torch.manual_seed(1)
        tower = Tower()
        image_tower.train(tower, concepts, sources, 16, MEAN, STD, Plan(40, 0.02, 3, checkpoint, every=10))
        return tower.state_dict()

    whole = trained(two_levels(), None)
    with pytest.raises(CutOff):
        trained(Short([], [still(220, "femur"), still(5, "other")], SHARES), tmp_path / "kept.pt")
    resumed = trained(two_levels(), tmp_path / "kept.pt")
    assert "goes on from step 20" in capsys.readouterr().err
    assert all(torch.equal(whole[name], value) for name, value in resumed.items())


def test_a_tower_that_knows_the_answers_has_no_errors(concepts):
    """Pictures of one brightness each, and a tower that gives the concept of that brightness."""
    grid = size_grid()
    with torch.no_grad():
        vectors = [*concepts.plane_vectors(), *concepts.subplane_vectors(), concepts.size_vectors(grid[90:91])[0]]

    class Oracle(nn.Module):
        def forward(self, pixels):
            levels = ((pixels[:, 0].mean(dim=(1, 2)) * float(STD[0]) + float(MEAN[0])) * 255 / 40).round().long()
            return torch.stack([vectors[level] for level in levels.tolist()])

    stills = [still(40 * number, label) for number, label in enumerate(PLANES)]
    found = image_tower.score(Oracle(), concepts, stills, 16, MEAN, STD)
    assert found["planes"] == 1.0
    assert math.isnan(found["subplanes"])
    assert math.isnan(found["head_size_error"])
    head = still(200, head_px=float(grid[90]) * STILL_SIDE / 16)
    assert image_tower.score(Oracle(), concepts, [head], 16, MEAN, STD)["head_size_error"] < 0.1
    kind = still(120, subplane=SUBPLANES[0])
    assert image_tower.score(Oracle(), concepts, [kind], 16, MEAN, STD)["subplanes"] == 1.0
