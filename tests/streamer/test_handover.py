import gc
import socket
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.frame import Frame
from streamer.handover import Gone, Receiving, Sending, Silent


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Sending(theirs), Receiving(ours), theirs


def frame(index, shape=(30, 40), **more):
    pixels = np.random.default_rng(index).integers(0, 255, shape, dtype=np.uint8)
    return Frame(pixels, index, index / 30, 10**15 + index, 3, **more)


def passed(pair, messages):
    """What arrives of frames and notes."""
    sending, receiving, _ = pair

    def send():
        for message in messages:
            sending.note(message) if isinstance(message, dict) else sending.frame(message, 7)

    sender = threading.Thread(target=send)
    sender.start()
    received = []
    while len(received) < len(messages):
        try:
            received.append(receiving.next())
        except Silent:
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


def test_memory_is_used_again_only_when_nobody_holds_it(pair):
    first, second = passed(pair, [frame(0), frame(1)])
    held, kept = first.frame.pixels[3:5], first.frame.pixels[3:5].copy()
    owner = second.frame.pixels.base
    del first, second
    gc.collect()
    assert owner is not None
    del owner
    for _ in range(20):
        passed(pair, [frame(9)])
    np.testing.assert_array_equal(held, kept)
    receiving = pair[1]
    assert len(receiving._buffers) <= 3


def test_silence_is_told_and_costs_nothing_that_has_come(pair):
    _, receiving, raw = pair
    with pytest.raises(Silent):
        receiving.next()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Sending(theirs).frame(frame(5, (4, 5)), 0)
        data = ours.recv(1 << 16)
    raw.sendall(data[:10])
    with pytest.raises(Silent):
        receiving.next()
    raw.sendall(data[10:-3])
    with pytest.raises(Silent):
        receiving.next()
    raw.sendall(data[-3:])
    np.testing.assert_array_equal(receiving.next().frame.pixels, frame(5, (4, 5)).pixels)


def test_the_end_of_the_other_side_is_told(pair):
    _, receiving, raw = pair
    raw.sendall(b"\1")
    raw.close()
    with pytest.raises(Gone):
        receiving.next()


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=64, max_size=200))
def test_whatever_a_broken_child_says_is_told_from_a_frame(data):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.close()
        receiving = Receiving(ours)
        with pytest.raises(Gone):
            list(iter(receiving.next, None))
