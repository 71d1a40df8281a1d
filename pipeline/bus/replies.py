"""Replies on the control channel: their bytes, and a bounded memory of the first replies for repeated requests."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import msgspec

from fetalstream.pipeline import wire

if TYPE_CHECKING:  # it loads torch, which a control channel needs for nothing
    from fetalstream.pipeline.stream.questions import EngineCommand

_REPLIES_KEPT: Final = 1_000
_REPLIES_BYTES: Final = 16 * 2**20

Parts = list[bytes]

Submit: TypeAlias = "Callable[[EngineCommand], Future[Any]]"
"""``Engine.submit``: hands a command to the engine; the future holds a result, or an error of one line."""


class Answered(NamedTuple):
    """A result that comes with bytes."""

    result: object
    blob: bytes


class Replies:
    """Keeps first replies, to be given again when a request is repeated; bounded in number and bytes."""

    def __init__(self) -> None:
        self._replies: OrderedDict[str, Parts] = OrderedDict()
        self._bytes = 0

    def get(self, request_id: str) -> Parts | None:
        return self._replies.get(request_id)

    def add(self, request_id: str, reply: Parts) -> None:
        self._replies[request_id] = reply
        self._bytes += sum(map(len, reply))
        while len(self._replies) > _REPLIES_KEPT or (self._bytes > _REPLIES_BYTES and len(self._replies) > 1):
            self._bytes -= sum(map(len, self._replies.popitem(last=False)[1]))


def done(request_id: str, result: object, blob: bytes | None = None) -> Parts:
    """Return the parts of a reply with a result."""
    # Not wire.encode: what has been published is passed on as it is, without taking it apart again.
    header = msgspec.json.encode(wire.Reply(id=request_id, ok=True, result=result))
    return [header] if blob is None else [header, blob]


def failed(request_id: str, error: str) -> Parts:
    """Return the parts of a reply that refuses."""
    return [wire.encode(wire.Reply(id=request_id, ok=False, error=error))]
