"""A real pseudo-terminal is asked; whoever is at its other end answers as told (there is no real Kitty here)."""

import os
import termios
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from fetalstream.tui.pictures.kitty_query import TerminalReply, ask, cell_px
from tests.tui.kitty_terminal import WEZTERM, KittyTerminal
from tests.waiting import until

GHOSTTY = b"\x1bP>|ghostty 1.1.3\x1b\\"
LONG_S, SHORT_S = 30.0, 0.05
PLAIN = {"TERM": "xterm-256color"}


@pytest.fixture
def at() -> Iterator[Callable[..., KittyTerminal]]:
    opened: list[KittyTerminal] = []

    def open_one(**answers: Any) -> KittyTerminal:
        opened.append(KittyTerminal(**answers))
        return opened[-1]

    yield open_one
    for each in opened:
        assert termios.tcgetattr(each.slave) == each.before
        each.close()


def asked(terminal: KittyTerminal, *, within_s: float = LONG_S, environment: dict[str, str] = PLAIN) -> TerminalReply:
    return ask("auto", environment, within_s=within_s, streams=(terminal.slave,) * 3)


def test_who_is_known_and_answers_for_pictures_draws_them(at: Callable[..., KittyTerminal]) -> None:
    for who in ({}, {"who": GHOSTTY}):
        terminal = at(**who)
        assert asked(terminal) == TerminalReply(draws=True)
        assert terminal.asked == ["who", "attributes", "control", "attributes"]


@pytest.mark.parametrize(
    ("answers", "questions"),
    [
        ({"who": None, "draws": None}, 2),
        ({"who": WEZTERM}, 2),
        ({"draws": None}, 4),
        ({"draws": b"\x1b_Gi=31;ENOTSUPPORTED:no pictures\x1b\\"}, 4),
    ],
    ids=["only attributes", "no placeholders", "no pictures", "pictures are off"],
)
def test_whoever_else_answers_is_not_sent_any(
    at: Callable[..., KittyTerminal], answers: dict[str, Any], questions: int
) -> None:
    terminal = at(**answers)
    assert asked(terminal) == TerminalReply(draws=False)
    assert len(terminal.asked) == questions


def test_who_never_answers_is_waited_for_a_moment_and_may_answer_yet(at: Callable[..., KittyTerminal]) -> None:
    assert asked(at(who=None, draws=None, attributes=None), within_s=SHORT_S) == TerminalReply(
        draws=False, pending=True
    )
    late = at(late=True)
    assert asked(late, within_s=SHORT_S) == TerminalReply(draws=False, pending=True)
    until(lambda: len(late.asked) == 2)
    late.answer()


def test_who_answers_for_himself_and_for_pictures_too_late_may_answer_yet(at: Callable[..., KittyTerminal]) -> None:
    assert asked(at(deaf_after=2), within_s=1.0) == TerminalReply(draws=False, pending=True)


def test_answers_that_come_in_pieces_among_keys_are_read(at: Callable[..., KittyTerminal]) -> None:
    terminal = at(who=None, draws=None, attributes=None)
    terminal.press(b"q\x1bP>|kitty(0.3")
    terminal.press(b"6)\x1b\\\x1b[A\x1b[?62")
    terminal.press(b";c")
    assert asked(terminal, within_s=SHORT_S).pending  # the second question has no answer: the first had
    until(lambda: "control" in terminal.asked)


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "screen-256color"},
        {"TERM": "tmux-256color"},
        {**PLAIN, "TMUX": "/tmp/tmux-1000/default,1,0"},
        {**PLAIN, "STY": "1.pts-0.host"},
        {**PLAIN, "NO_COLOR": "1"},
        {**PLAIN, "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"},
    ],
    ids=["screen", "tmux", "in tmux", "in screen", "no colour", "browser"],
)
def test_some_are_not_even_asked(at: Callable[..., KittyTerminal], environment: dict[str, str]) -> None:
    terminal = at()
    assert asked(terminal, environment=environment) == TerminalReply(draws=False)
    assert ask("kitty", environment, streams=(terminal.slave,) * 3) == TerminalReply(draws=False)
    assert terminal.said == b""


def test_the_users_word_is_taken_without_asking(at: Callable[..., KittyTerminal]) -> None:
    terminal = at()
    streams = (terminal.slave,) * 3
    assert ask("blocks", PLAIN, streams=streams) == TerminalReply(draws=False)
    assert ask("kitty", PLAIN, streams=streams) == TerminalReply(draws=True)
    assert terminal.said == b""


def test_what_is_not_a_terminal_is_not_asked(at: Callable[..., KittyTerminal]) -> None:
    terminal = at()
    reading, writing = os.pipe()
    for streams in ((reading, terminal.slave, terminal.slave), (terminal.slave, writing, terminal.slave)):
        assert ask("kitty", PLAIN, streams=streams) == TerminalReply(draws=False)
    os.close(reading)
    os.close(writing)
    assert terminal.said == b""


def test_modes_are_restored_also_where_asking_is_broken_off(
    at: Callable[..., KittyTerminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(*_: object) -> None:
        raise KeyboardInterrupt

    terminal = at()
    monkeypatch.setattr("fetalstream.tui.pictures.kitty_query.select", SimpleNamespace(select=broken_off))
    with pytest.raises(KeyboardInterrupt):
        asked(terminal)
    assert termios.tcgetattr(terminal.slave) == terminal.before


def test_a_cell_is_as_large_as_the_terminal_says(at: Callable[..., KittyTerminal]) -> None:
    assert cell_px(at().slave) == (10, 20)
    reading, writing = os.pipe()
    assert cell_px(reading) == (8, 16)
    os.close(reading)
    os.close(writing)
