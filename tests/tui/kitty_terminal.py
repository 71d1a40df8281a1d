"""A terminal that says it is Kitty, scripted: nobody has a real one here. It keeps to the letter of the protocol.

https://sw.kovidgoyal.net/kitty/graphics-protocol/
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import struct
import termios
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from fetalstream.tui.pictures.kitty import MARKS

KITTY, WEZTERM = b"\x1bP>|kitty(0.35.2)\x1b\\", b"\x1bP>|WezTerm 20240203\x1b\\"
DRAWS, ATTRIBUTES = b"\x1b_Gi=31;OK\x1b\\", b"\x1b[?62;c"
_TOKEN = re.compile(
    rb"(?P<who>\x1b\[>q)|(?P<attributes>\x1b\[c)|\x1b_G(?P<control>[^;\x1b]*)(?:;(?P<data>[^\x1b]*))?\x1b\\"
    rb"|\x1b\[38;5;(?P<number>\d+)[\d;]*m(?P<cells>(?:\xf4\x8e\xbb\xae[^\xf4\x1b]*)+)(?=\x1b)"
)
_CELL = re.compile("\U0010eeee(.)(.)")


@dataclass
class Picture:
    """``pixels``: uint8 ``(H, W)``; shown in ``columns`` x ``rows`` cells."""

    number: int
    pixels: np.ndarray[Any, Any]
    columns: int
    rows: int


@dataclass
class Pictures:
    """What a terminal holds and what it held, and in ``faults`` whatever a real one could take amiss."""

    held: dict[int, Picture] = field(default_factory=dict)
    sent: list[Picture] = field(default_factory=list)
    placed: list[tuple[int, int, int]] = field(default_factory=list)  # number, row, column
    faults: list[str] = field(default_factory=list)
    _loading: dict[str, str] | None = None
    _data: bytes = b""

    def command(self, control: bytes, data: bytes) -> None:
        keys = dict(each.split("=", 1) for each in control.decode().split(","))
        if keys.get("q") != "2":
            self.faults.append(f"would be answered: {keys}")
        if self._loading is not None:
            self._more(keys, data)
        elif keys["a"] == "d":
            self.held.pop(int(keys["i"]), None)
            if keys["d"] != "I":
                self.faults.append(f"data would stay: {keys}")
        else:
            if (keys["a"], keys["U"], keys["f"]) != ("T", "1", "100"):
                self.faults.append(f"not a PNG to be placed by characters: {keys}")
            if int(keys["i"]) in self.held:
                self.faults.append(f"sent over one that is held: {keys}")
            self._loading, self._data = keys, b""
            self._more({"m": keys["m"], "q": "2"}, data)

    def _more(self, keys: dict[str, str], data: bytes) -> None:
        assert self._loading is not None
        if keys.keys() - {"m", "q"} or len(data) > 4096 or (keys["m"] == "1" and len(data) % 4):
            self.faults.append(f"a wrong chunk: {keys}, {len(data)} bytes")
        self._data += data
        if keys["m"] == "0":
            head, self._loading = self._loading, None
            with Image.open(io.BytesIO(b64decode(self._data, validate=True)), formats=["PNG"]) as png:
                png.load()
                picture = Picture(int(head["i"]), np.asarray(png), int(head["c"]), int(head["r"]))
            self.held[picture.number] = picture
            self.sent.append(picture)

    def place(self, number: int, cells: str) -> None:
        for row, column in _CELL.findall(cells):
            picture = self.held.get(number)
            at = MARKS.index(row), MARKS.index(column)
            if picture is None or at[0] >= picture.rows or at[1] >= picture.columns:
                self.faults.append(f"a cell of no picture: {number} {at}")
            self.placed.append((number, *at))


class KittyTerminal:
    """A pseudo-terminal of 30 x 100 cells of 10 x 20 pixels, and whoever is at its other end.

    Args:
        who, draws, attributes: what is answered; None for nothing.
        late: nothing is answered until ``answer`` is called.
        deaf_after: so many questions are answered.
    """

    def __init__(
        self, *, who: bytes | None = KITTY, draws: bytes | None = DRAWS, attributes: bytes | None = ATTRIBUTES,
        late: bool = False, deaf_after: int = 10**6,
    ) -> None:  # fmt: skip
        self.late, self._deaf_after = late, deaf_after
        self._answers = {"who": who, "control": draws, "attributes": attributes}
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 1000, 600))
        self.before = termios.tcgetattr(self.slave)
        self.said = b""
        self.asked: list[str] = []
        self.pictures = Pictures()
        self._owed: list[bytes] | None = [] if late else None
        self._at = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def answer(self) -> None:
        """All that is owed."""
        os.write(self.master, b"".join(self._owed or []))
        self._owed = None

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        os.close(self.slave)
        os.close(self.master)

    def _read(self) -> None:
        while not self._over.is_set():
            if select.select([self.master], [], [], 0.05)[0]:
                self.said += os.read(self.master, 65536)
                self._take()

    def _take(self) -> None:
        for token in _TOKEN.finditer(self.said, self._at):
            self._at = token.end()
            if token["number"] is not None:
                self.pictures.place(int(token["number"]), token["cells"].decode())
            elif token["control"] is not None and b"a=q" not in token["control"]:
                self.pictures.command(token["control"], token["data"] or b"")
            else:
                asked = token.lastgroup if token["control"] is None else "control"
                self.asked.append(str(asked))
                answer = self._answers[str(asked)] if len(self.asked) <= self._deaf_after else None
                if answer is not None and self._owed is not None:
                    self._owed.append(answer)
                elif answer is not None:
                    os.write(self.master, answer)
