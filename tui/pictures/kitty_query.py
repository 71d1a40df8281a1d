"""A query to the terminal, before the dashboard takes it over: does it draw pictures by Kitty's protocol?

A terminal that says yes to pictures does not always know the placeholders that show them here, and no query exists for
those. So the terminal is first asked for its name, and only one that is known to draw placeholders is asked for
pictures. Each query ends in one that all terminals answer: when that reply comes, no other will.
"""

from __future__ import annotations

import os
import re
import select
import struct
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

PictureMode = Literal["auto", "blocks", "kitty"]

WITHIN_S: Final = 1.0
_CELL_PX: Final = (8, 16)
_ATTRIBUTES: Final = b"\x1b[c"
_WHO: Final = b"\x1b[>q"
_PICTURE: Final = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
_LAST: Final = re.compile(rb"\x1b\[\?[\d;]*c")
_KNOWN: Final = re.compile(rb"\x1bP>\|(kitty|ghostty)\b")
_DRAWN: Final = re.compile(rb"\x1b_Gi=31;OK\x1b\\")


@dataclass(frozen=True, slots=True)
class TerminalReply:
    """The answer: whether the terminal ``draws`` pictures; ``pending``: a reply is late, and may still come."""

    draws: bool
    pending: bool = False


def ask(
    wanted: PictureMode = "auto", environment: Mapping[str, str] = os.environ, *, within_s: float = WITHIN_S,
    streams: tuple[int, int, int] = (0, 1, 2),
) -> TerminalReply:  # fmt: skip
    """Ask the terminal whether it draws pictures; wait at most ``within_s`` for each of two replies.

    Args:
        wanted: ``blocks``: do not ask, draw none; ``kitty``: do not ask, draw them.
        environment: tells of multiplexers, browsers and ``NO_COLOR``.
        within_s: long enough for another continent.
        streams: standard input, output and error; all have to be the terminal.
    """
    if wanted == "blocks" or not _may(environment, streams):
        return TerminalReply(draws=False)
    if wanted == "kitty":
        return TerminalReply(draws=True)
    with _quiet(streams[0]):
        who = _asked(streams, _WHO, within_s)
        if who is None or _KNOWN.search(who) is None:
            return TerminalReply(draws=False, pending=who is None)
        said = _asked(streams, _PICTURE, within_s)
    return TerminalReply(draws=said is not None and _DRAWN.search(said) is not None, pending=said is None)


def cell_px(screen: int = 2) -> tuple[int, int]:
    """Return the width and height of one cell in pixels, as the terminal says now; 8 x 16 if it does not say."""
    import fcntl  # not everywhere
    import termios

    try:
        size = fcntl.ioctl(screen, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return _CELL_PX
    rows, columns, width, height = struct.unpack("HHHH", size)
    return (width // columns, height // rows) if columns and rows and width and height else _CELL_PX


def _may(environment: Mapping[str, str], streams: tuple[int, int, int]) -> bool:
    """Return False in a multiplexer (its cells are not the terminal's), in a browser, without colours or a terminal."""
    if environment.get("TERM", "").startswith(("screen", "tmux")):
        return False
    if any(name in environment for name in ("TMUX", "STY", "TEXTUAL_DRIVER", "NO_COLOR")):
        return False
    return sys.platform != "win32" and all(map(os.isatty, streams))


@contextmanager
def _quiet(terminal: int) -> Generator[None]:
    """Let replies be neither shown nor held back until a line ends; restore the terminal's mode afterwards."""
    import termios  # not everywhere

    before = termios.tcgetattr(terminal)
    mode = termios.tcgetattr(terminal)
    mode[3] &= ~(termios.ECHO | termios.ICANON)
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    try:
        termios.tcsetattr(terminal, termios.TCSADRAIN, mode)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _asked(streams: tuple[int, int, int], question: bytes, within_s: float) -> bytes | None:
    """Return everything up to the last reply; None if that did not come in time."""
    terminal, _, screen = streams  # Textual, too, draws on standard error
    os.write(screen, question + _ATTRIBUTES)
    until_s = time.monotonic() + within_s
    said = b""
    while _LAST.search(said) is None:
        left_s = until_s - time.monotonic()
        if left_s <= 0 or not select.select([terminal], [], [], left_s)[0]:
            return None
        more = os.read(terminal, 4096)
        if not more:
            return None
        said += more
    return said
