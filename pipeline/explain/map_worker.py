"""The ``explain`` command draws maps of stored keyframes, one at a time, in a thread of low priority."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, Protocol

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.replies import Answered, Submit
from fetalstream.pipeline.bus.requests import BadRequest
from fetalstream.pipeline.explain.relevance_maps import Explanation, overlay
from fetalstream.pipeline.stream.questions import EngineCommand
from fetalstream.pipeline.wire import results
from fetalstream.streamer.frame import Pixels

MAX_WAITING: Final = 4
"""Maps that may wait at a time; further requests are refused, since each map takes a large model seconds."""

_NICENESS: Final = 10
_FRAME_TIMEOUT_S: Final = 15.0


class SupportsExplain(Protocol):
    """An object that explains pictures, such as `pipeline.explain.relevance_maps.Explainer`."""

    @property
    def model(self) -> str: ...
    def explain(self, pixels: Pixels, plane: str) -> Explanation: ...


def with_maps(submit: Submit, explainer: SupportsExplain) -> Submit:
    """Wrap ``submit`` so that ``explainer`` answers the ``explain`` command; all else is passed on.

    The engine only hands over the stored keyframe. The reply is a ``wire.results.Explained`` with a PNG of the frame's
    size, see `pipeline.explain.relevance_maps.overlay`.
    """
    executor = ThreadPoolExecutor(1, thread_name_prefix="explain", initializer=_give_way)
    free_slots = threading.BoundedSemaphore(MAX_WAITING)

    def draw_map(command: wire.Explain) -> Answered:
        stored = submit(wire.GetKeyframe(keyframe=command.keyframe)).result(_FRAME_TIMEOUT_S)
        found = explainer.explain(stored.pixels, command.plane or stored.plane)
        result = results.Explained(
            keyframe=command.keyframe,
            plane=found.plane,
            method=found.method,
            model=explainer.model,
            score=found.score,
        )
        return Answered(result, overlay(stored.pixels, found.heat))

    def dispatch(command: EngineCommand) -> Future[Any]:
        if not isinstance(command, wire.Explain):
            return submit(command)
        if not free_slots.acquire(blocking=False):
            raise BadRequest("maps of other frames are being drawn: ask again later")
        answer = executor.submit(draw_map, command)
        answer.add_done_callback(lambda _: free_slots.release())
        return answer

    return dispatch


def _give_way() -> None:
    """Lower the priority of this thread and of the threads that torch starts for it."""
    if sys.platform == "linux":  # elsewhere it would be the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
