"""Messages, requests and replies as bytes, and back. Writers never send NaN or Infinity."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from fetalstream.pipeline.wire.messages import Message
from fetalstream.pipeline.wire.requests import Reply, Request

_decoder = msgspec.json.Decoder(Message)


class NotFinite(ValueError):
    """A number that JSON cannot carry was about to be sent."""


def kind_of(message: Message) -> str:
    """Return the message's kind, the first half of its topic."""
    return str(message.__struct_config__.tag)


def topic_of(message: Message) -> bytes:
    """Return the message's topic, ``b"<kind>/<stream>"``."""
    return f"{kind_of(message)}/{message.stream}".encode()


def encode(message: Message | Request | Reply) -> bytes:
    """Return the message as one JSON object, UTF-8.

    Raises:
        NotFinite: naming the path of the first NaN or Infinity (msgspec alone would write null in its place).
    """
    plain = msgspec.to_builtins(message)
    bad = _first_not_finite(plain, "")
    if bad is not None:
        raise NotFinite(f"{type(message).__name__}{bad} is not a finite number")
    return msgspec.json.encode(plain)


def decode(header: bytes) -> Message:
    """Return the message in a JSON header.

    Raises:
        msgspec.ValidationError: a field is missing or of the wrong type; the error names its path.
        msgspec.DecodeError: the header is not JSON.
    """
    return _decoder.decode(header)


def _first_not_finite(value: Any, path: str) -> str | None:
    """Return the path of the first number that is not finite; None if there is none."""
    if isinstance(value, float):
        return None if math.isfinite(value) else path
    if isinstance(value, dict):
        pairs: Any = ((f"{path}.{key}", item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        pairs = ((f"{path}[{i}]", item) for i, item in enumerate(value))
    else:
        return None
    return next((bad for key, item in pairs if (bad := _first_not_finite(item, key)) is not None), None)
