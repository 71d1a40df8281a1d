"""Whole runs: three processes, sockets and a disk. Each test starts one and does much with it."""

import asyncio
import io
import json
import signal
import threading
import uuid
from types import SimpleNamespace

import jsonschema
import pytest
import zmq
from PIL import Image

from fetalstream.pipeline import wire
from fetalstream.tui.feed.engine_feed import EngineFeed
from fetalstream.tui.run import supervised_run
from tests.tui.live_run import ROOT, LiveRun, rows
from tests.waiting import until


def ask(control, command=None):
    """The reply to a command; without one, the state."""

    async def once():
        feed = EngineFeed(control)
        try:
            state = await feed.start()
            return state if command is None else await feed.request(command)
        finally:
            await feed.close()

    return asyncio.run(once())


def whole(seqs):
    return seqs == list(range(len(seqs)))


class EngineThatCannotStart:
    """Says what it does, then why it ends, and is gone by the next look."""

    def __init__(self):
        self.turns = iter([("running", ["checking"]), ("running", ["no such model"]), ("failed", [])])
        self.state = "waiting"
        self.over = False

    def poll(self, _):
        self.state, self.said = next(self.turns)
        self.over = self.state == "failed"

    def news(self):
        return self.said


def test_the_last_words_of_an_engine_are_left_for_the_error_line(capsys):
    engine = EngineThatCannotStart()
    supervisor = SimpleNamespace(child=lambda _: engine)
    assert not supervised_run._started(supervisor, SimpleNamespace(to_stop=threading.Event()))
    assert capsys.readouterr().err == "checking\n"


@pytest.mark.timeout(300)
def test_whoever_is_killed_comes_back_and_nothing_is_lost():
    with LiveRun() as run:
        first = run.wait_recording()
        ask(run.control, wire.Snapshot(stream="stream-1"))

        run.kill("recorder")
        before = len(run.seqs(first))
        until(lambda: len(run.seqs(first)) > before + 10)
        until(lambda: rows(first, "SELECT count(*) FROM keyframes WHERE picture = 'saved'")[0][0] >= 1)

        ask(run.control, wire.SetSector(stream="stream-1", sector=[100, 80, 400, 300]))
        ask(run.control, wire.SetSpacing(stream="stream-1", spacing_mm=0.25))
        exam = ask(run.control, wire.NewExam())["exam"]
        run.kill("engine")
        second = run.wait_recording(folders=2)
        stream = ask(run.control).streams[0]
        assert stream.sector is not None
        assert (stream.exam, stream.spacing_mm, stream.sector[0]) == (exam, 0.25, (100, 80))
        assert run.stop() == 0, run.log.read_text()

        assert whole(run.seqs(first))
        assert whole(run.seqs(second))
        for folder in (first, second):
            assert rows(folder, "SELECT count(*) FROM keyframes WHERE picture = 'wanted'") == [(0,)]
        assert len(rows(second, "SELECT 1 FROM messages WHERE kind = 'goodbye'")) == 1
        said = run.log.read_text()
        assert "The engine died (signal 9); it is started again" in said
        assert "The recorder died (signal 9); it is started again" in said
        assert "Traceback" not in said
        assert list((run.home / "run" / "fetalstream").iterdir()) == []


@pytest.mark.timeout(300)
def test_a_foreign_subscriber_finds_every_header_valid_and_no_gap_and_may_ask_why():
    schema = json.loads((ROOT / "docs" / "wire.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    heard = {}
    with LiveRun(record=False) as run, zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.linger = 0
        socket.rcvtimeo = 30_000
        socket.subscribe(b"")
        socket.connect(run.control.replace("control.sock", "pub.sock"))
        while sum(map(len, heard.values())) < 100 or not any(topic.startswith("health/") for topic in heard):
            topic, header, *_ = socket.recv_multipart()
            message = json.loads(header)
            validator.validate(message)
            assert topic.decode() == f"{message['kind']}/{message['stream']}"
            heard.setdefault(topic.decode(), []).append(message["seq"])
        with context.socket(zmq.REQ) as asking:
            asking.linger = 0
            asking.rcvtimeo = 60_000
            asking.connect(run.control)

            def asked(command, **args):
                asking.send_json({"id": str(uuid.uuid4()), "command": command, "args": args})
                header, *blobs = asking.recv_multipart()
                reply = json.loads(header)
                assert reply["ok"], reply
                return reply["result"], blobs

            (keyframe,) = asked("snapshot")[0]["keyframes"]
            (picture,) = asked("keyframe", keyframe=keyframe)[1]
            told, (drawn,) = asked("explain", stream="stream-1", keyframe=keyframe, plane="femur")
            assert (told["plane"], told["method"], told["model"]) == ("femur", "LayerCAM", "mini")
            assert Image.open(io.BytesIO(drawn)).size == Image.open(io.BytesIO(picture)).size
        assert run.stop() == 0
    for seqs in heard.values():
        assert whole([seq - seqs[0] for seq in seqs])


@pytest.mark.timeout(300)
def test_engine_and_recorder_go_on_when_the_foreground_is_killed():
    with LiveRun() as run:
        session = run.wait_recording()
        children = run.children()
        assert ask(run.control).supervised is True
        control = run.control
        run.process.send_signal(signal.SIGKILL)
        run.process.wait()

        before = len(run.seqs(session))
        until(lambda: len(run.seqs(session)) > before + 10)
        assert ask(control).supervised is False

        ask(control, wire.Stop())
        until(lambda: not any(child.is_running() and child.status() != "zombie" for child in children))
        assert whole(run.seqs(session))
        assert len(rows(session, "SELECT 1 FROM messages WHERE kind = 'goodbye'")) == 1
