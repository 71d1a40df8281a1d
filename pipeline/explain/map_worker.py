"""The ``explain`` command draws maps of stored keyframes, one at a time, in a thread of low priority."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, Protocol

from fetalstream.pipeline.bus.replies import Answered
from fetalstream.pipeline.bus.requests import BadRequest, word
from fetalstream.pipeline.explain.relevance_maps import Explanation, overlay
from fetalstream.streamer.frame import Pixels

MAX_WAITING: Final = 4
"""Maps that may wait at a time; further requests are refused, since each map takes a large model seconds."""

_NICENESS: Final = 10
_FRAME_TIMEOUT_S: Final = 15.0

Submit = Callable[[str, Mapping[str, Any]], "Future[Any]"]


class SupportsExplain(Protocol):
    """An object that explains pictures, such as `pipeline.explain.relevance_maps.Explainer`."""

    @property
    def model(self) -> str: ...
    def explain(self, pixels: Pixels, plane: str) -> Explanation: ...


def with_maps(submit: Submit, explainer: SupportsExplain) -> Submit:
    """Wrap ``submit`` so that ``explainer`` answers ``explain`` {``keyframe``, ``plane``: by default the frame's own}.

    The engine only hands over the stored keyframe. The reply holds ``keyframe``, ``plane``, ``method``, ``model`` and
    ``score``, and a PNG of the frame's size, see `pipeline.explain.relevance_maps.overlay`.
    """
    executor = ThreadPoolExecutor(1, thread_name_prefix="explain", initializer=_give_way)
    free_slots = threading.BoundedSemaphore(MAX_WAITING)

    def draw_map(args: Mapping[str, Any]) -> Answered:
        keyframe = word(args, "keyframe")
        plane = None if args.get("plane") is None else word(args, "plane")
        stored = submit("keyframe", {"keyframe": keyframe}).result(_FRAME_TIMEOUT_S)
        found = explainer.explain(stored.pixels, plane or stored.plane)
        header = {"keyframe": keyframe, "plane": found.plane, "method": found.method, "model": explainer.model}
        return Answered({**header, "score": found.score}, overlay(stored.pixels, found.heat))

    def dispatch(command: str, args: Mapping[str, Any]) -> Future[Any]:
        if command != "explain":
            return submit(command, args)
        if not free_slots.acquire(blocking=False):
            raise BadRequest("maps of other frames are being drawn: ask again later")
        answer = executor.submit(draw_map, args)
        answer.add_done_callback(lambda _: free_slots.release())
        return answer

    return dispatch


def _give_way() -> None:
    """Lower the priority of this thread and of the threads that torch starts for it."""
    if sys.platform == "linux":  # elsewhere it would be the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
