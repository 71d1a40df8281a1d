import numpy as np
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.model.heads import HeadOutputs
from fetalstream.pipeline.readout.temporal import Smoothed
from fetalstream.pipeline.stream.probabilities import frame_info, probabilities_of, scored
from tests.pipeline.doubles import FACTS, frame

EMBEDDING = np.linspace(0, 1, 175, dtype=np.float32)


def said(other=0.15, row=None):
    planes, subplanes = np.array([0.1, 0.2, 0.1], np.float32), np.array([0.2, 0.1], np.float32)
    return HeadOutputs(EMBEDDING, planes, subplanes, other, row)


def test_probabilities_sum_to_one_and_other_comes_last():
    answer = probabilities_of(said(), FACTS, None)
    assert answer.planes.sum() == pytest.approx(1)
    assert answer.plane_cosines == pytest.approx([0.1, 0.2, 0.1, 0.15])
    assert answer.planes[1] > answer.planes[3] > answer.planes[0]
    assert answer.subplanes.sum() == pytest.approx(1)


def test_a_model_without_words_for_other_gives_it_nothing():
    answer = probabilities_of(said(other=None), FACTS, None)
    assert (answer.plane_cosines[-1], answer.planes[-1]) == (None, 0)
    assert answer.planes.sum() == pytest.approx(1)


def test_the_age_row_is_made_once_when_the_sentences_are_there():
    answer = probabilities_of(said(), FACTS, None)
    assert answer.row(lambda _: None, 0.5) is None
    row = answer.row(lambda _: np.eye(175, dtype=np.float32), 0.5)
    assert row == pytest.approx(100 * EMBEDDING)
    assert answer.row(lambda _: None, 0.5) is row


def test_a_row_that_came_with_the_scores_is_taken():
    given = np.ones(175, np.float32)
    assert probabilities_of(said(row=given), FACTS, None, 0.5).row(lambda _: None, 0.5) is given


def test_a_row_is_for_one_spacing_and_made_again_for_another():
    asked = []

    def bank(spacing_mm):
        asked.append(spacing_mm)
        return np.full((175, 175), spacing_mm, np.float32)

    answer = probabilities_of(said(row=np.ones(175, np.float32)), FACTS, None, 0.5)
    first, other = answer.row(bank, 0.5), answer.row(bank, 0.25)
    assert asked == [0.25]
    assert not np.array_equal(first, other)
    assert answer.row(bank, 0.25) is other


def test_scores_by_label():
    found = scored(["a", "b"], [0.1, None], np.array([0.7, 0.3]), Smoothed(np.array([0.6, 0.4]), "a"))
    assert found == {
        "a": wire.LabelScore(cosine=0.1, raw=0.7, smoothed=0.6),
        "b": wire.LabelScore(cosine=None, raw=0.3, smoothed=0.4),
    }


def test_a_frame_on_the_wire():
    info = frame_info(frame(3, spacing_mm=0.5, epoch=2))
    assert (info.index, info.epoch, info.spacing_mm, info.spacing_from) == (3, 2, 0.5, "source")
