"""The sequences that are written, as a terminal reads them."""

import re
import unicodedata

import numpy as np
import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from fetalstream.tui.pictures.kitty import MARKS, MOST_CELLS, NUMBERS, Kitty, cells, deleted, sent
from tests.tui.kitty_terminal import Pictures

_CELL = re.compile("\U0010eeee(.)(.)")


def read(written: str) -> Pictures:
    pictures = Pictures()
    for control, data in re.findall(r"\x1b_G([^;\x1b]*);?([^\x1b]*)\x1b\\", written):
        pictures.command(control.encode(), data.encode())
    return pictures


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 7), (360, 480), (480, 640)])
def test_what_is_sent_is_what_comes(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, size, np.uint8)
    pictures = read(sent(7, pixels, 40, 20))
    assert not pictures.faults
    (picture,) = pictures.sent
    assert (picture.number, picture.columns, picture.rows) == (7, 40, 20)
    assert np.array_equal(picture.pixels, pixels)


def test_a_picture_takes_the_place_of_the_one_before_it_and_can_be_deleted() -> None:
    dark, bright = np.zeros((4, 4), np.uint8), np.full((4, 4), 200, np.uint8)
    pictures = read(sent(7, dark, 2, 1) + sent(8, dark, 2, 1) + sent(7, bright, 2, 1))
    assert not pictures.faults
    assert pictures.held[7].pixels.min() == 200
    assert read(sent(7, dark, 2, 1) + deleted(7)).held == {}


def test_places_are_told_by_the_marks_above_letters_of_unicode_6() -> None:
    assert MOST_CELLS == 297  # as many as the protocol's own list has
    assert list(MARKS) == sorted(set(MARKS))
    assert [f"{ord(each):04X}" for each in MARKS[:4]] == ["0305", "030D", "030E", "0310"]
    assert f"{ord(MARKS[-1]):04X}" == "1D244"
    assert {unicodedata.combining(each) for each in MARKS} == {230}
    assert all(unicodedata.normalize("NFC", "\U0010eeee" + each)[1:] == each for each in MARKS)


def test_every_cell_tells_its_own_place_so_that_a_part_of_a_row_is_the_right_part() -> None:
    row = cells(12, MOST_CELLS)
    assert cell_len(row) == MOST_CELLS
    assert _CELL.findall(row) == [(MARKS[12], mark) for mark in MARKS]
    part = Strip([Segment(cells(3, 60))]).crop(17, 40)
    assert part.cell_length == 23
    assert _CELL.findall(part.text) == [(MARKS[3], mark) for mark in MARKS[17:40]]


def test_numbers_are_lent_and_come_back() -> None:
    written: list[str] = []
    kitty = Kitty(written.append, lambda: (8, 16))
    lent = [kitty.numbers() for _ in range(NUMBERS // 2)]
    numbers = [number for pair in lent if pair is not None for number in pair]
    assert len(set(numbers)) == len(numbers) == NUMBERS - 1
    assert kitty.numbers() is None
    assert min(numbers) >= 1
    assert max(numbers) <= 255
    kitty.send(numbers[0], np.zeros((2, 2), np.uint8), 1, 1)
    assert lent[0] is not None
    kitty.give_back(lent[0])
    assert read("".join(written)).held == {}
    assert kitty.numbers() is not None


def test_what_is_cleared_is_deleted_once_and_said_to_be_gone() -> None:
    written: list[str] = []
    kitty = Kitty(written.append, lambda: (8, 16))
    for number in (3, 9):
        kitty.send(number, np.zeros((2, 2), np.uint8), 1, 1)
    kitty.clear()
    assert read("".join(written)).held == {}
    assert kitty.cleared == 1
    before = len(written)
    kitty.clear()
    assert len(written) == before
