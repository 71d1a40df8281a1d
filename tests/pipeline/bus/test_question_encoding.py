from concurrent.futures import Future

import numpy as np
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.question_encoding import with_words
from fetalstream.pipeline.engine.command_queue import CommandError, CommandQueue
from fetalstream.pipeline.stream.questions import Question


def question_of(text):
    return Question(text, np.array([1.0, 0.0]), np.array([[0.0, 1.0]]))


class Target:
    """The part of an engine that the command touches."""

    analyzers = ()
    paused = False


def test_a_sentence_from_outside_is_made_a_question_before_the_engine_sees_it():
    seen = []

    def submit(command):
        seen.append(command)
        reply = Future()
        reply.set_result("done")
        return reply

    ask = with_words(submit, question_of)
    assert ask(wire.AskSentence(stream="stream-1", text="brain")).result(10) == "done"
    assert (seen[0].stream, seen[0].question.text) == ("stream-1", "brain")
    for command in (wire.AskSentence(), wire.Mark(text="brain")):
        assert ask(command).result(10) == "done"
        assert seen[-1] == command


def test_without_a_text_tower_the_command_is_refused_in_one_line():
    commands = CommandQueue(Target(), lambda: None)
    reply = commands.submit(wire.AskSentence(text="brain"))
    commands.carry_out()
    with pytest.raises(CommandError, match="no sentences"):
        reply.result(0)


def test_a_sentence_that_cannot_be_encoded_is_the_askers_error_and_the_engine_hears_nothing():
    seen = []

    def refuses(_):
        raise ValueError("ask in words, for example: four-chamber view")

    with pytest.raises(ValueError, match="ask in words"):
        with_words(seen.append, refuses)(wire.AskSentence(text=" ")).result(10)
    assert not seen
