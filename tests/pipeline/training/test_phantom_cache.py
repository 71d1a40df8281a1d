import numpy as np

from fetalstream.pipeline.training import phantom_cache
from fetalstream.pipeline.training.phantom_cache import cached_phantom_stills
from fetalstream.pipeline.training.stills import TrainingStill


def stills(seeds, per_seed):
    """Stand-ins for drawn stills: one of each kind."""
    for seed in seeds:
        picture = np.full((192, 192), seed % 200, np.uint8)
        yield TrainingStill(picture, "brain", "trans-thalamic", 200.0, False, 0.9, "brain")
        yield TrainingStill(picture, "femur", None, None, False, 0.8, "femur")
        yield TrainingStill(picture, "other", None, None, False, 0.0, None)


def test_drawn_stills_are_kept_between_runs_and_drawn_anew_for_other_seeds(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(phantom_cache, "phantom_stills", lambda seeds, n: drawn.append(seeds) or stills(seeds, n))
    cache = tmp_path / "phantom.npz"
    first = cached_phantom_stills(cache, range(5, 7))
    again = cached_phantom_stills(cache, range(5, 7))
    assert drawn == [range(5, 7)]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.picture, other.picture)
        assert [one.label, one.subplane, one.head_px, one.in_plane, one.body, one.real] == [
            other.label, other.subplane, other.head_px, other.in_plane, other.body, other.real,
        ]  # fmt: skip
    cached_phantom_stills(cache, range(5, 8))
    assert drawn == [range(5, 7), range(5, 8)]
    assert [path.name for path in tmp_path.iterdir()] == ["phantom.npz"]
