import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.endpoints import RunFolder, endpoints_in
from fetalstream.tui.feed.engine_feed import EngineFeed
from fetalstream.tui.feed.protocol import Feed, RequestFailed
from tests.scripted_engine import ScriptedEngine, frame_info, health, on_tcp


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ScriptedEngine]:
    with ScriptedEngine(endpoints_in(tmp_path)) as engine:
        yield engine


@pytest.fixture
async def feed(engine: ScriptedEngine) -> AsyncIterator[EngineFeed]:
    feed: Feed = EngineFeed(engine.endpoints.control)
    await feed.start()
    yield feed  # type: ignore[misc]
    await feed.close()
    await feed.close()


async def heard(
    feed: EngineFeed, kind: type[wire.Message], count: int = 1, within_s: float = 60.0
) -> list[wire.Message]:
    """The next ``count`` messages of a kind."""
    found: list[wire.Message] = []
    deadline_s = time.monotonic() + within_s
    while len(found) < count:
        assert time.monotonic() < deadline_s, f"only {len(found)} came"
        found += [message for message, _ in feed.drain() if isinstance(message, kind)]
        await asyncio.sleep(0.005)
    return found


async def joined(engine: ScriptedEngine, feed: EngineFeed) -> None:
    """Until the subscription has arrived."""
    while not any(isinstance(message, wire.Health) for message, _ in feed.drain()):
        engine.publisher.send(health())
        await asyncio.sleep(0.005)


async def test_it_starts_with_the_state_and_hears_what_comes(engine: ScriptedEngine) -> None:
    engine.read(2)
    feed = EngineFeed(engine.endpoints.control)
    assert feed.last_heard_ns is None
    state = await feed.start()
    assert state.run == engine.run
    assert state.streams[0].reading is not None
    assert state.streams[0].reading.seq == 1
    assert (await feed.start()).run == engine.run  # once more changes nothing
    engine.read(3)
    assert [message.seq for message in await heard(feed, wire.Reading, 3)] == [2, 3, 4]
    assert feed.last_heard_ns is not None
    await feed.close()


async def test_what_was_dropped_comes_after_all_in_its_place(engine: ScriptedEngine, feed: EngineFeed) -> None:
    await joined(engine, feed)
    send = engine.publisher._pub.send_multipart
    engine.publisher._pub.send_multipart = lambda *_: None  # type: ignore[method-assign,assignment]
    engine.read(20)
    engine.publisher._pub.send_multipart = send  # type: ignore[method-assign]
    engine.read(1)
    assert [message.seq for message in await heard(feed, wire.Reading, 21)] == list(range(21))


async def test_of_previews_only_the_newest_of_each_stream_is_given(engine: ScriptedEngine, feed: EngineFeed) -> None:
    await joined(engine, feed)
    pixels = np.zeros((8, 8), np.uint8)
    deadline_s = time.monotonic() + 5
    previews: list[tuple[wire.Message, bytes | None]] = []
    while len(previews) < 2:
        assert time.monotonic() < deadline_s
        for stream in ("stream-1", "stream-2"):
            for _ in range(3):
                engine.publisher.send(
                    wire.Preview(stream=stream, exam="e", width=8, height=8, frame=frame_info(0)), b"\xff\xd8"
                )
            engine.publisher.preview(stream, "e", frame_info(0), pixels)
        await asyncio.sleep(0.2)
        previews = [(message, blob) for message, blob in feed.drain() if isinstance(message, wire.Preview)]
    assert sorted(message.stream for message, _ in previews) == ["stream-1", "stream-2"]
    assert all(blob and blob.startswith(b"\xff\xd8") for _, blob in previews)


async def test_commands_reach_the_engine_and_refusals_come_back(engine: ScriptedEngine, feed: EngineFeed) -> None:
    assert await feed.request(wire.Mark(stream="stream-1")) == {"did": "mark"}
    assert engine.asked[-1] == wire.Mark(stream="stream-1")
    with pytest.raises(RequestFailed, match="not kept any more"):
        await feed.request(wire.GetKeyframe(keyframe="x"))


async def test_an_engine_that_comes_back_is_heard_from_its_first_message(tmp_path: Path) -> None:
    first = ScriptedEngine(on_tcp(endpoints_in(tmp_path)))
    feed = EngineFeed(first.endpoints.control)
    await feed.start()
    first.read(2)
    await heard(feed, wire.Reading, 2)
    first.end()
    with ScriptedEngine(first.endpoints) as second:
        second.read(5)
        found: list[wire.Message] = []
        deadline_s = time.monotonic() + 10
        while len([each for each in found if isinstance(each, wire.Reading)]) < 5:
            assert time.monotonic() < deadline_s
            second.read(1)
            found += [message for message, _ in feed.drain()]
            await asyncio.sleep(0.02)
        readings = [each for each in found if isinstance(each, wire.Reading)]
        assert {each.run for each in readings} == {second.run}
        assert [each.seq for each in readings] == list(range(len(readings)))
    await feed.close()


async def test_nobody_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fetalstream.tui.feed.discover.DISCOVER_S", 0.2)
    for endpoint in (f"ipc://{tmp_path}/control.sock", "tcp://127.0.0.1:9", "nonsense", "tcp://127.0.0.1:x", "ipc://"):
        feed = EngineFeed(endpoint)
        with pytest.raises(RequestFailed) as caught:
            await feed.start()
        assert "\n" not in str(caught.value)
        with pytest.raises(RequestFailed, match="no engine"):
            await feed.request(wire.Mark())
        await feed.close()


@pytest.mark.parametrize("which", ["pub", "control"])
async def test_either_endpoint_finds_the_engine_and_never_its_neighbour(tmp_path: Path, which: str) -> None:
    engines: list[ScriptedEngine] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        engines.append(ScriptedEngine(endpoints_in(tmp_path / name)))
    for engine in engines:
        feed = EngineFeed(getattr(engine.endpoints, which))
        assert (await feed.start()).run == engine.run
        await feed.close()
    for engine in engines:
        engine.end()


@pytest.fixture
def two_engines(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ScriptedEngine, ScriptedEngine]]:
    """An older one and a newer one of this user's."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path))
    with (
        RunFolder() as first,
        RunFolder() as second,
        ScriptedEngine(first.endpoints) as older,
        ScriptedEngine(second.endpoints) as newer,
    ):
        assert first.path.is_relative_to(short_path)
        os.utime(first.path / "control.sock", (0, 0))  # both came within one tick of the file system's clock
        yield older, newer


async def test_without_an_endpoint_the_users_newest_engine_is_found(
    two_engines: tuple[ScriptedEngine, ScriptedEngine],
) -> None:
    feed = EngineFeed()
    assert (await feed.start()).run == two_engines[1].run
    await feed.close()


async def test_the_newest_engine_is_found_though_it_is_busy(
    two_engines: tuple[ScriptedEngine, ScriptedEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, newer = two_engines
    late: Future[Any] = Future()

    def answer_late(command: wire.Command) -> Future[Any]:
        threading.Timer(0.2, lambda: late.set_result(newer.submit(command).result(5))).start()
        return late

    monkeypatch.setattr(newer.control, "_submit", answer_late)
    feed = EngineFeed()
    assert (await feed.start()).run == newer.run
    await feed.close()


async def test_what_cannot_be_read_is_passed_over(engine: ScriptedEngine, feed: EngineFeed) -> None:
    await joined(engine, feed)
    for parts in ([b"x"], [b"", b"{"], [b"", b'{"kind":"later"}'], [b"", b"[" * 50_000], [b"", b'{"kind":"event"}']):
        engine.publisher._pub.send_multipart(parts)
    engine.mark("after")
    (event,) = await heard(feed, wire.Event)
    assert isinstance(event, wire.Event)
    assert event.detail == {"text": "after"}
