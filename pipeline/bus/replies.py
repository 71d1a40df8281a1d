"""Replies on the control channel: how they are written, and the first ones kept for whoever asks again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final, NamedTuple

import msgspec

from fetalstream.pipeline import wire

_REPLIES_KEPT: Final = 1_000
_REPLIES_BYTES: Final = 16 * 2**20

Parts = list[bytes]


class Answered(NamedTuple):
    """A result that comes with bytes."""

    result: dict[str, Any]
    blob: bytes


class Replies:
    """First replies, to be given again when a request is repeated; bounded in number and bytes."""

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


def done(request_id: str, result: Any, blob: bytes | None = None) -> Parts:
    """A good reply's parts."""
    # Not wire.encode: what has been published is passed on as it is, without taking it apart again.
    header = msgspec.json.encode(wire.Reply(id=request_id, ok=True, result=result))
    return [header] if blob is None else [header, blob]


def failed(request_id: str, error: str) -> Parts:
    """A refusal's parts."""
    return [wire.encode(wire.Reply(id=request_id, ok=False, error=error))]
