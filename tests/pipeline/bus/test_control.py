import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
import zmq

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.endpoints import endpoints_in
from tests.scripted_engine import ScriptedEngine, published
from tests.waiting import until

Ask = Callable[..., tuple[dict[str, Any], list[bytes]]]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ScriptedEngine]:
    with ScriptedEngine(endpoints_in(tmp_path)) as engine:
        yield engine


@pytest.fixture
def dealer(engine: ScriptedEngine) -> Iterator[zmq.Socket[Any]]:
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.RCVTIMEO, 5_000)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(engine.endpoints.control)
        yield socket


@pytest.fixture
def ask(dealer: zmq.Socket[Any]) -> Ask:
    def asked(command: str, request_id: str | None = None, **args: Any) -> tuple[dict[str, Any], list[bytes]]:
        request = {"id": request_id or str(uuid.uuid4()), "command": command, "args": args}
        dealer.send(msgspec.json.encode(request))
        header, *blobs = dealer.recv_multipart()
        reply = msgspec.json.decode(header)
        assert reply["id"] == request["id"]
        return reply, blobs

    return asked


def test_state_tells_a_late_joiner_all(engine: ScriptedEngine, ask: Ask) -> None:
    engine.read(3)
    engine.mark()
    state = ask("state")[0]["result"]
    assert state["run"] == engine.run
    assert state["endpoints"] == msgspec.structs.asdict(engine.endpoints)
    assert state["topics"] == {"reading/stream-1": 2, "event/stream-1": 0}
    assert state["streams"][0]["reading"] == published(engine, "reading")[-1]
    assert state["notice"].startswith("RESEARCH USE ONLY")
    assert (state["model"]["name"], state["model"]["precision"]) == ("mini", None)


def test_what_was_lost_is_given_again(engine: ScriptedEngine, ask: Ask) -> None:
    engine.read(5)
    result = ask("since", kind="reading", stream="stream-1", seq=2)[0]["result"]
    assert result["messages"] == published(engine, "reading")[3:]
    assert (result["oldest"], result["newest"], result["more"]) == (0, 4, False)


@pytest.mark.parametrize(
    "args", [{}, {"kind": "preview", "stream": "s", "seq": 0}, {"kind": "event", "stream": "s", "seq": "0"}]
)
def test_since_says_what_it_wants(ask: Ask, args: dict[str, Any]) -> None:
    reply, _ = ask("since", **args)
    assert not reply["ok"]
    assert "\n" not in reply["error"]


def test_a_picture_is_had_by_its_id_even_when_a_better_one_has_come(engine: ScriptedEngine, ask: Ask) -> None:
    keyframe = engine.keyframe()
    pixels = engine.keyframe_store.pop(keyframe).pixels
    reply, (png,) = ask("keyframe", keyframe=keyframe)
    assert np.array_equal(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED), pixels)
    assert reply["result"] == published(engine, "keyframe")[0]
    assert ask("saved", ids=[keyframe])[0]["ok"]
    reply, blobs = ask("keyframe", keyframe=keyframe)  # it has been let go
    assert not reply["ok"]
    assert not blobs


def test_the_engines_own_shelf_is_asked_for_what_was_saved_before(engine: ScriptedEngine, ask: Ask) -> None:
    keyframe = engine.keyframe()
    ask("saved", ids=[keyframe])
    assert wire.ConfirmSaved(ids=[keyframe]) in engine.asked
    assert len(ask("keyframe", keyframe=keyframe)[1]) == 1


def test_keyframes_come_as_they_were_published_with_the_place_that_they_have_now(
    engine: ScriptedEngine, ask: Ask
) -> None:
    for plane in ("brain", "femur"):
        engine.keyframe(plane)
    as_told = published(engine, "keyframe")
    assert [each["rank"] for each in as_told] == [0, 0]
    assert ask("keyframes")[0]["result"]["keyframes"] == [as_told[0], {**as_told[1], "rank": 1}]


def test_a_repeated_request_is_carried_out_once_and_answered_as_before(engine: ScriptedEngine, ask: Ask) -> None:
    request_id = str(uuid.uuid4())
    first = ask("mark", request_id, text="a")
    assert ask("mark", request_id, text="other") == first
    assert engine.asked == [wire.Mark(text="a")]


def test_a_request_repeated_while_it_waits_is_answered_to_both(engine: ScriptedEngine, dealer: zmq.Socket[Any]) -> None:
    slow = threading.Event()
    submit = engine.control._submit

    def submit_later(command: wire.Command) -> Any:
        reply: Any = submit(command)
        later = type(reply)()
        threading.Thread(target=lambda: (slow.wait(5), later.set_result(reply.result()))).start()
        return later

    engine.control._submit = submit_later  # type: ignore[assignment]
    request = msgspec.json.encode({"id": str(uuid.uuid4()), "command": "snapshot"})
    dealer.send(request)
    dealer.send(request)
    until(lambda: engine.asked)
    assert not dealer.poll(50)
    slow.set()
    assert dealer.recv_multipart() == dealer.recv_multipart()
    assert len(engine.asked) == 1


def test_an_answer_that_needs_no_engine_does_not_wait_for_it(engine: ScriptedEngine, ask: Ask) -> None:
    engine.read(1)
    engine.deaf = True
    assert ask("since", kind="reading", stream="stream-1", seq=-1)[0]["ok"]


def test_an_engine_that_never_answers_is_told_of(
    engine: ScriptedEngine, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fetalstream.pipeline.bus.control.ANSWER_WITHIN_S", 0.05)
    engine.deaf = True
    reply, _ = ask("pause")
    assert not reply["ok"]
    assert "no answer" in reply["error"]


def test_a_req_peer_gets_its_delimiter_back(engine: ScriptedEngine) -> None:
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.setsockopt(zmq.RCVTIMEO, 5_000)
        socket.connect(engine.endpoints.control)
        for _ in range(2):
            socket.send(msgspec.json.encode({"id": str(uuid.uuid4()), "command": "state"}))
            assert msgspec.json.decode(socket.recv())["ok"]


@pytest.mark.parametrize(
    "parts",
    [[b""], [b"", b""], [b"{"], [b"[" * 50_000], [b"", b"x", b"y"], [b"\xff"], [b'{"id":"1","command":"state"}']],
)
def test_nonsense_is_refused_and_the_next_request_answered(
    dealer: zmq.Socket[Any], ask: Ask, parts: list[bytes]
) -> None:
    dealer.send_multipart(parts)
    reply = msgspec.json.decode(dealer.recv_multipart()[-1])
    assert not reply["ok"]
    assert "\n" not in reply["error"]
    assert ask("state")[0]["ok"]


def test_what_the_engine_refuses_comes_as_one_clean_line(engine: ScriptedEngine, ask: Ask) -> None:
    reply, _ = ask("keyframe", keyframe="no\x1b[31msuch\n")
    assert not reply["ok"]
    assert reply["error"].isprintable()
    assert ask("odd\x07")[0]["error"].startswith("unknown command 'odd'")


def test_text_from_outside_reaches_the_engine_clean(engine: ScriptedEngine, ask: Ask) -> None:
    ask("mark", text="\x1b]0;x\x07here\u202e")
    assert engine.asked == [wire.Mark(text="]0;xhere")]


def test_a_request_too_large_costs_the_sender_only(engine: ScriptedEngine, ask: Ask) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(engine.endpoints.control)
        socket.send(bytes(2 * 2**20))
        assert not socket.poll(100)
    assert ask("state")[0]["ok"]


def test_the_end_waits_for_who_still_asks_and_not_for_long(engine: ScriptedEngine, ask: Ask) -> None:
    engine.read(1)
    closing = threading.Thread(target=engine.control.close, kwargs={"grace_s": 1.0})
    started_s = time.monotonic()
    closing.start()
    assert ask("since", kind="reading", stream="stream-1", seq=-1)[0]["ok"]
    closing.join()
    assert time.monotonic() - started_s < 1.0


def test_the_end_waits_for_pictures_that_nobody_has_saved_yet(engine: ScriptedEngine, ask: Ask) -> None:
    keyframe = engine.keyframe()
    closing = threading.Thread(target=engine.control.close, kwargs={"grace_s": 5.0})
    started_s = time.monotonic()
    closing.start()
    closing.join(0.6)  # longer than the silence after which nobody is thought to ask any more
    assert ask("keyframe", keyframe=keyframe)[0]["ok"]
    assert ask("saved", ids=[keyframe])[0]["ok"]
    closing.join()
    assert time.monotonic() - started_s < 3.0


def test_a_clip_is_fetched_and_acknowledged(engine: ScriptedEngine, ask: Ask) -> None:
    keyframe = engine.keyframe()
    engine.clip(keyframe)
    (told,) = published(engine, "event")
    assert (told["event"], told["detail"]["keyframe"], told["exam"]) == ("clip", keyframe, "exam-a")
    reply, (clip,) = ask("clip", keyframe=keyframe)
    assert reply["result"] == told["detail"]
    assert clip.startswith(b"\x1aE\xdf\xa3")
    assert engine.publisher.clips.unsaved == 1
    assert ask("saved", ids=[], clips=[keyframe])[0]["result"] == {"ids": [], "clips": [keyframe]}
    assert engine.publisher.clips.unsaved == 0


def test_a_clip_that_is_not_there_is_refused_in_one_line(ask: Ask) -> None:
    for args in ({"keyframe": "nobody"}, {}):
        reply, blobs = ask("clip", **args)
        assert not reply["ok"]
        assert "\n" not in reply["error"]
        assert blobs == []
