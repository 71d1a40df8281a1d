"""Requests from outside, made safe before anything sees them: checked, bounded, and nothing a terminal could obey."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from fetalstream.pipeline import wire

MAX_TEXT: Final = 500
MAX_DEPTH: Final = 6
MAX_ITEMS: Final = 10_000
_EXACT_INTEGER: Final = 2**53  # beyond this a JSON number is not the same in every reader

_decoder = msgspec.json.Decoder(wire.Request)


class BadRequest(ValueError):
    """A request that cannot be understood; ``str()`` is one line. ``request_id`` is "" where it had none."""

    def __init__(self, message: str, request_id: str = "") -> None:
        super().__init__(message)
        self.request_id = request_id


def parsed(body: Sequence[bytes]) -> wire.Request:
    """The request in a message's parts after the envelope.

    Raises:
        BadRequest: it is not one part of JSON with a UUID as ``id``, or holds what cannot be meant.
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
        args = cleaned(request.args)
    except BadRequest as error:
        raise BadRequest(str(error), request.id) from None
    return wire.Request(id=request.id, command=cleaned_text(request.command, 64), args=args)


def cleaned(value: Any, depth: int = 0) -> Any:
    """Plain JSON values with all text cleaned.

    Raises:
        BadRequest: it is nested too deep, too long, or a number is too large.
    """
    if depth > MAX_DEPTH:
        raise BadRequest(f"args are nested deeper than {MAX_DEPTH}")
    if isinstance(value, str):
        return cleaned_text(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not abs(value) <= _EXACT_INTEGER:  # which is how NaN fails too
            raise BadRequest("a number in args is too large")
        return value
    if isinstance(value, (dict, list)) and len(value) > MAX_ITEMS:
        raise BadRequest(f"args hold more than {MAX_ITEMS} items")
    if isinstance(value, dict):
        return {cleaned_text(str(key)): cleaned(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [cleaned(item, depth + 1) for item in value]
    return value


def cleaned_text(text: str, limit: int = MAX_TEXT) -> str:
    """``text`` without control, format, surrogate, private and unassigned characters, white space as one blank."""
    spaced = " ".join(text[: 4 * limit].split())
    return "".join(char for char in spaced if not unicodedata.category(char).startswith("C"))[:limit]


def one_line(error: object) -> str:
    """What went wrong, fit for a reply."""
    return cleaned_text(str(error)) or type(error).__name__


def word(args: Mapping[str, Any], name: str) -> str:
    """A text that must be there.

    Raises:
        BadRequest: it is not.
    """
    value = args.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name} must be a text, got {cleaned_text(repr(value), 80)}")
    return value


def whole_number(args: Mapping[str, Any], name: str) -> int:
    """A whole number that must be there.

    Raises:
        BadRequest: it is not.
    """
    value = args.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRequest(f"{name} must be a whole number, got {cleaned_text(repr(value), 80)}")
    return value


def ids_of(args: Mapping[str, Any], name: str = "ids") -> list[str]:
    """The ids of a ``saved`` request, of keyframes or of clips.

    Raises:
        BadRequest: they are not a list of strings.
    """
    ids = args.get(name)
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise BadRequest(f"saved wants {name}, a list of keyframe ids")
    return ids


class _OnlyId(msgspec.Struct):
    id: str = ""


def _id_in(body: bytes) -> str:
    """The id of a request that is wrong elsewhere, so that who asked knows which of his was refused."""
    try:
        return cleaned_text(msgspec.json.decode(body, type=_OnlyId).id, 64)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
