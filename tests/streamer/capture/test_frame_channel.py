import gc
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


def send(sending, sent):
    sending.frame(sending.lay(sent), 0)


def passed(pair, messages):
    """What arrives of frames and notes."""
    sending, receiving, _ = pair

    def send_all():
        for message in messages:
            sending.note(message) if isinstance(message, dict) else sending.frame(sending.lay(message), 7)

    sender = threading.Thread(target=send_all)
    sender.start()
    received = []
    while len(received) < len(messages):
        try:
            received.append(receiving.next())
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
    _, receiving, raw = pair
    with pytest.raises(ReadTimeout):
        receiving.next()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(ChannelWriter(theirs), frame(5, (4, 5)))
        header, (piece,), _, _ = socket.recv_fds(ours, 1 << 16, 1)
        ChannelWriter(theirs).note({"trouble": "none"})
        note = ours.recv(1 << 16)
    for data in (header, note):
        if data is header:
            socket.send_fds(raw, [data[:10]], [piece])
            os.close(piece)
        else:
            raw.sendall(data[:10])
        with pytest.raises(ReadTimeout):
            receiving.next()
        raw.sendall(data[10:-3])
        with pytest.raises(ReadTimeout):
            receiving.next()
        raw.sendall(data[-3:])
        came = receiving.next()
        if data is header:
            np.testing.assert_array_equal(came.frame.pixels, frame(5, (4, 5)).pixels)
        else:
            assert came == {"trouble": "none"}


def test_of_each_frame_the_child_hears_which_places_are_free_when_the_next_is_asked_for(pair):
    sending, receiving, theirs = pair
    lines = theirs.makefile("rb")

    def heard():
        with pytest.raises(ReadTimeout):
            receiving.next()
        return json.loads(lines.readline())

    send(sending, frame(0))
    held = receiving.next()
    assert heard() == []
    send(sending, frame(1))
    first = receiving.next()
    del first
    (freed,) = heard()
    sending.given_back([freed])
    send(sending, frame(2))
    second = receiving.next()
    assert heard() == []
    for index, handed in ((0, held), (2, second)):
        np.testing.assert_array_equal(handed.frame.pixels, frame(index).pixels)


def test_a_space_given_out_is_where_the_pixels_are_read(pair):
    sending, receiving, _ = pair
    unused = sending.space((3, 5))
    space = sending.space((4, 5))
    space[:] = 3
    laid = sending.lay(Frame(space, 0, 0.0, 0))
    assert laid.frame.pixels is space
    other = sending.lay(frame(1, (4, 5)))  # not of a space: copied
    sending.frame(laid, 0)
    sending.frame(other, 0)
    arrived = [receiving.next().frame.pixels for _ in range(2)]
    np.testing.assert_array_equal(arrived[0], np.full((4, 5), 3))
    np.testing.assert_array_equal(arrived[1], frame(1, (4, 5)).pixels)
    assert unused.shape == (3, 5)


def test_the_place_of_a_frame_that_is_dropped_is_used_again(pair):
    sending, receiving, _ = pair
    places = set()
    for index in range(9):
        laid = sending.lay(frame(index))
        places.add(laid.place)
        sending.drop(laid)
    sending.space((30, 40))  # never used
    sending.frame(sending.lay(frame(9)), 9)
    assert len(places) == 1
    handed = receiving.next()
    assert handed.dropped == 9
    np.testing.assert_array_equal(handed.frame.pixels, frame(9).pixels)


def test_frames_of_another_size_may_wait_behind_those_before(pair):
    sending, receiving, _ = pair
    laid = [sending.lay(frame(index, shape)) for index, shape in enumerate([(30, 40), (10, 10), (30, 40)])]
    for each in laid:
        sending.frame(each, 0)
    for each in laid:
        np.testing.assert_array_equal(receiving.next().frame.pixels, each.frame.pixels)


def test_no_file_stays_open(pair):
    before = psutil.Process().num_fds()
    for shape in ((30, 40), (31, 40), (30, 40, 3)):
        passed(pair, [frame(0, shape), frame(1, shape)])
    gc.collect()
    assert psutil.Process().num_fds() - before <= 2  # memory of the last size, on both sides


def test_the_end_of_the_other_side_is_told(pair):
    _, receiving, raw = pair
    raw.sendall(b"\1")
    raw.close()
    with pytest.raises(ChannelClosed):
        receiving.next()


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=64, max_size=200))
def test_whatever_a_broken_child_says_is_told_from_a_frame(data):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.close()
        receiving = ChannelReader(ours)
        with pytest.raises(ChannelClosed):
            list(iter(receiving.next, None))
