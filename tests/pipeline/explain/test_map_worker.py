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

from fetalstream.pipeline.bus.requests import BadRequest
from fetalstream.pipeline.explain.map_worker import MAX_WAITING, with_maps
from fetalstream.pipeline.explain.relevance_maps import Explanation

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


def engine(command, args):
    """Holds one keyframe, and repeats all else."""
    answer = Future()
    if command != "keyframe":
        answer.set_result((command, args))
    elif args["keyframe"] == "k":
        answer.set_result(SimpleNamespace(pixels=PIXELS, plane="brain"))
    else:
        answer.set_exception(BadRequest("not kept any more"))
    return answer


@pytest.fixture
def explainer():
    return ExplainerDouble()


def test_a_map_comes_as_a_picture_of_the_frames_size(explainer):
    submit = with_maps(engine, explainer)
    result, png = submit("explain", {"stream": "stream-1", "keyframe": "k"}).result(10)
    assert result == {"keyframe": "k", "plane": "brain", "method": "by heart", "model": "double", "score": 0.25}
    assert Image.open(io.BytesIO(png)).size == (64, 48)
    assert submit("explain", {"keyframe": "k", "plane": "femur"}).result(10).result["plane"] == "femur"


def test_all_else_goes_on_as_it_is(explainer):
    assert with_maps(engine, explainer)("mark", {"text": "a"}).result(0) == ("mark", {"text": "a"})


@pytest.mark.parametrize(
    ("args", "message"),
    [({}, "keyframe must be"), ({"keyframe": "x"}, "not kept"), ({"keyframe": "k", "plane": 3}, "plane")],
)
def test_what_cannot_be_had_is_told(explainer, args, message):
    with pytest.raises(BadRequest, match=message):
        with_maps(engine, explainer)("explain", args).result(10)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux only")
def test_its_thread_gives_way(explainer):
    with_maps(engine, explainer)("explain", {"keyframe": "k"}).result(10)
    assert explainer.nice > os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_few_may_wait_and_more_are_refused_until_there_is_room(explainer):
    explainer.gate.clear()
    submit = with_maps(engine, explainer)
    waiting = [submit("explain", {"keyframe": "k"}) for _ in range(MAX_WAITING)]
    with pytest.raises(BadRequest, match="ask again later"):
        submit("explain", {"keyframe": "k"})
    assert waiting[-1].cancel()  # who asked is gone
    waiting.append(submit("explain", {"keyframe": "k"}))
    explainer.gate.set()
    assert [answer.result(10).result["keyframe"] for answer in waiting if not answer.cancelled()] == ["k"] * MAX_WAITING
    assert submit("explain", {"keyframe": "k"}).result(10)
