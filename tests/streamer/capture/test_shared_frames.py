import fcntl
import os
import sys

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.streamer.capture.shared_frames import SLOTS, SlotReader, SlotWriter


def passed(writer, reader, content):
    slot = writer.acquire(len(content))
    slot.memory[:] = content
    file = writer.send(slot.number)
    try:
        return slot.number, reader.pixels(slot.number, len(content), file)
    finally:
        if file is not None:
            os.close(file)


def filled(value, size=100):
    return np.full(size, value, np.uint8)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), max_size=120))
def test_what_is_held_stays_as_it_was_and_what_is_not_is_used_again(steps):
    """Each step: how many of the held are let go, and of what size the next frame is."""
    writer, reader, held = SlotWriter(), SlotReader(), []
    for value, (let_go, size) in enumerate(steps):
        del held[:let_go]
        writer.release(reader.released())
        content = filled(value, 100 * size)
        number, pixels = passed(writer, reader, content)
        assert number // SLOTS <= value
        held.append((pixels[3:], content[3:]))  # a view is a holder as well
        del pixels
        for view, expected in held:
            np.testing.assert_array_equal(view, expected)


def test_few_slots_serve_a_stream_that_is_let_go_of():
    writer, reader, numbers = SlotWriter(), SlotReader(), set()
    for value in range(300):
        number, pixels = passed(writer, reader, filled(value % 256))
        numbers.add(number)
        del pixels
        writer.release(reader.released())
    assert len(numbers) == 1


def test_a_file_is_told_with_the_first_slot_that_is_sent_whichever_that_is():
    writer, reader = SlotWriter(), SlotReader()
    never_sent = writer.acquire(100)
    writer.cancel(never_sent.number)
    skipped, sent = writer.acquire(100), writer.acquire(100)
    assert skipped.number == never_sent.number
    sent.memory[:] = 7
    file = writer.send(sent.number)
    assert file is not None
    np.testing.assert_array_equal(reader.pixels(sent.number, 100, file), filled(7))
    os.close(file)
    assert writer.send(skipped.number) is None


def test_frames_of_other_sizes_that_were_never_sent_leave_nothing_open():
    writer, reader = SlotWriter(), SlotReader()
    before = psutil.Process().num_fds()
    kept = passed(writer, reader, filled(1))[1]
    for value in range(2, 9):
        writer.cancel(writer.acquire(50).number)
        pixels = passed(writer, reader, filled(value))[1]
        np.testing.assert_array_equal(pixels, filled(value))
        assert len(reader._blocks) == 1
    np.testing.assert_array_equal(kept, filled(1))
    assert writer._unsent_files == {}
    assert psutil.Process().num_fds() - before <= 4  # each side's last block, and the block of what is kept
    # One that waits while the size changes twice is still sent with its file.
    waiting = writer.acquire(50)
    waiting.memory[:] = 9
    writer.cancel(writer.acquire(70).number)
    file = writer.send(waiting.number)
    np.testing.assert_array_equal(reader.pixels(waiting.number, 50, file), filled(9, 50))
    os.close(file)


def test_a_slot_is_named_once_when_nobody_looks_at_it_any_more():
    writer, reader = SlotWriter(), SlotReader()
    number, pixels = passed(writer, reader, filled(1))
    view = pixels.reshape(10, 10)[2]
    del pixels
    assert reader.released() == []
    del view
    assert reader.released() == [number]
    assert reader.released() == []


def test_the_reader_cannot_write():
    _, pixels = passed(SlotWriter(), SlotReader(), filled(1))
    with pytest.raises(ValueError, match="read-only"):
        pixels[0] = 0
    with pytest.raises(ValueError, match="WRITEABLE"):
        pixels.flags.writeable = True


def test_slots_that_were_never_sent_are_refused():
    writer, reader = SlotWriter(), SlotReader()
    number, held = passed(writer, reader, filled(1))
    for wrong, size in ((number, 100), (number + 1, 99), (number + SLOTS, 100), (number + SLOTS - 1, 101)):
        with pytest.raises(ValueError, match="no slot that was sent"):
            reader.pixels(wrong, size)
    np.testing.assert_array_equal(held, filled(1))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is sealed on Linux only")
def test_memory_that_could_be_cut_short_is_refused():
    file = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    try:
        os.truncate(file, 1000)
        with pytest.raises(ValueError, match="taken away"):
            SlotReader().pixels(0, 100, file)
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        assert not SlotReader().pixels(0, 100, file).any()
        with pytest.raises(ValueError, match="taken away"):
            SlotReader().pixels(0, 1001, file)
    finally:
        os.close(file)
