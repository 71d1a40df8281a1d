"""Examinations of the phantom with a double that finds the brain, of a known age, in every picture."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from fetalstream.pipeline.readout.gestation import BRAIN, GRID_DAYS, ExamGestation
from fetalstream.pipeline.simulation import exam_run
from fetalstream.pipeline.simulation.exam_run import EVERY, VISITS, brain_frames_of, exam_days, replayed
from fetalstream.streamer.phantom.source import PhantomSource
from fetalstream.streamer.phantom.tour import RATE_HZ, Tour
from tests.pipeline.doubles import FACTS, Done, EncoderDouble, bank, picture, scores

SEED = 2005
DAY = 160


class Stubborn(EncoderDouble):
    def submit(self, items):
        self.batches.append(len(items))
        return Done([scores(picture(0, 1, DAY)) for _ in items])


@pytest.fixture(scope="module")
def pipeline():
    return SimpleNamespace(encoder=Stubborn(), model_info=FACTS, banks=SimpleNamespace(gestation=bank))


@pytest.fixture(scope="module")
def exam(pipeline):
    return brain_frames_of(SEED, pipeline)


def indices(seed):
    days = exam_days(seed)
    return days, list(exam_run._brain_frames(Tour(seed, days)))


@pytest.mark.parametrize("seed", range(2000, 2012))
def test_an_examination_is_a_few_visits_to_the_brain(seed):
    days, frames = indices(seed)
    source = PhantomSource(seed, gestation_days=days)
    visits = 1 + sum(later - earlier > EVERY for earlier, later in itertools.pairwise(frames))
    assert 1 <= visits <= VISITS
    assert frames == sorted(set(frames))
    assert {source.truth(index).plane for index in frames} >= {BRAIN}
    assert np.mean([source.truth(index).plane == BRAIN for index in frames]) > 0.9


def test_an_examination_shows_every_subplane():
    days, frames = indices(SEED)
    source = PhantomSource(SEED, gestation_days=days)
    shown = {source.truth(index).subplane for index in frames} - {None}
    assert len(shown) >= 2


def test_ages_of_seeds_are_days_that_a_model_is_asked_about():
    days = [exam_days(seed) for seed in range(500)]
    assert set(days) <= {int(day) for day in GRID_DAYS}
    assert len(set(days)) == GRID_DAYS.size
    assert exam_days(7) == exam_days(7)


def test_each_frame_carries_its_truth_and_the_age_so_far(exam):
    days, frames = indices(SEED)
    assert {each.frame.exam for each in exam} == {SEED}
    assert {each.frame.true_days for each in exam} == {float(days)}
    assert {each.frame.frame for each in exam} <= set(frames)
    last = exam[-1].frame
    assert last.days == pytest.approx(DAY, abs=3)
    assert last.low_days < last.days < last.high_days
    assert last.zooms >= 1


def test_frames_come_in_order_and_their_rows_are_the_models(exam):
    numbers = [each.frame.frame for each in exam]
    assert numbers == sorted(numbers)
    for each in exam:
        assert each.row.shape == (175,)
        assert GRID_DAYS[int(each.row.argmax())] == pytest.approx(DAY, abs=1)
        assert each.arguments["spacing_mm"] == each.frame.spacing_mm > 0
        assert each.arguments["plane_sure"]


def test_rows_are_copies_that_later_frames_do_not_overwrite(exam):
    assert len({id(each.row) for each in exam}) == len(exam)
    assert not any(np.shares_memory(exam[0].row, each.row) for each in exam[1:])


def test_batches_are_of_eight_at_most(pipeline, exam):
    assert exam
    assert max(pipeline.encoder.batches) <= 8


def test_the_same_estimator_gives_the_same_ages_again(exam):
    again = [outcome for _, outcome in replayed(exam, ExamGestation())]
    assert again[-1].gestation.days == exam[-1].frame.days
    assert [each for each, _ in replayed(exam, ExamGestation())] == exam


def test_another_estimators_interval_is_another(exam):
    wide, narrow = (
        [outcome.gestation for _, outcome in replayed(exam, ExamGestation([(0.0, half)], 0.5))][-1]
        for half in (20.0, 4.0)
    )
    assert wide.days == narrow.days
    assert wide.high_days - wide.low_days > narrow.high_days - narrow.low_days


def test_frames_are_drawn_from_the_whole_scans_rate():
    _, frames = indices(SEED)
    steps = {later - earlier for earlier, later in itertools.pairwise(frames)}
    assert EVERY in steps
    assert frames[-1] / RATE_HZ < 600
