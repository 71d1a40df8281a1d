"""A publisher that is broken or hostile: what it sends is left out and counted, and who listens goes on."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.stamper import MessageStamper
from fetalstream.tui.feed.control_client import ControlClient, EngineAddress, NoEndpoint, new_context
from fetalstream.tui.feed.listener import Listener
from fetalstream.tui.feed.protocol import RequestFailed
from fetalstream.tui.record.recorder import record
from fetalstream.tui.record.replay import Recording
from fetalstream.tui.state.recording_status import RecorderReport
from tests.scripted_engine import health, reading
from tests.waiting import until

RUN = "run-a"
Answer = Callable[[str, dict[str, Any]], Any]


class Publisher:
    """Sockets that say what a test wants. ``answer`` gets a command and its arguments, and returns the result.

    ``raw``: bytes that are sent instead of any reply.
    """

    def __init__(self) -> None:
        self._context = zmq.Context()
        self.pub = self._bound(zmq.PUB)
        self.preview = self._bound(zmq.PUB)
        self._router = self._bound(zmq.ROUTER)
        self.endpoints = wire.Endpoints(*(_name(each) for each in (self.pub, self.preview, self._router)))
        self.state: dict[str, Any] = {
            "run": RUN, "streams": [{"stream": "stream-1"}], "endpoints": msgspec.to_builtins(self.endpoints),
        }  # fmt: skip
        self.answer: Answer = lambda command, _: self.state if command == "state" else {"messages": []}
        self.raw: bytes | None = None
        self.asked: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _bound(self, kind: int) -> "zmq.Socket[bytes]":
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.bind("tcp://127.0.0.1:*")
        return socket

    def _serve(self) -> None:
        while not self._over.is_set():
            if not self._router.poll(20):
                continue
            peer, body = self._router.recv_multipart()
            request = json.loads(body)
            self.asked.append(request["command"])
            raw = self.raw
            if raw is None:
                result = self.answer(request["command"], request.get("args", {}))
                raw = json.dumps({"id": request["id"], "ok": True, "result": result}).encode()
            self._router.send_multipart([peer, raw.replace(b"<id>", request["id"].encode())])

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._context.destroy(0)


def _name(socket: "zmq.Socket[bytes]") -> str:
    return socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0")


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    yield made
    made.close()


@pytest.fixture
def client() -> Iterator[ControlClient]:
    context = new_context()
    yield ControlClient(context)
    context.destroy(0)


HEADER: dict[str, Any] = json.loads(wire.encode(MessageStamper(RUN).stamp(reading(0))))
HOSTILE_HEADERS = {
    "nothing": b"",
    "a list": b"[]",
    "deep": b'{"kind":"event","event":"mark","detail":{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
    "no UTF-8 in a field that nobody knows": json.dumps({**HEADER, "new": "?"}).encode().replace(b"?", b"\xff"),
    "bytes of no UTF-8": json.dumps({**HEADER, "model": "?"}).encode().replace(b"?", b"\xff"),
    "an integer of 65 bits": json.dumps({**HEADER, "published_ns": 2**64}).encode(),
    "a negative integer of 65 bits": json.dumps({**HEADER, "frame": {**HEADER["frame"], "index": -(2**64)}}).encode(),
    "a time without end": json.dumps({**HEADER, "frame": {**HEADER["frame"], "pts_seconds": 1e308}}).encode(),
    "an age without end": json.dumps(
        {**HEADER, "gestation": {**(HEADER["gestation"] or {}), "days": 1e308, "low_days": -1e308, "high_days": 1e308,
         "frame_days": None, "frames": 1, "zooms": 1, "method": ""}}).encode(),
    "a kind of another time": json.dumps({**HEADER, "kind": "else"}).encode(),
    "a header of a megabyte": json.dumps({**HEADER, "model": "x" * 2**20}).encode(),
}  # fmt: skip


@pytest.mark.parametrize(
    "state",
    [
        {"streams": 5}, {"streams": [7]}, {"streams": None}, {"streams": [{"stream": 3}]}, {"endpoints": "x"},
        {"endpoints": {"pub": 1}}, {"topics": [1]}, {"topics": {"a": 2**70}}, {"run": []},
        {"streams": [{"stream": "s", "exam_began_ns": 2**70}]}, {"streams": [{"stream": "s", "spacing_mm": 1e308}]},
        {"streams": [{"stream": str(each)} for each in range(10_000)]},
    ],
    ids=lambda state: str(state)[:60],
)  # fmt: skip
def test_a_state_that_cannot_be_meant_is_refused_in_one_line(
    state: dict[str, Any], publisher: Publisher, client: ControlClient
) -> None:
    publisher.state = {**publisher.state, **state}
    with pytest.raises(RequestFailed, match="state cannot be read") as refused:
        client.state(publisher.endpoints.control, 5.0)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\xff\xfe", b"{", b"[]", b'{"id":"<id>","ok":true,"result":{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
        b'{"id":"<id>","ok":true,"result":{"a":"\xff"}}',
    ],
    ids=["empty", "no UTF-8", "cut", "a list", "deep", "no UTF-8 inside"],
)  # fmt: skip
def test_a_reply_that_is_none_is_no_answer(raw: bytes, publisher: Publisher, client: ControlClient) -> None:
    publisher.raw = raw
    with pytest.raises(RequestFailed):
        client.state(publisher.endpoints.control, 0.3)


def test_a_refusal_is_shown_on_one_line_that_no_terminal_obeys(publisher: Publisher, client: ControlClient) -> None:
    error = json.dumps("a\nb\x1b[31m" + "c" * 100_000)
    publisher.raw = b'{"id":"<id>","ok":false,"error":' + error.encode() + b"}"
    with pytest.raises(RequestFailed) as refused:
        client.state(publisher.endpoints.control, 5.0)
    assert str(refused.value).startswith("a b [31mccc")
    assert len(str(refused.value)) <= 500


def listener_of(publisher: Publisher, client: ControlClient) -> Listener:
    return Listener(
        client._context,
        client,
        EngineAddress(publisher.endpoints.control, client.state(publisher.endpoints.control)),
        {},
    )


def test_endpoints_that_are_none_do_not_read_as_the_users_mistake(publisher: Publisher, client: ControlClient) -> None:
    publisher.state["endpoints"] = {**publisher.state["endpoints"], "preview": "no such thing"}
    with pytest.raises(RequestFailed) as refused:
        listener_of(publisher, client)
    assert not isinstance(refused.value, NoEndpoint)


def test_messages_that_cannot_be_read_are_counted_and_the_others_heard(
    publisher: Publisher, client: ControlClient
) -> None:
    listener = listener_of(publisher, client)
    try:
        stamp = MessageStamper(RUN)
        heard: list[Any] = []

        def joined() -> bool:
            publisher.pub.send_multipart([b"health/stream-1", wire.encode(stamp.stamp(health()))])
            heard.extend(listener.receive(0.01))
            return bool(heard)

        until(joined)
        for header in HOSTILE_HEADERS.values():
            publisher.pub.send_multipart([b"reading/stream-1", header])
        publisher.pub.send_multipart([b"reading/stream-1"])
        publisher.pub.send_multipart([b"reading/stream-1", json.dumps(HEADER).encode()])

        def come() -> bool:
            heard.extend(listener.receive(0.01))
            return isinstance(heard[-1].message, wire.Reading)

        until(come)
        assert listener.unreadable == len(HOSTILE_HEADERS) + 1
    finally:
        listener.close()


def test_a_picture_of_many_megabytes_is_not_taken_in_and_readings_are_still_heard(
    publisher: Publisher, client: ControlClient
) -> None:
    listener = listener_of(publisher, client)
    try:
        stamp = MessageStamper(RUN)
        preview = wire.Preview(stream="stream-1", width=1, height=1, frame=reading(0).frame)
        sizes: list[int] = []

        def heard(size: int) -> bool:
            publisher.preview.send_multipart([b"preview/stream-1", wire.encode(stamp.stamp(preview)), b"x" * size])
            sizes.extend(len(each.blob or b"") for each in listener.receive(0.02))
            return size in sizes

        until(lambda: heard(100))
        heard(17 << 20)
        count = len(sizes)

        def still_heard() -> bool:
            publisher.pub.send_multipart([b"reading/stream-1", wire.encode(stamp.stamp(reading(0)))])
            sizes.extend(len(each.blob or b"") for each in listener.receive(0.02))
            return len(sizes) > count + 3

        until(still_heard)
        assert max(sizes) == 100
    finally:
        listener.close()


@pytest.mark.parametrize("messages", [5, None, {"a": 1}, [5, None, {"kind": 2**70}], [{"seq": 2**80}]])
def test_a_refill_of_something_else_is_left_out(messages: Any, publisher: Publisher, client: ControlClient) -> None:
    listener = listener_of(publisher, client)
    try:
        publisher.answer = lambda *_: {"messages": messages, "more": True}
        assert list(listener.catch_up()) == []
    finally:
        listener.close()


def test_a_refill_that_never_ends_is_ended(publisher: Publisher, client: ControlClient) -> None:
    listener = listener_of(publisher, client)
    try:

        def endless(_: str, args: dict[str, Any]) -> dict[str, Any]:
            kind, stream, seq = args["kind"], args["stream"], args["seq"] + 1
            return {"messages": [{**HEADER, "kind": kind, "stream": stream, "seq": seq}], "more": True}

        publisher.answer, publisher.asked = endless, []
        assert list(listener._refill(RUN, "reading/stream-1"))
        assert len(publisher.asked) <= 256
    finally:
        listener.close()


def test_a_recorder_goes_on_and_says_what_it_left_out(publisher: Publisher, tmp_path: Path) -> None:
    stop = threading.Event()
    reports: list[RecorderReport] = []
    recorder = threading.Thread(
        target=record, args=(publisher.endpoints.control, tmp_path / "out", stop), kwargs={"report": reports.append}
    )
    recorder.start()
    try:
        until(lambda: any(each.state == "recording" for each in reports))
        stamp = MessageStamper(RUN)
        vector = wire.Embedding(stream="stream-1", frame=reading(0).frame, dim=4, dtype="float16")
        preview = wire.Preview(stream="stream-1", width=1, height=1, frame=reading(0).frame)

        def said() -> bool:
            for header in HOSTILE_HEADERS.values():
                publisher.pub.send_multipart([b"reading/stream-1", header])
            publisher.pub.send_multipart([b"embedding/stream-1", wire.encode(stamp.stamp(vector)), b"odd"])
            publisher.preview.send_multipart([b"preview/stream-1", wire.encode(stamp.stamp(preview)), os.urandom(99)])
            publisher.pub.send_multipart([b"reading/stream-1", wire.encode(stamp.stamp(reading(0)))])
            time.sleep(0.05)
            return any("cannot be read and are left out" in each.text for each in reports)

        until(said, 20)
        assert recorder.is_alive()
    finally:
        stop.set()
        recorder.join(10)
    assert not recorder.is_alive()
    (folder,) = (tmp_path / "out").iterdir()
    recording = Recording(folder)
    assert recording.amiss() is None
    assert next(recording.headers("reading"), None) is not None
    assert next(recording.headers("embedding"), None) is None
    recording.close()
