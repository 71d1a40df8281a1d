import json
import os
import socket
import threading

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.streamer.capture.frame_channel import ChannelClosed, ChannelReader, ChannelWriter, ReadTimeout
from fetalstream.streamer.frame import Frame


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ChannelWriter(theirs), ChannelReader(ours), theirs


def frame(index, shape=(30, 40), **more):
    pixels = np.random.default_rng(index).integers(0, 255, shape, dtype=np.uint8)
    return Frame(pixels, index, index / 30, 10**15 + index, 3, **more)


def send(writer, sent):
    writer.send_frame(writer.queue(sent), 0)


def passed(pair, messages):
    """What arrives of frames and notes."""
    writer, reader, _ = pair

    def send_all():
        for message in messages:
            writer.send_note(message) if isinstance(message, dict) else writer.send_frame(writer.queue(message), 7)

    sender = threading.Thread(target=send_all)
    sender.start()
    received = []
    while len(received) < len(messages):
        try:
            received.append(reader.next())
        except ReadTimeout:
            continue
    sender.join()
    return received


def test_frames_and_notes_arrive_as_they_were_and_in_order(pair):
    sent = [
        frame(0),
        {"trouble": "ärger"},
        frame(1, (1080, 1920, 3), spacing_mm=0.21, spacing_from="ruler"),
        frame(2, (1, 1)),
        {},
    ]
    received = passed(pair, sent)
    for message, arrived in zip(sent, received, strict=True):
        if isinstance(message, dict):
            assert arrived == message
            continue
        assert arrived.dropped == 7
        np.testing.assert_array_equal(arrived.frame.pixels, message.pixels)
        for field in ("index", "pts_seconds", "captured_ns", "epoch", "spacing_mm", "spacing_from"):
            assert getattr(arrived.frame, field) == getattr(message, field)


def test_a_view_that_is_not_contiguous_arrives_as_it_looks(pair):
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)[::2, ::-2]
    (arrived,) = passed(pair, [Frame(pixels, 0, 0.0, 0)])
    np.testing.assert_array_equal(arrived.frame.pixels, pixels)


def test_silence_is_told_and_costs_nothing_that_has_come(pair):
    _, reader, raw = pair
    with pytest.raises(ReadTimeout):
        reader.next()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(ChannelWriter(theirs), frame(5, (4, 5)))
        header, (file,), _, _ = socket.recv_fds(ours, 1 << 16, 1)
        ChannelWriter(theirs).send_note({"trouble": "none"})
        note = ours.recv(1 << 16)
    for data in (header, note):
        if data is header:
            socket.send_fds(raw, [data[:10]], [file])
            os.close(file)
        else:
            raw.sendall(data[:10])
        with pytest.raises(ReadTimeout):
            reader.next()
        raw.sendall(data[10:-3])
        with pytest.raises(ReadTimeout):
            reader.next()
        raw.sendall(data[-3:])
        came = reader.next()
        if data is header:
            np.testing.assert_array_equal(came.frame.pixels, frame(5, (4, 5)).pixels)
        else:
            assert came == {"trouble": "none"}


def test_of_each_frame_the_child_learns_which_slots_are_free_when_the_next_is_asked_for(pair):
    writer, reader, theirs = pair
    lines = theirs.makefile("rb")

    def released():
        with pytest.raises(ReadTimeout):
            reader.next()
        return json.loads(lines.readline())

    send(writer, frame(0))
    held = reader.next()
    assert released() == []
    send(writer, frame(1))
    first = reader.next()
    del first
    (freed,) = released()
    writer.release([freed])
    send(writer, frame(2))
    second = reader.next()
    assert released() == []
    for index, received in ((0, held), (2, second)):
        np.testing.assert_array_equal(received.frame.pixels, frame(index).pixels)


def test_a_buffer_given_out_is_where_the_pixels_are_read(pair):
    writer, reader, _ = pair
    unused = writer.buffer((3, 5))
    buffer = writer.buffer((4, 5))
    buffer[:] = 3
    queued = writer.queue(Frame(buffer, 0, 0.0, 0))
    assert queued.frame.pixels is buffer
    other = writer.queue(frame(1, (4, 5)))  # not in the buffer: copied
    writer.send_frame(queued, 0)
    writer.send_frame(other, 0)
    arrived = [reader.next().frame.pixels for _ in range(2)]
    np.testing.assert_array_equal(arrived[0], np.full((4, 5), 3))
    np.testing.assert_array_equal(arrived[1], frame(1, (4, 5)).pixels)
    assert unused.shape == (3, 5)


def test_the_slot_of_a_frame_that_is_dropped_is_used_again(pair):
    writer, reader, _ = pair
    slots = set()
    for index in range(9):
        queued = writer.queue(frame(index))
        slots.add(queued.slot)
        writer.drop(queued)
    writer.buffer((30, 40))  # never used
    writer.send_frame(writer.queue(frame(9)), 9)
    assert len(slots) == 1
    received = reader.next()
    assert received.dropped == 9
    np.testing.assert_array_equal(received.frame.pixels, frame(9).pixels)


def test_frames_of_another_size_may_wait_behind_those_before(pair):
    writer, reader, _ = pair
    queued = [writer.queue(frame(index, shape)) for index, shape in enumerate([(30, 40), (10, 10), (30, 40)])]
    for each in queued:
        writer.send_frame(each, 0)
    for each in queued:
        np.testing.assert_array_equal(reader.next().frame.pixels, each.frame.pixels)


def test_no_file_stays_open(pair):
    before = psutil.Process().num_fds()
    for shape in ((30, 40), (31, 40), (30, 40, 3)):
        passed(pair, [frame(0, shape), frame(1, shape)])
    assert psutil.Process().num_fds() - before <= 2  # memory of the last size, on both sides


def test_the_end_of_the_other_side_is_told(pair):
    _, reader, raw = pair
    raw.sendall(b"\1")
    raw.close()
    with pytest.raises(ChannelClosed):
        reader.next()


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=64, max_size=200))
def test_whatever_a_broken_child_says_is_told_from_a_frame(data):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.close()
        reader = ChannelReader(ours)
        with pytest.raises(ChannelClosed):
            list(iter(reader.next, None))
