"""The dashboard on a real pseudo-terminal whose other end answers as Kitty would. There is no real Kitty here."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from textual.color import Color

from fetalstream.pipeline.bus.endpoints import endpoints_in
from fetalstream.streamer.sources import open_source
from fetalstream.tui.widgets import palette
from tests.scripted_engine import ScriptedEngine, frame_info, health, reading
from tests.tui.kitty_terminal import WEZTERM, KittyTerminal
from tests.tui.live_run import BREAKABLE, ROOT, UP_WITHIN_S, environment, few_sentences
from tests.waiting import until

CLI = (
    BREAKABLE
    + """
if sys.argv[2] == "patient":  # on a machine that is busy an answer may take longer than anybody would wait
    from fetalstream.tui.run import foreground
    ask = foreground.ask
    foreground.ask = lambda wanted: ask(wanted, within_s=60.0)
sys.exit(cli.main(sys.argv[3:]))
"""
)
# Large letters are of half blocks as well, but on the background's colour. Beneath another screen colours are tinted.
_BACKGROUND = ";".join(map(str, Color.parse(palette.BACKGROUND).rgb)).encode()
_BLOCKS = re.compile(rb"\x1b\[38;[\d;]+;48;(5;2\d\d|2;(?!%s)[\d;]+)m" % _BACKGROUND + "▀".encode())
PICTURE = next(iter(open_source("phantom:3"))).pixels


class Engine:
    """Publishes one picture again and again, at the pace of a video, until ``silent``."""

    def __init__(self, folder: Path) -> None:
        self.scripted = ScriptedEngine(endpoints_in(folder))
        self.silent = threading.Event()
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def _play(self) -> None:
        index = 0
        while not self.silent.wait(0.05):
            self.scripted.publisher.send(reading(index))
            self.scripted.publisher.preview("stream-1", "exam-a", frame_info(index), PICTURE)
            if index % 20 == 0:
                self.scripted.publisher.send(health())
            index += 1

    def close(self) -> None:
        self.silent.set()
        self._thread.join()
        self.scripted.end()


class Shown:
    """``fetalstream`` with those arguments on the terminal."""

    def __init__(self, terminal: KittyTerminal, home: Path, *arguments: str, **variables: str) -> None:
        (home / "run").mkdir(mode=0o700, exist_ok=True)
        self.terminal, self.break_now = terminal, home / "break"
        without = {name: value for name, value in os.environ.items() if name not in ("TMUX", "STY", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLI, str(self.break_now), "hasty" if terminal.late else "patient", *arguments],
            cwd=ROOT, start_new_session=True,
            env={**without, **environment(home), "TERM": "xterm-kitty", "COLORTERM": "truecolor", **variables},
            stdin=terminal.slave, stdout=terminal.slave, stderr=terminal.slave,
        )  # fmt: skip

    def ended(self) -> int:
        """Its exit code, once the terminal holds nothing of it and is as it was."""
        code = self.process.wait(UP_WITHIN_S)
        until(lambda: b"\x1b[?1049l" in self.terminal.said)
        assert termios.tcgetattr(self.terminal.slave) == self.terminal.before
        pictures = self.terminal.pictures
        assert not pictures.faults
        assert not pictures.held
        # Said to the screen that they were drawn on.
        assert self.terminal.said.rfind(b"\x1b_G") < self.terminal.said.rindex(b"\x1b[?1049l")
        return code


@pytest.fixture
def show(short_path: Path) -> Iterator[Callable[..., Shown]]:
    shown: list[Shown] = []

    def start(terminal: KittyTerminal, *arguments: str, **variables: str) -> Shown:
        shown.append(Shown(terminal, short_path, *arguments, **variables))
        return shown[-1]

    yield start
    for each in shown:
        each.process.kill()
        each.process.wait()
        each.terminal.close()


@pytest.fixture
def engine(short_path: Path) -> Iterator[Engine]:
    playing = Engine(short_path)
    yield playing
    playing.close()


def watch(show: Callable[..., Shown], engine: Engine, terminal: KittyTerminal, *more: str, **variables: str) -> Shown:
    return show(terminal, "watch", engine.scripted.endpoints.control, *more, **variables)


def in_blocks(terminal: KittyTerminal, since: int = 0) -> bool:
    """True if a picture was drawn in half blocks."""
    return _BLOCKS.search(terminal.said, since) is not None


def apart(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    """Mean difference of two pictures, of 255; the other is shrunk to the size of the one."""
    height, width = one.shape
    shrunk = Image.fromarray(other).resize((width, height), Image.Resampling.BOX)
    return float(np.abs(one.astype(float) - np.asarray(shrunk)).mean())


WAYS: list[tuple[str, Callable[[Shown], object], int]] = [
    ("q", lambda shown: shown.terminal.press(b"q"), 0),
    ("SIGTERM", lambda shown: shown.process.send_signal(signal.SIGTERM), 0),
    ("SIGHUP", lambda shown: shown.process.send_signal(signal.SIGHUP), 0),
    ("broken", lambda shown: shown.break_now.touch(), 1),
]


@pytest.mark.parametrize(("end", "code"), [way[1:] for way in WAYS], ids=[way[0] for way in WAYS])
def test_the_picture_is_drawn_in_pixels_and_taken_away_however_it_ends(
    show: Callable[..., Shown], engine: Engine, end: Callable[[Shown], object], code: int
) -> None:
    terminal = KittyTerminal()
    shown = watch(show, engine, terminal)
    pictures = terminal.pictures
    until(lambda: len(pictures.sent) > 20)
    end(shown)
    assert shown.ended() == code
    assert not in_blocks(terminal)
    first = pictures.sent[0]
    assert first.pixels.shape[0] <= 20 * first.rows
    assert first.pixels.shape[1] <= 10 * first.columns
    assert apart(first.pixels, PICTURE) < 3  # JPEG, and 64 grays
    # By turns, and each shown whole.
    assert all(one.number != other.number for one, other in zip(pictures.sent, pictures.sent[1:], strict=False))
    cells = {(row, column) for number, row, column in pictures.placed if number == first.number}
    assert cells == {(row, column) for row in range(first.rows) for column in range(first.columns)}


def test_a_picture_that_grows_old_is_dimmed_under_its_banner_and_then_gone(
    show: Callable[..., Shown], engine: Engine
) -> None:
    terminal = KittyTerminal()
    shown = watch(show, engine, terminal)
    pictures = terminal.pictures
    until(lambda: len(pictures.sent) > 5)
    bright = pictures.sent[-1].pixels.mean()
    engine.silent.set()
    until(lambda: b"STALE" in terminal.said or b"NO DATA" in terminal.said)
    until(lambda: pictures.sent[-1].pixels.mean() < 0.6 * bright)
    until(lambda: not pictures.held)
    shown.terminal.press(b"q")
    assert shown.ended() == 0


def test_beneath_another_screen_the_picture_is_in_blocks(show: Callable[..., Shown], engine: Engine) -> None:
    terminal = KittyTerminal()
    shown = watch(show, engine, terminal)
    pictures = terminal.pictures
    until(lambda: len(pictures.sent) > 5)
    terminal.press(b"?")
    until(lambda: b"esc closes" in terminal.said)
    since = len(terminal.said)
    until(lambda: in_blocks(terminal, since))
    before = len(pictures.sent)
    terminal.press(b"\x1b")
    until(lambda: len(pictures.sent) > before + 5)
    terminal.press(b"q")
    assert shown.ended() == 0


@pytest.mark.parametrize(
    ("answers", "arguments", "variables"),
    [
        ({"who": WEZTERM}, (), {}),
        ({"draws": None}, (), {}),
        ({}, ("--pictures", "blocks"), {}),
        ({}, (), {"TMUX": "/tmp/tmux-1000/default,1,0"}),
    ],
    ids=["another", "no pictures", "not wanted", "tmux"],
)
def test_where_pixels_cannot_be_drawn_nothing_but_blocks_is(
    show: Callable[..., Shown], engine: Engine, answers: dict[str, Any], arguments: tuple[str, ...],
    variables: dict[str, str],
) -> None:  # fmt: skip
    terminal = KittyTerminal(**answers)
    shown = watch(show, engine, terminal, *arguments, **variables)
    until(lambda: in_blocks(terminal))
    terminal.press(b"q")
    assert shown.ended() == 0
    assert not terminal.pictures.sent
    assert not terminal.pictures.placed


def test_pictures_are_not_told_apart_by_colours_that_are_not_sent(show: Callable[..., Shown], engine: Engine) -> None:
    terminal = KittyTerminal()
    shown = watch(show, engine, terminal, TERM="xterm", COLORTERM="")
    until(lambda: b"LIVE" in terminal.said and "▀".encode() in terminal.said)
    terminal.press(b"q")
    assert shown.ended() == 0
    assert not terminal.pictures.sent


def test_an_answer_that_comes_late_presses_no_key(show: Callable[..., Shown], engine: Engine) -> None:
    terminal = KittyTerminal(late=True)
    shown = watch(show, engine, terminal)
    until(lambda: in_blocks(terminal))
    terminal.answer()  # the letters in it would choose a theme and open two dialogs
    terminal.press(b"?")
    until(lambda: b"esc closes" in terminal.said)
    terminal.press(b"q")  # closes the help; were anything beneath it, the next would not end it
    before = len(terminal.said)
    until(lambda: b"LIVE" in terminal.said[before:])
    terminal.press(b"q")
    assert shown.ended() == 0


@pytest.mark.timeout(300)
def test_a_run_of_the_phantom_shows_the_phantom(show: Callable[..., Shown], short_path: Path) -> None:
    terminal = KittyTerminal()
    prompts = few_sentences(short_path / "prompts")
    shown = show(
        terminal, "run", "phantom:3", "--weights", "random", "--prompts", str(prompts), "--no-record",
        OMP_NUM_THREADS="1",
    )  # fmt: skip
    pictures = terminal.pictures
    until(lambda: len(pictures.sent) > 10, UP_WITHIN_S)
    shown.process.send_signal(signal.SIGTERM)
    assert shown.ended() == 0
    seen = pictures.sent[0].pixels
    # Whichever frame it was; what is outside the scan region is masked, and black in the phantom.
    assert min(apart(seen, frame.pixels) for _, frame in zip(range(300), open_source("phantom:3"), strict=False)) < 4
