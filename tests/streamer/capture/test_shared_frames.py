import fcntl
import os
import sys

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.streamer.capture.shared_frames import PLACES, SlotReader, SlotWriter


def lend(lender, borrower, content):
    place = lender.take(len(content))
    place.memory[:] = content
    piece = lender.piece_of(place.number)
    try:
        return place.number, borrower.pixels(place.number, len(content), piece)
    finally:
        if piece is not None:
            os.close(piece)


def filled(value, size=100):
    return np.full(size, value, np.uint8)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), max_size=120))
def test_what_is_held_stays_as_it_was_and_what_is_not_is_used_again(steps):
    """Each step: how many of the held are let go, and of what size the next frame is."""
    lender, borrower, held = SlotWriter(), SlotReader(), []
    for value, (let_go, size) in enumerate(steps):
        del held[:let_go]
        lender.give_back(borrower.given_back())
        content = filled(value, 100 * size)
        number, pixels = lend(lender, borrower, content)
        assert number // PLACES <= value
        held.append((pixels[3:], content[3:]))  # a view is a holder as well
        del pixels
        for view, expected in held:
            np.testing.assert_array_equal(view, expected)


def test_few_places_serve_a_stream_that_is_let_go_of():
    lender, borrower, numbers = SlotWriter(), SlotReader(), set()
    for value in range(300):
        number, pixels = lend(lender, borrower, filled(value % 256))
        numbers.add(number)
        del pixels
        lender.give_back(borrower.given_back())
    assert len(numbers) == 1


def test_a_file_is_told_with_the_first_place_that_is_sent_whichever_that_is():
    lender, borrower = SlotWriter(), SlotReader()
    never_sent = lender.take(100)
    lender.put_back(never_sent.number)
    skipped, sent = lender.take(100), lender.take(100)
    assert skipped.number == never_sent.number
    sent.memory[:] = 7
    piece = lender.piece_of(sent.number)
    assert piece is not None
    np.testing.assert_array_equal(borrower.pixels(sent.number, 100, piece), filled(7))
    os.close(piece)
    assert lender.piece_of(skipped.number) is None


def test_frames_of_other_sizes_that_were_never_sent_leave_nothing_open():
    lender, borrower = SlotWriter(), SlotReader()
    before = psutil.Process().num_fds()
    kept = lend(lender, borrower, filled(1))[1]
    for value in range(2, 9):
        lender.put_back(lender.take(50).number)
        pixels = lend(lender, borrower, filled(value))[1]
        np.testing.assert_array_equal(pixels, filled(value))
        assert len(borrower._pieces) == 1
    np.testing.assert_array_equal(kept, filled(1))
    assert lender._untold == {}
    assert psutil.Process().num_fds() - before <= 4  # each side's last piece, and the piece of what is kept
    # One that waits while the size changes twice is still sent with its file.
    waiting = lender.take(50)
    waiting.memory[:] = 9
    lender.put_back(lender.take(70).number)
    piece = lender.piece_of(waiting.number)
    np.testing.assert_array_equal(borrower.pixels(waiting.number, 50, piece), filled(9, 50))
    os.close(piece)


def test_a_place_is_named_once_when_nobody_looks_at_it_any_more():
    lender, borrower = SlotWriter(), SlotReader()
    number, pixels = lend(lender, borrower, filled(1))
    view = pixels.reshape(10, 10)[2]
    del pixels
    assert borrower.given_back() == []
    del view
    assert borrower.given_back() == [number]
    assert borrower.given_back() == []


def test_the_reader_cannot_write():
    _, pixels = lend(SlotWriter(), SlotReader(), filled(1))
    with pytest.raises(ValueError, match="read-only"):
        pixels[0] = 0
    with pytest.raises(ValueError, match="WRITEABLE"):
        pixels.flags.writeable = True


def test_places_that_were_never_lent_are_refused():
    lender, borrower = SlotWriter(), SlotReader()
    number, held = lend(lender, borrower, filled(1))
    for wrong, size in ((number, 100), (number + 1, 99), (number + PLACES, 100), (number + PLACES - 1, 101)):
        with pytest.raises(ValueError, match="no place that was lent"):
            borrower.pixels(wrong, size)
    np.testing.assert_array_equal(held, filled(1))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is sealed on Linux only")
def test_memory_that_could_be_cut_short_is_refused():
    piece = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    try:
        os.truncate(piece, 1000)
        with pytest.raises(ValueError, match="taken away"):
            SlotReader().pixels(0, 100, piece)
        fcntl.fcntl(piece, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        assert not SlotReader().pixels(0, 100, piece).any()
        with pytest.raises(ValueError, match="taken away"):
            SlotReader().pixels(0, 1001, piece)
    finally:
        os.close(piece)
