"""From a frame's probabilities to its reading, without the stages before and after."""

import dataclasses

import numpy as np
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.model.preprocess import input_spacing_mm
from fetalstream.pipeline.readout.gestation import ExamGestation
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.stream.interpreter import BRAIN_SURE, Interpreter
from fetalstream.pipeline.stream.preparation import PreparedFrame
from fetalstream.pipeline.stream.probabilities import probabilities_of
from fetalstream.pipeline.stream.questions import Question
from tests.pipeline.doubles import FACTS, OTHER, PLANES, bank, frame, picture, scores

BRAIN, FEMUR = 1, 2
LATENCY = wire.Latency(total=5.0)


def interpreter(model_info=FACTS, sentences=bank):
    return Interpreter(model_info, sentences, stream="stream-7")


def prepared(index, *, exam="exam-1", action="analyse", state="live", still=False, spacing_mm=4.0, epoch=0, dropped=0):
    taken = frame(index, picture(index), spacing_mm=spacing_mm, epoch=epoch)
    return PreparedFrame(
        taken, Segment(exam, epoch), action, state, still, wire.Quality(sharpness=1.0, steadiness=1.0), dropped=dropped
    )


def answer(finds, day=143, model_info=FACTS):
    return probabilities_of(scores(picture(0, finds, day)), model_info, wire.Quality(sharpness=0.5, steadiness=0.5))


def read(stage, frame, found, *, ours=True):
    return stage.read(frame, found, LATENCY, of_this_exam=ours)


def test_what_is_known_of_the_frame_is_carried_through():
    reading = read(interpreter(), prepared(3, epoch=2, state="frozen", dropped=9), answer(BRAIN))
    assert (reading.stream, reading.exam, reading.state, reading.dropped) == ("stream-7", "exam-1", "frozen", 9)
    assert (reading.frame.index, reading.frame.epoch) == (3, 2)
    assert reading.latency_ms is LATENCY
    assert reading.quality == wire.Quality(
        sharpness=0.5, steadiness=0.5
    )  # of the frame that was analysed, not of the one that repeats it


def test_nothing_is_said_of_a_blank_frame():
    reading = read(interpreter(), prepared(0, action="blank", state="black"), None)
    assert (reading.planes, reading.plane, reading.subplanes, reading.quality) == ({}, None, None, None)
    assert (reading.gestation, reading.gestation_missing) == (None, "not_brain")


def test_the_cosine_of_other_is_told_if_the_model_has_words_for_it():
    reading = read(interpreter(), prepared(0), answer(OTHER))
    assert set(reading.planes) == {*PLANES, wire.OTHER}
    assert reading.planes[wire.OTHER].cosine == pytest.approx(0.2)
    mute = dataclasses.replace(scores(picture(0, BRAIN)), other_cosine=None)
    reading = read(interpreter(), prepared(0), probabilities_of(mute, FACTS, None))
    assert reading.planes[wire.OTHER].cosine is None


def test_subplanes_belong_to_the_brain_only():
    stage = interpreter()
    assert read(stage, prepared(0), answer(BRAIN)).subplane == "trans-thalamic"
    away = read(stage, prepared(90), answer(FEMUR))
    assert (away.plane, away.subplanes, away.subplane) == ("femur", None, None)


def test_a_model_without_subplanes_has_none():
    info = dataclasses.replace(FACTS, subplanes=())
    reading = read(interpreter(info), prepared(0), answer(BRAIN, model_info=info))
    assert (reading.plane, reading.subplanes, reading.subplane_close) == ("brain", None, None)


@pytest.mark.parametrize(("second", "close"), [(0.1995, "trans-cerebellum"), (0.15, None)])
def test_a_subplane_that_is_close_to_the_first_is_told(second, close):
    outputs = dataclasses.replace(scores(picture(0, BRAIN)), subplane_cosines=np.float32([0.2, second]))
    reading = read(interpreter(), prepared(0), probabilities_of(outputs, FACTS, None))
    assert (reading.subplane, reading.subplane_close) == ("trans-thalamic", close)


@pytest.mark.parametrize(
    ("changed", "finds", "missing"),
    [
        ({"spacing_mm": None}, BRAIN, "no_spacing"),
        ({}, FEMUR, "not_brain"),
        ({"spacing_mm": None}, FEMUR, "no_spacing"),
    ],
)
def test_an_age_that_is_missing_says_why(changed, finds, missing):
    reading = read(interpreter(), prepared(0, **changed), answer(finds))
    assert (reading.gestation, reading.gestation_missing) == (None, missing)


def test_sentences_that_are_not_ready_are_waited_for():
    reading = read(interpreter(sentences=lambda spacing_mm: None), prepared(0), answer(BRAIN))
    assert reading.gestation_missing == "preparing"


def test_a_model_without_sentences_about_age_says_so_whatever_the_frame():
    info = dataclasses.replace(FACTS, knows_gestation=False)
    stage = interpreter(info)
    assert read(stage, prepared(0), answer(BRAIN, model_info=info)).gestation_missing == "model_has_none"
    assert stage.input_spacing_mm(prepared(0)) is None


def test_the_spacing_is_that_of_the_models_input():
    assert interpreter().input_spacing_mm(prepared(0, spacing_mm=0.3)) == input_spacing_mm(64, 64, 0.3, 224)
    assert interpreter().input_spacing_mm(prepared(0, spacing_mm=None)) is None


def test_a_stray_frame_of_the_examination_before_has_no_age_and_teaches_none():
    stage = interpreter()
    stray = read(stage, prepared(0, exam="exam-0"), answer(BRAIN, day=200), ours=False)
    assert (stray.gestation, stray.gestation_missing) == (None, "uncertain")
    ours = read(stage, prepared(1), answer(BRAIN, day=143))
    assert (ours.gestation.days, ours.gestation.frames) == (143, 1)


@pytest.mark.parametrize(("changed", "frames"), [({}, 2), ({"still": True}, 1), ({"action": "reuse"}, 1)])
def test_only_a_picture_that_is_new_counts_for_the_age(changed, frames):
    stage = interpreter()
    read(stage, prepared(0), answer(BRAIN))
    assert read(stage, prepared(1, **changed), answer(BRAIN)).gestation.frames == frames


def test_the_gestation_that_is_given_is_used():
    ages = ExamGestation([(0.0, 3.0)])
    reading = read(Interpreter(FACTS, bank, ages), prepared(0), answer(BRAIN))
    assert reading.gestation.high_days - reading.gestation.days == pytest.approx(3.0)


def test_a_question_is_answered_until_it_is_withdrawn():
    stage = interpreter()
    own, rival = np.zeros(175, np.float32), np.zeros((1, 175), np.float32)
    stage.ask(Question("a sentence", own, rival))
    asked = read(stage, prepared(0), answer(BRAIN)).ask
    assert (asked.text, asked.score) == ("a sentence", pytest.approx(0.5))
    assert read(stage, prepared(1, action="blank"), None).ask is None
    stage.ask(None)
    assert read(stage, prepared(2), answer(BRAIN)).ask is None


def test_an_age_wants_more_than_a_plane_does():
    assert FACTS.temporal.enter < BRAIN_SURE < 1


def test_a_frame_that_is_itself_unsure_of_the_head_counts_for_no_age():
    """The decision outlasts a moment: the probe has left the head, and "brain" still stands."""
    stage = interpreter()
    for index in range(20):
        before = read(stage, prepared(index), answer(BRAIN))
    left = answer(BRAIN)
    left.planes = np.array(left.planes)
    column = PLANES.index("brain")
    left.planes[column], left.planes[-1] = 0.4, left.planes[-1] + left.planes[column] - 0.4
    after = read(stage, prepared(20), left)
    assert after.plane == "brain"
    assert after.gestation.frames == before.gestation.frames == 20
    assert read(stage, prepared(21), answer(BRAIN)).gestation.frames == 21


def test_no_age_begins_with_a_frame_that_is_unsure_of_the_head():
    stage = interpreter()
    unsure = answer(BRAIN)
    unsure.planes = np.full(len(PLANES) + 1, 0.01)
    unsure.planes[PLANES.index("brain")] = 0.75
    for index in range(20):
        reading = read(stage, prepared(index), unsure)
    assert (reading.plane, reading.gestation, reading.gestation_missing) == ("brain", None, "uncertain")
