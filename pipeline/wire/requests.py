"""The envelope of the control channel: a request names a command and its arguments, a reply answers it by its id."""

from __future__ import annotations

from typing import Any

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A control command on its way to an engine.

    Attributes:
        id: a UUID, a new one for each request; a repeated id gets the first reply again.
        command: name of the command.
        args: its arguments.
    """

    id: str
    command: str
    args: dict[str, Any] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a `Request`.

    Attributes:
        id: of the request.
        ok: whether the command was carried out.
        result: what it gave, if ``ok``.
        error: else one line that says what to do.
    """

    id: str
    ok: bool
    result: Any = None
    error: str | None = None
