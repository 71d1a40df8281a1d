"""The ``explain`` command, with a double in place of the model."""

import io
import os
import sys
import threading
from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.requests import BadRequest
from fetalstream.pipeline.explain.map_worker import MAX_WAITING, with_maps
from fetalstream.pipeline.explain.relevance_maps import Explanation
from fetalstream.pipeline.wire import results

PIXELS = np.full((48, 64), 90, np.uint8)


class ExplainerDouble:
    model = "double"

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.nice = None

    def explain(self, pixels, plane):
        assert self.gate.wait(10)
        self.nice = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        return Explanation(np.ones(pixels.shape[:2], np.float32), plane, "by heart", 0.25)


def engine(command):
    """Holds one keyframe, and repeats all else."""
    answer = Future()
    if not isinstance(command, wire.GetKeyframe):
        answer.set_result(command)
    elif command.keyframe == "k":
        answer.set_result(SimpleNamespace(pixels=PIXELS, plane="brain"))
    else:
        answer.set_exception(BadRequest("not kept any more"))
    return answer


@pytest.fixture
def explainer():
    return ExplainerDouble()


def test_a_map_comes_as_a_picture_of_the_frames_size(explainer):
    submit = with_maps(engine, explainer)
    result, png = submit(wire.Explain(keyframe="k")).result(10)
    assert result == results.Explained(keyframe="k", plane="brain", method="by heart", model="double", score=0.25)
    assert Image.open(io.BytesIO(png)).size == (64, 48)
    assert submit(wire.Explain(keyframe="k", plane="femur")).result(10).result.plane == "femur"


def test_all_else_goes_on_as_it_is(explainer):
    assert with_maps(engine, explainer)(wire.Mark(text="a")).result(0) == wire.Mark(text="a")


def test_what_cannot_be_had_is_told(explainer):
    with pytest.raises(BadRequest, match="not kept"):
        with_maps(engine, explainer)(wire.Explain(keyframe="x")).result(10)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux only")
def test_its_thread_gives_way(explainer):
    with_maps(engine, explainer)(wire.Explain(keyframe="k")).result(10)
    assert explainer.nice > os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_few_may_wait_and_more_are_refused_until_there_is_room(explainer):
    explainer.gate.clear()
    submit = with_maps(engine, explainer)
    waiting = [submit(wire.Explain(keyframe="k")) for _ in range(MAX_WAITING)]
    with pytest.raises(BadRequest, match="ask again later"):
        submit(wire.Explain(keyframe="k"))
    assert waiting[-1].cancel()  # who asked is gone
    waiting.append(submit(wire.Explain(keyframe="k")))
    explainer.gate.set()
    assert [answer.result(10).result.keyframe for answer in waiting if not answer.cancelled()] == ["k"] * MAX_WAITING
    assert submit(wire.Explain(keyframe="k")).result(10)
