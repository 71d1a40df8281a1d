import itertools

import numpy as np
import pytest
import torch
from torch import distributed, nn

from fetalstream.pipeline.training import refine
from fetalstream.pipeline.training.refine import FIRST_SEED, LAST_SEED, Pool, WorkerTask
from fetalstream.pipeline.training.stills import STILL_SIDE, TrainingStill
from fetalstream.streamer.phantom.tour import FIRST_TRAINING_SEED


def still(number, label="brain"):
    return TrainingStill(np.full((STILL_SIDE, STILL_SIDE), number % 256, np.uint8), label, None, None, real=False)


def numbered(labels=("brain", "other")):
    """Stills without end, alternately of each label; their brightness is their number."""
    for number, label in zip(itertools.count(), itertools.cycle(labels), strict=False):
        yield still(number, label)


def levels(stills):
    return [int(each.picture[0, 0]) for each in stills]


def test_a_pool_sorts_what_is_drawn_into_planes_and_other():
    pool = Pool(numbered(), [still(200)], [still(201, "other")])
    pool.draw(6)
    sources = pool.sources()
    assert levels(sources.planes) == [0, 2, 4]
    assert levels(sources.others) == [1, 3, 5]
    assert (levels(sources.heads), levels(sources.backgrounds)) == ([200], [201])
    assert pool.drawn == 6


def test_a_full_pool_replaces_stills_and_grows_no_further(monkeypatch):
    monkeypatch.setattr(refine, "_POOL", 6)
    pool = Pool(numbered(("brain",)), [], [])
    pool.draw(5)
    assert levels(pool.sources().planes) == [3, 4, 2]
    pool.draw(20)
    kept = levels(pool.sources().planes)
    assert sorted(kept) == [22, 23, 24]


def test_batches_hold_the_shares_of_refinement():
    pool = Pool(numbered(), [still(200)], [still(201, "other")])
    pool.draw(4)
    assert len(pool.sources().batch(16, np.random.default_rng(0))) == sum(refine._SHARES)


def test_the_learning_rate_rises_and_falls_once_and_never_reaches_zero():
    rates = [refine._rate(share / 200) for share in range(200)]
    peak = int(np.argmax(rates))
    assert peak == 10
    assert rates[peak] == pytest.approx(1.0, abs=0.01)
    assert all(earlier < later for earlier, later in itertools.pairwise(rates[: peak + 1]))
    assert all(earlier > later for earlier, later in itertools.pairwise(rates[peak:]))
    assert min(rates) > 0


def task(tmp_path, **changes):
    given = {"hc18": tmp_path, "start": tmp_path, "out": tmp_path, "minutes": 1.0, "peak_rate": 1e-3, "fresh": 1,
             "processes": 2, "seed": 1}  # fmt: skip
    return WorkerTask(**{**given, **changes})


def test_processes_draw_from_ranges_of_seeds_that_do_not_meet(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(refine, "phantom_stills", lambda seeds, per_seed: asked.append(seeds) or iter(()))
    for seed, rank in itertools.product((1, 2), (0, 1)):
        list(refine._drawn_stills(rank, task(tmp_path, seed=seed)))
    starts = [seeds.start for seeds in asked]
    assert len(set(starts)) == 4
    for seeds in asked:
        assert FIRST_SEED <= seeds.start < seeds.stop <= LAST_SEED + 1
    first, second = asked[:2]
    assert first.stop <= second.start


def test_seeds_of_validation_and_of_fitting_are_never_drawn():
    assert FIRST_TRAINING_SEED <= FIRST_SEED
    assert refine._VALIDATION_SEEDS.start > LAST_SEED
    assert LAST_SEED < FIRST_TRAINING_SEED + 900_000


@pytest.fixture
def alone(tmp_path):
    """A process group of one."""
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_the_mean_of_one_process_are_its_own_weights(alone):
    del alone
    tower = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    before = {name: value.clone() for name, value in tower.state_dict().items()}
    assert refine._average_weights(tower, 0.25) == 0.25
    assert all(torch.equal(before[name], value) for name, value in tower.state_dict().items())


def test_weights_are_saved_in_half_precision_with_the_figures(tmp_path):
    from safetensors import safe_open

    clip = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    refine._save(clip, tmp_path / "out.safetensors", {"phantom": {"planes": 0.5}})
    with safe_open(tmp_path / "out.safetensors", "pt") as file:
        assert file.metadata() == {"figures": '{"phantom": {"planes": 0.5}}'}
        assert file.get_tensor("0.weight").dtype == torch.float16
        assert file.get_tensor("1.num_batches_tracked").dtype == torch.int64
