"""What the child does between decoding and sending, without a process; see test_worker for the whole."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from streamer import worker_child
from streamer.frame import Frame
from streamer.worker_child import EXIT_BROKEN, EXIT_STUCK, _Outbox, _Worker
from tests.waiting import until


def frame(index):
    return Frame(np.full((2, 2), index, np.uint8), index, index / 30, index)


def indices(messages):
    return [message.index if isinstance(message, Frame) else message for message in messages]


def read_by_one_who_takes(outbox):
    for message in outbox.messages(10.0):
        if isinstance(message, Frame):
            outbox.taken()
        yield message


def test_frames_that_nobody_takes_wait_where_newer_ones_replace_them():
    outbox = _Outbox(newest=True)
    messages = outbox.messages(0.01)
    for index in range(2):
        outbox.put(frame(index))
        assert next(messages).index == index
    for index in range(2, 9):
        outbox.put(frame(index))
    assert next(messages) is None
    outbox.close()
    assert next(messages) is None
    outbox.taken()
    assert indices(messages) == [8]
    assert outbox.dropped == 6


def test_of_live_frames_the_newest_is_sent_and_the_others_are_counted():
    outbox = _Outbox(newest=True)
    for index in range(5):
        outbox.put(frame(index), {"note": index} if index in (1, 3) else None)
    outbox.close()
    # What was said of frames that are gone is said all the same.
    assert indices(outbox.messages(1.0)) == [{"note": 1}, {"note": 3}, 4]
    assert outbox.dropped == 4


def test_every_frame_of_a_recording_is_sent_and_its_reader_waited_for():
    outbox = _Outbox(newest=False)

    def read():
        for index in range(9):
            outbox.put(frame(index))
        outbox.say({"end": {}})
        outbox.close()

    reader = threading.Thread(target=read)
    reader.start()
    until(lambda: outbox.full)
    assert indices(read_by_one_who_takes(outbox)) == [*range(9), {"end": {}}]
    assert outbox.dropped == 0
    reader.join(10)


def test_silence_is_a_message_too():
    outbox = _Outbox(newest=True)
    messages = outbox.messages(0.01)
    assert next(messages) is None
    outbox.close()
    assert list(messages) == []


@pytest.fixture
def ends(monkeypatch):
    found = []
    monkeypatch.setattr(worker_child.os, "_exit", found.append)
    return found


def test_what_nobody_foresaw_is_a_death_and_tells_no_secrets(monkeypatch, capsys):
    class Broken:
        live, kind, frames_expected, rate_hz, identity, warnings = True, "network", None, None, "", ()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __iter__(self):
            yield frame(0)
            raise KeyError("rtsp://me:s3cret@host")

    class Nowhere:
        def frame(self, *_):
            pass

        note = frame

    monkeypatch.setattr(worker_child, "open_source", lambda *_, **__: Broken())
    made = _Worker(None, {"sector": None, "name": "x", "spacing_mm": None, "depth_mm": None, "skip": 0, "revision": 0})
    made._sending = Nowhere()
    assert made.run() == EXIT_BROKEN
    said = capsys.readouterr().err
    assert said.startswith("capture broke down: KeyError in __iter__")
    assert "s3cret" not in said
    made._outbox.close()


def worker(source, stood_still_s):
    made = _Worker(None, {"sector": None, "name": "x", "spacing_mm": None, "depth_mm": None, "skip": 0, "revision": 0})
    made._source = source
    made._watch()
    made._step = (made._step[0], time.monotonic() - stood_still_s)
    return made


def test_a_decoder_that_does_not_come_back_is_the_end_of_the_child(ends):
    worker(SimpleNamespace(live=True, steps=7), 31)._watch()
    assert ends == [EXIT_STUCK]


def test_whoever_waits_for_a_good_reason_goes_on(ends):
    worker(SimpleNamespace(live=True, steps=7), 29)._watch()
    # A live source that does not tell its steps may wait for ever.
    worker(SimpleNamespace(live=True), 31)._watch()
    moving = worker(SimpleNamespace(live=True, steps=7), 31)
    moving._source.steps = 8
    moving._watch()
    waited_for = worker(SimpleNamespace(live=False), 31)
    waited_for._outbox.put(frame(0))
    waited_for._outbox.put(frame(1))
    waited_for._watch()
    assert ends == []
