"""Answers among keys, however they are cut into pieces."""

import pytest
from textual import events

from fetalstream.tui.dashboard.app_terminal import ReplyFilter
from tests.tui.kitty_terminal import ATTRIBUTES, DRAWS, KITTY

ANSWERS = KITTY + DRAWS + ATTRIBUTES


def keys(*pieces: bytes) -> list[str]:
    parser = ReplyFilter()
    found = [each for piece in pieces for each in parser.feed(piece.decode())]
    return [each.key for each in found if isinstance(each, events.Key)]


STREAM = b"a" + ANSWERS + b"b"
# An escape alone is the key of that name, and cannot wait for what may follow.
CUTS = [cut for cut in range(1, len(STREAM)) if STREAM[cut - 1] != 0x1B]


@pytest.mark.parametrize("cut", CUTS)
def test_only_what_was_pressed_is_a_key(cut: int) -> None:
    assert keys(STREAM[:cut], STREAM[cut:]) == ["a", "b"]


def test_keys_work_while_answers_are_awaited_and_after_the_last() -> None:
    assert keys(b"q", b"\x1b[A", b"\x1b[?2026;1$y", b"5") == ["q", "up", "5"]
    assert keys(ATTRIBUTES, b"x\x1b[A") == ["x", "up"]


def test_what_never_ends_is_no_answer() -> None:
    pressed = keys(b"\x1bP>|" + b"k" * 300, b"q")
    assert pressed[-1] == "q"
    assert "k" in pressed
