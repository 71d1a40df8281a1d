import numpy as np
import pytest

from fetalstream.pipeline.model.prompts import load_prompts
from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.stream.questions import KNOWN_AFTER, AskMeter, Question, question, words_of
from tests.pipeline.tiny import PROMPTS, tiny_model

RIGHT, WRONG = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
ASKED = Question("brain", RIGHT / 10, np.array([[0.0, 0.1, 0.0], [0.0, 0.0, 0.1]]))


def test_a_question_is_scored_against_the_contrast_set():
    np.testing.assert_allclose(ASKED.logits(np.stack([RIGHT, WRONG])), [10 - np.log(2), -10 - np.log1p(np.exp(-10))])


def test_the_score_is_smoothed_and_starts_afresh_with_an_epoch():
    meter = AskMeter(ASKED)
    wrong = [meter.update(i / 30, Segment(epoch=0), WRONG).score for i in range(30)]
    turning = [meter.update(1 + i / 30, Segment(epoch=0), RIGHT).score for i in range(30)]
    assert max(wrong) < 0.01
    assert turning[0] < 0.1
    assert turning[-1] > 0.9
    assert meter.update(2.0, Segment(epoch=1), RIGHT).score > 0.99


def test_the_percentile_comes_with_the_frames_and_says_where_this_one_stands():
    meter = AskMeter(ASKED)
    early = [meter.update(float(i), Segment(epoch=i), WRONG) for i in range(KNOWN_AFTER)]
    assert early[-2].percentile is None
    assert early[-1].percentile == 100.0
    assert meter.update(99.0, Segment(epoch=99), RIGHT).percentile == 100.0
    assert meter.update(100.0, Segment(epoch=100), WRONG).percentile == pytest.approx(
        100 * (KNOWN_AFTER + 1) / (KNOWN_AFTER + 2)
    )


def test_the_label_that_says_the_same_is_no_contrast():
    banks = TextBanks(tiny_model(), PROMPTS, None)
    sentence = next(iter(PROMPTS.planes.values()))[0]
    made = question(sentence, banks)
    assert len(made.contrast) == len(banks.planes) + (banks.other is not None) - 1
    assert np.linalg.norm(made.vector) == pytest.approx(1.0, abs=1e-5)
    assert made.note is None
    with pytest.raises(ValueError, match="ask in words"):
        question("  ", banks)


def test_a_model_that_cannot_know_the_words_says_so():
    known = words_of(load_prompts("fetal"))
    banks = TextBanks(tiny_model(), PROMPTS, None)
    assert question("The fetal heart", banks, known).note is None
    assert question("a purple elephant", banks, known).note == "this model never learnt: purple, elephant"
