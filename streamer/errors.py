"""Errors of sources, worded so that the person who named the source knows what to do."""

from __future__ import annotations

import re

_USER_INFO = re.compile(r"(?<=//).*@", re.DOTALL)  # up to the last @: passwords may hold @, / and # too
_QUERY_VALUE = re.compile(r"(?<=[?&/;])([^\s?&/;=]+=)[^\s&;'\"]+")


class UserError(Exception):
    """Something that a person can mend. ``str()`` is one line that says what is wrong and what to do.

    It is the root of all such errors of ``streamer`` and ``pipeline``; the tree is drawn in `tui.errors`.
    """


class SourceError(UserError):
    """A source cannot be used. ``str(error)`` is one line: what is wrong, and what to do about it.

    Credentials are taken out of both parts, wherever an address was quoted.

    Args:
        reason: the line without the source's name.
        source: its name, which comes first in the line; None if the reason speaks for itself.

    Attributes:
        reason: what may be published and recorded: a file's name may hold a patient's.
    """

    def __init__(self, reason: str, source: object = None) -> None:
        reason = without_credentials(reason)
        super().__init__(reason if source is None else f"{shown(source).removesuffix(':')}: {reason}")
        self.reason = reason


def shown(name: object) -> str:
    """Return a name fit for one line of a message: no credentials, ``?`` for what cannot be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in without_credentials(str(name)))


def without_credentials(text: str) -> str:
    """Return the text without users, passwords and values of queries of the addresses in it.

    Everything from ``//`` to the last ``@`` goes: too much rather than a part of a password.
    """
    if "//" not in text:
        return text
    return _QUERY_VALUE.sub(r"\1...", _USER_INFO.sub("", text))
