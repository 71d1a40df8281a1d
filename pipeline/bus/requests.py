"""Requests from outside, made safe before anything sees them: checked, bounded, and nothing a terminal could obey."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from fetalstream.pipeline import wire

MAX_DEPTH: Final = 6
MAX_ITEMS: Final = 10_000
_EXACT_INTEGER: Final = 2**53  # beyond this a JSON number is not the same in every reader

_decoder = msgspec.json.Decoder(wire.Request)


class BadRequest(ValueError):
    """A request that cannot be understood; ``str()`` is one line. ``request_id`` is "" if it had none."""

    def __init__(self, message: str, request_id: str = "") -> None:
        super().__init__(message)
        self.request_id = request_id


class ControlRequest(NamedTuple):
    """A request that was understood: its id, and the command with its arguments."""

    id: str
    command: wire.Command


def parsed(body: Sequence[bytes]) -> ControlRequest:
    """Return the request in a message's parts after the envelope.

    Raises:
        BadRequest: it is not one part of JSON with a UUID as ``id``, names no command, or an argument is wrong.
    """
    if len(body) != 1:
        raise BadRequest(f"a request is one JSON object in one part, got {len(body)} parts")
    try:
        request = _decoder.decode(body[0])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"not a request: {one_line(error)}", _id_in(body[0])) from None
    try:
        uuid.UUID(request.id)
    except ValueError:
        raise BadRequest("the id of a request is a UUID, a new one for each", cleaned_text(request.id, 64)) from None
    try:
        command = wire.command_from(cleaned_text(request.command, 64), cleaned(request.args))
    except (BadRequest, wire.BadCommand) as error:
        raise BadRequest(one_line(error), request.id) from None
    return ControlRequest(request.id, command)


def cleaned(value: Any, depth: int = 0) -> Any:
    """Return plain JSON values with all text cleaned.

    Raises:
        BadRequest: it is nested too deep, too long, or a number is too large.
    """
    if depth > MAX_DEPTH:
        raise BadRequest(f"args are nested deeper than {MAX_DEPTH}")
    if isinstance(value, str):
        return cleaned_text(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not abs(value) <= _EXACT_INTEGER:  # NaN fails here too
            raise BadRequest("a number in args is too large")
        return value
    if isinstance(value, (dict, list)) and len(value) > MAX_ITEMS:
        raise BadRequest(f"args hold more than {MAX_ITEMS} items")
    if isinstance(value, dict):
        return {cleaned_text(str(key)): cleaned(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [cleaned(item, depth + 1) for item in value]
    return value


def cleaned_text(text: str, limit: int = wire.TEXT_CHARACTERS) -> str:
    """Return ``text`` without control, format, surrogate, private and unassigned characters, at most ``limit`` long.

    White space of any length becomes one blank.
    """
    spaced = " ".join(text[: 4 * limit].split())
    return "".join(char for char in spaced if not unicodedata.category(char).startswith("C"))[:limit]


def one_line(error: object) -> str:
    """Return the words of an error on one line that is fit for a reply."""
    return cleaned_text(str(error)) or type(error).__name__


class _OnlyId(msgspec.Struct):
    id: str = ""


def _id_in(body: bytes) -> str:
    """Return the id of a request that is wrong elsewhere, so that the sender knows which one was refused."""
    try:
        return cleaned_text(msgspec.json.decode(body, type=_OnlyId).id, 64)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
