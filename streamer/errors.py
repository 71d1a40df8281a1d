"""What can be wrong with a source, said so that the person who named it knows what to do."""

from __future__ import annotations


class SourceError(Exception):
    """A source cannot be used. ``str(error)`` is one line: what is wrong, and what to do about it.

    Args:
        reason: the line without the source's name.
        source: its name, which comes first in the line; None where the reason speaks for itself.

    Attributes:
        reason: what may be published and recorded: a file's name may hold a patient's.
    """

    def __init__(self, reason: str, source: object = None) -> None:
        super().__init__(reason if source is None else f"{shown(source)}: {reason}")
        self.reason = reason


def shown(name: object) -> str:
    """A name fit for one line of a message: control characters and undecodable bytes become ``?``."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(name))
