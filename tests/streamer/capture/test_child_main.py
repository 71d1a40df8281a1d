"""What the child does between decoding and writer, without a process; see test_subprocess_source for the whole."""

import contextlib
import socket
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from fetalstream.streamer.capture import child_main
from fetalstream.streamer.capture.child_main import EXIT_BROKEN, EXIT_STUCK, _Capture, _Outbox
from fetalstream.streamer.capture.frame_channel import ChannelReader, ChannelWriter, ReadTimeout, ReceivedFrame
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.status import SourceStatus
from tests.waiting import until

CONFIG = {"sector": None, "name": "x", "spacing_mm": None, "depth_mm": None, "skip": 0, "revision": 0}


@pytest.fixture
def channel():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def theirs(channel):
    return channel[1]


@pytest.fixture
def pair(channel):
    return ChannelWriter(channel[1]), ChannelReader(channel[0])


def frame(index):
    return Frame(np.full((2, 2), index, np.uint8), index, index / 30, index)


def come(reader):
    """Indices of frames, and notes, that have come until now."""
    found = []
    with contextlib.suppress(ReadTimeout):
        while True:
            message = reader.next()
            found.append(message.frame.index if isinstance(message, ReceivedFrame) else message)
    return found


def test_frames_that_nobody_takes_wait_where_newer_ones_replace_them(pair):
    writer, reader = pair
    outbox = _Outbox(writer, newest=True)
    for index in range(9):
        outbox.put(frame(index))
    assert come(reader) == [0, 1]
    outbox.acknowledge([])
    assert come(reader) == [8]
    assert outbox.dropped == 6
    outbox.put(frame(9))
    assert come(reader) == []


def test_what_was_said_of_frames_that_are_gone_is_said_all_the_same(pair):
    writer, reader = pair
    outbox = _Outbox(writer, newest=True)
    for index in range(7):
        outbox.put(frame(index), {"note": index} if index in (3, 5) else None)
    outbox.send_heartbeat(lambda: {"beat": 0})
    assert come(reader) == [0, 1, {"note": 3}, {"note": 5}, {"beat": 0}]
    outbox.acknowledge([])
    assert come(reader) == [6]
    assert outbox.dropped == 4


def test_a_reader_who_takes_nothing_hears_no_more_and_more_beats(pair):
    writer, reader = pair
    outbox = _Outbox(writer, newest=True)
    for _ in range(9):
        outbox.send_heartbeat(lambda: {"beat": "while nothing is to be taken"})
    assert len(come(reader)) == 9
    for index in range(2):
        outbox.put(frame(index))
    for _ in range(9):
        outbox.send_heartbeat(lambda: {"beat": "in vain"})
    assert come(reader) == [0, 1]
    outbox.acknowledge([])
    outbox.put(frame(2))
    outbox.send_heartbeat(lambda: {"beat": "again"})
    assert come(reader) == [2, {"beat": "again"}]


def test_whoever_waits_for_the_reader_at_the_end_is_not_stuck(pair):
    writer, reader = pair
    outbox = _Outbox(writer, newest=False)
    for index in range(3):
        outbox.put(frame(index))
    assert not outbox.full
    end = threading.Thread(target=outbox.send_note, args=({"end": {}},))
    end.start()
    until(lambda: outbox.full)
    assert come(reader) == [0, 1]
    outbox.acknowledge([])
    end.join(10)
    assert come(reader) == [2, {"end": {}}]


def test_every_frame_of_a_recording_is_sent_and_its_reader_waited_for(pair):
    writer, reader = pair
    outbox = _Outbox(writer, newest=False)

    def read():
        for index in range(9):
            outbox.put(frame(index))
        outbox.send_note({"end": {}})

    capture = threading.Thread(target=read)
    capture.start()
    until(lambda: outbox.full)
    assert come(reader) == [0, 1]
    rest = []
    while {"end": {}} not in rest:
        outbox.acknowledge([])
        rest.append(reader.next())
    capture.join(10)
    assert [each.frame.index for each in rest[:-1]] == [*range(2, 9)]
    assert outbox.dropped == 0


def test_where_nobody_reads_any_more_the_child_ends(monkeypatch):
    ended = []
    monkeypatch.setattr(child_main.os, "_exit", ended.append)
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        _Outbox(ChannelWriter(theirs), newest=True).put(frame(0))
    assert ended == [0]


@pytest.fixture
def ends(monkeypatch):
    found = []
    monkeypatch.setattr(child_main.os, "_exit", found.append)
    return found


def test_what_nobody_foresaw_is_a_death_and_tells_no_secrets(monkeypatch, capsys, theirs):
    class Broken:
        live, kind, frames_expected, rate_hz, identity, warnings = True, "network", None, None, "", ()
        status = SourceStatus()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __iter__(self):
            yield frame(0)
            raise KeyError("rtsp://me:s3cret@host")

    monkeypatch.setattr(child_main, "open_source", lambda *_, **__: Broken())
    made = _Capture(theirs, CONFIG)
    try:
        assert made.run() == EXIT_BROKEN
    finally:
        made._outbox.closed.set()
    said = capsys.readouterr().err
    assert said.startswith("capture broke down: KeyError in __iter__")
    assert "s3cret" not in said


def worker(theirs, source, stood_still_s):
    made = _Capture(theirs, CONFIG)
    made._source = source
    made._watch()
    made._step = (made._step[0], time.monotonic() - stood_still_s)
    return made


def test_a_decoder_that_does_not_come_back_is_the_end_of_the_child(theirs, ends):
    worker(theirs, SimpleNamespace(live=True, status=SourceStatus(steps=7)), 31)._watch()
    assert ends == [EXIT_STUCK]


def test_whoever_waits_for_a_good_reason_goes_on(theirs, ends):
    worker(theirs, SimpleNamespace(live=True, status=SourceStatus(steps=7)), 29)._watch()
    moving = worker(theirs, SimpleNamespace(live=True, status=SourceStatus(steps=7)), 31)
    moving._source.status = SourceStatus(steps=8)
    moving._watch()
    waited_for = worker(theirs, SimpleNamespace(live=False, status=SourceStatus()), 31)
    waited_for._outbox.put(frame(0))
    for index in range(1, 4):  # two are under way, two wait
        waited_for._outbox.put(frame(index))
    waited_for._watch()
    assert ends == []
