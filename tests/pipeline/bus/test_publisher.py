import json
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq
from jsonschema import Draft202012Validator

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.endpoints import endpoints_in
from fetalstream.pipeline.bus.publisher import SUBSCRIPTION_BYTES, PictureCache, Publisher
from fetalstream.pipeline.bus.stamper import MessageStamper
from fetalstream.pipeline.errors import ConfigError
from tests.scripted_engine import CAPTURED_AGO_NS, Kept, ScriptedEngine, frame_info, on_tcp, reading
from tests.waiting import until

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "wire.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ScriptedEngine]:
    with ScriptedEngine(endpoints_in(tmp_path)) as engine:
        yield engine


Subscribe = Callable[..., "zmq.Socket[Any]"]


@pytest.fixture
def subscribe() -> Iterator[Subscribe]:
    context = zmq.Context()
    sockets: list[zmq.Socket[Any]] = []

    def subscriber(endpoint: str, topic: bytes = b"", hwm: int = 10_000) -> zmq.Socket[Any]:
        sockets.append(socket := context.socket(zmq.SUB))
        socket.set_hwm(hwm)
        socket.setsockopt(zmq.RCVTIMEO, 5_000)
        socket.setsockopt(zmq.SUBSCRIBE, topic)
        socket.connect(endpoint)
        return socket

    yield subscriber
    for socket in sockets:
        socket.close(0)
    context.term()


def heard_first(engine: ScriptedEngine, socket: zmq.Socket[Any]) -> None:
    """Until the subscription has arrived, messages pass the subscriber by."""

    def arrived() -> bool:
        engine.mark()
        return bool(socket.poll(10))

    until(arrived)


def test_a_subscriber_with_nothing_but_pyzmq_sees_valid_headers_without_gaps(
    engine: ScriptedEngine, subscribe: Subscribe
) -> None:
    readings = subscribe(engine.endpoints.pub)
    previews = subscribe(engine.endpoints.preview)
    engine.play_in_thread(period_s=0.002)
    validator = Draft202012Validator(SCHEMA)
    seqs: dict[bytes, list[int]] = {}
    for socket, count in ((readings, 300), (previews, 5)):
        for _ in range(count):
            topic, header, *blob = socket.recv_multipart()
            plain = json.loads(header)
            validator.validate(plain)
            assert topic.decode() == f"{plain['kind']}/{plain['stream']}"
            assert [part[:2] for part in blob] == ([b"\xff\xd8"] if plain["kind"] == "preview" else [])
            seqs.setdefault(topic, []).append(plain["seq"])
    assert {topic.partition(b"/")[0] for topic in seqs} == {b"reading", b"keyframe", b"event", b"health", b"preview"}
    for numbers in seqs.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_subscriber_may_choose_by_the_topics_beginning(engine: ScriptedEngine, subscribe: Subscribe) -> None:
    socket = subscribe(engine.endpoints.pub, b"event/")
    heard_first(engine, socket)
    engine.read(3)
    engine.mark("last")
    topics: list[bytes] = []
    while True:
        topic, header = socket.recv_multipart()
        topics.append(topic)
        if json.loads(header)["detail"]["text"] == "last":
            break
    assert set(topics) == {b"event/stream-1"}


def test_sends_never_wait_for_a_subscriber_that_reads_nothing(engine: ScriptedEngine, subscribe: Subscribe) -> None:
    stalled = subscribe(engine.endpoints.pub, hwm=1)
    until(lambda: engine.mark() or stalled.poll(10))
    message = reading(0)
    started_s = time.monotonic()
    for _ in range(4_500):
        engine.publisher.send(message)
    assert time.monotonic() - started_s < 10


def test_a_goodbye_is_heard_though_the_engine_ends_at_once(tmp_path: Path, subscribe: Subscribe) -> None:
    engine = ScriptedEngine(endpoints_in(tmp_path))
    socket = subscribe(engine.endpoints.pub)
    heard_first(engine, socket)
    engine.read(500)
    engine.goodbye()
    started_s = time.monotonic()
    engine.end(grace_s=0)
    assert time.monotonic() - started_s < 1.0
    kinds: list[str] = []
    while not kinds or kinds[-1] != "goodbye":
        kinds.append(json.loads(socket.recv_multipart()[1])["kind"])
    assert kinds.count("reading") == 500
    engine.publisher.send(reading(0))  # afterwards nothing happens
    engine.publisher.close()


def test_a_reading_goes_out_with_all_that_it_took(engine: ScriptedEngine) -> None:
    engine.publisher.send(reading(0))
    engine.publisher.send(reading(1, latency_ms=wire.Latency()))
    sent, unknown = (wire.decode(header) for header in engine.publisher.ring.since("reading", "stream-1", -1).headers)
    assert isinstance(sent, wire.Reading)
    assert isinstance(unknown, wire.Reading)
    took = sent.latency_ms
    assert took.total is not None
    assert took.total == (sent.published_ns - sent.frame.captured_ns) / 1e6 >= CAPTURED_AGO_NS / 1e6
    assert took.publish == pytest.approx(took.total - 12.5)
    assert unknown.latency_ms == wire.Latency()


def test_a_number_that_json_cannot_carry_is_refused_and_leaves_no_gap(engine: ScriptedEngine) -> None:
    bad = reading(0, planes={"brain": wire.LabelScore(cosine=None, raw=float("nan"), smoothed=0.0)})
    with pytest.raises(wire.NotFinite, match=r"planes\.brain\.raw"):
        engine.publisher.send(bad)
    engine.read(1)
    assert engine.publisher.topics() == {"reading/stream-1": 0}


def test_a_preview_comes_at_its_rate_on_its_own_socket(tmp_path: Path, subscribe: Subscribe) -> None:
    now_ns = 0
    with ScriptedEngine(endpoints_in(tmp_path), clock_ns=lambda: now_ns) as engine:
        socket = subscribe(engine.endpoints.preview)
        pixels = np.zeros((4, 4), np.uint8)

        def arrived() -> bool:
            nonlocal now_ns
            now_ns += 10**9
            engine.publisher.preview("stream-1", "exam-a", frame_info(0), pixels)
            return bool(socket.poll(10))

        until(arrived)
        before = engine.publisher.topics()["preview/stream-1"]
        for _ in range(5):
            engine.publisher.preview("stream-1", "exam-a", frame_info(0), pixels)
        assert engine.publisher.topics()["preview/stream-1"] == before


def test_an_ipc_name_of_a_living_engine_is_not_taken(engine: ScriptedEngine, subscribe: Subscribe) -> None:
    socket = subscribe(engine.endpoints.pub)
    for endpoints in (engine.endpoints, wire.Endpoints("ipc:///tmp/x", engine.endpoints.preview, "ipc:///tmp/y")):
        with pytest.raises(ConfigError, match="in use by another engine") as caught:
            Publisher(endpoints, MessageStamper("run-b"))
        assert "\n" not in str(caught.value)
    heard_first(engine, socket)  # it goes on


def test_a_control_name_of_a_living_engine_is_not_taken(engine: ScriptedEngine, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    beside = endpoints_in(other)
    with pytest.raises(ConfigError, match=r"control\.sock is in use"):
        ScriptedEngine(wire.Endpoints(beside.pub, beside.preview, engine.endpoints.control))
    ScriptedEngine(beside).end()  # nothing is held any more


def test_a_busy_port_is_one_line(tmp_path: Path) -> None:
    with ScriptedEngine(on_tcp(endpoints_in(tmp_path))) as engine:
        assert engine.endpoints.pub.startswith("tcp://127.0.0.1:")
        assert "*" not in engine.endpoints.control
        with pytest.raises(ConfigError, match="in use") as caught:
            ScriptedEngine(engine.endpoints)
        assert "\n" not in str(caught.value)


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pub.sock").write_text("precious")
    with pytest.raises(ConfigError, match="not a socket"):
        ScriptedEngine(endpoints_in(tmp_path))
    assert (tmp_path / "pub.sock").read_text() == "precious"


def test_sockets_are_the_users_alone_and_a_dead_engines_are_taken_over(tmp_path: Path) -> None:
    for _ in range(2):
        with ScriptedEngine(endpoints_in(tmp_path)):
            for name in ("pub.sock", "preview.sock", "control.sock"):
                assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_pictures_stay_until_they_are_saved_within_bounds() -> None:
    kept = [Kept(f"{number:032x}") for number in range(5)]
    pictures = PictureCache(3 * kept[0].pixels.nbytes)
    for each in kept:
        pictures.add(each.keyframe, each)
    assert [pictures.get(each.keyframe) is not None for each in kept] == [False, False, True, True, True]
    pictures.saved([kept[4].keyframe, "unknown"])
    assert len(pictures) == 2


def test_a_subscription_of_any_size_is_not_taken_in(engine: ScriptedEngine, subscribe: Subscribe) -> None:
    context = zmq.Context()
    hostile = context.socket(zmq.SUB)
    hostile.setsockopt(zmq.RECONNECT_IVL, -1)
    monitor = hostile.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    hostile.connect(engine.endpoints.pub)
    hostile.setsockopt(zmq.SUBSCRIBE, b"x" * (SUBSCRIPTION_BYTES + 1))
    assert monitor.poll(5_000)
    good = subscribe(engine.endpoints.pub, b"event/" + b"s" * 1_000)
    longest = "s" * 1_000

    def arrived() -> bool:
        engine.publisher.send(wire.Event(stream=longest, event="mark"))
        return bool(good.poll(10))

    until(arrived)
    hostile.disable_monitor()
    context.destroy(0)
