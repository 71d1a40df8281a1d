"""Changes to Textual's terminal driver: pictures are deleted at the end, and late replies are not read as keys."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

if TYPE_CHECKING:
    from fetalstream.tui.pictures.kitty import Kitty

_ANSWER: Final = re.compile(r"\x1b(?:P>\|[^\x1b]*\x1b\\|_G[^\x1b]*\x1b\\|\[\?[\d;]*c)")
_BEGUN: Final = re.compile(r"\x1b(?:P(?:>(?:\|[^\x1b]*\x1b?)?)?|_(?:G[^\x1b]*\x1b?)?|\[(?:\?[\d;]*)?)\Z")
_LONGEST: Final = 200  # characters; what is longer is no answer


class KittyDriver(LinuxDriver):
    """Textual's driver, which deletes the pictures before the terminal is given back, however the app ends.

    Afterwards it is too late: their screen is left, and pictures cannot be addressed from another one.
    """

    def stop_application_mode(self) -> None:
        """Delete the pictures, also after a breakdown and before the app is suspended."""
        kitty: Kitty | None = getattr(self._app, "kitty", None)
        if kitty is not None:
            kitty.clear()
        super().stop_application_mode()


class ReplyFilter(XTermParser):
    """Textual's parser of keys, without the terminal's replies: nobody pressed them. It ends with the last reply."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._owed = True
        self._begun = ""

    def feed(self, data: str) -> Iterable[Message]:
        """Return the messages of what was pressed."""
        if data and (self._owed or self._begun):
            data = self._without_answers(self._begun + data)
            if not data:
                return ()  # nothing at all would be the end to Textual
        return super().feed(data)

    def _without_answers(self, data: str) -> str:
        self._owed = not any(each.endswith("c") for each in _ANSWER.findall(data))
        data = _ANSWER.sub("", data)
        begun = _BEGUN.search(data) if self._owed else None
        self._begun = "" if begun is None or len(begun[0]) > _LONGEST else begun[0]
        return data.removesuffix(self._begun)


def ignore_late_replies() -> None:
    """Use ``ReplyFilter`` in this process from now on."""
    # Textual has no place for a parser of one's own (8.2), and these answers are nothing to it but keys.
    setattr(linux_driver, "XTermParser", ReplyFilter)  # noqa: B010 - it is exported to nobody
