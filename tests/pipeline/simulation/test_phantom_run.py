"""A phantom scan through the engine with a double that names every picture brain, or two planes in turn."""

from types import SimpleNamespace

import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.simulation.phantom_run import AVERAGED_SECONDS, _averaged, frames_of
from fetalstream.streamer.phantom.source import PhantomSource
from tests.pipeline.doubles import FACTS, Done, EncoderDouble, bank, picture, scores

SEED, SECONDS = 8, 1.5


class Stubborn(EncoderDouble):
    """Finds the brain of 150 days in every picture."""

    def submit(self, items):
        return Done([scores(picture(0, 1, 150)) for _ in items])


@pytest.fixture(scope="module")
def pipeline():
    return SimpleNamespace(encoder=Stubborn(), model_info=FACTS, banks=SimpleNamespace(gestation=bank))


@pytest.fixture(scope="module")
def rows(pipeline):
    return frames_of(SEED, SECONDS, pipeline)


def test_every_frame_has_a_row_with_its_truth(rows):
    source = PhantomSource(SEED)
    assert [row.frame for row in rows] == list(range(round(SECONDS * 30)))
    for row in rows:
        truth = source.truth(row.frame)
        assert (row.truth, row.body, row.in_plane) == (truth.label or "", truth.plane or "", truth.in_plane)
        assert row.true_days == truth.gestation_days
        assert row.seed == SEED


def test_each_baseline_says_what_the_model_says(rows):
    assert {row.single_frame for row in rows[1:]} == {"brain"}
    assert {row.moving_average for row in rows[1:]} == {"brain"}
    assert rows[-1].prediction == "brain"


def test_a_keyframe_is_marked_on_the_frame_that_it_is(rows):
    best = [row.best_of for row in rows if row.best_of]
    assert best == ["brain"]


def test_progress_is_told_as_often_as_the_demo_tells_it(pipeline):
    lines = []
    frames_of(SEED, 5.1, pipeline, lines.append)
    assert lines == ["150 of 153 frames"]


def reading(seconds, femur, *, epoch=0):
    """A reading whose frame was given to the femur with this probability, else to the brain."""
    planes = {"brain": 1 - femur, "femur": femur}
    return SimpleNamespace(
        frame=SimpleNamespace(pts_seconds=seconds, epoch=epoch),
        planes={label: wire.LabelScore(cosine=None, raw=raw, smoothed=raw) for label, raw in planes.items()},
    )


def test_the_moving_average_follows_the_mean_and_not_the_newest_frame():
    found = list(_averaged([reading(0.0, 0.9), reading(0.1, 0.2), reading(0.2, 0.1), reading(0.3, 0.1)]))
    assert found == ["femur", "femur", "brain", "brain"]


def test_the_moving_average_forgets_what_is_older_than_its_window():
    late = AVERAGED_SECONDS + 0.01
    assert list(_averaged([reading(0.0, 0.95), reading(late, 0.4)])) == ["femur", "brain"]


def test_the_moving_average_begins_anew_with_an_epoch():
    assert list(_averaged([reading(0.0, 0.95), reading(0.1, 0.4, epoch=1)])) == ["femur", "brain"]


def test_a_frame_without_probabilities_shows_no_plane():
    dark = SimpleNamespace(frame=SimpleNamespace(pts_seconds=0.0, epoch=0), planes={})
    assert list(_averaged([dark])) == [wire.OTHER]
